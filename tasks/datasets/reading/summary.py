"""A dataset in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.annotations.kind import kind_of
from tasks.base import Dataset, Sample
from tasks.datasets.reading.files import size_text
from tasks.datasets.reading.listed import ListedDataset


def summary(dataset: Dataset, samples: int = 16) -> dict[str, str]:
    """Describe a dataset in a few lines: images a split, and sizes and annotations of up to ``samples`` of each.

    ``release`` says whether the set is complete, for datasets that know the counts of their official release.
    """
    lines: dict[str, str] = {}
    official: Mapping[str, int] = getattr(dataset, "official", {})
    if official:
        found: Mapping[str, int] = dataset.found  # type: ignore[attr-defined]
        counts = ", ".join(f"{found[name]} of {count} {name}" for name, count in official.items())
        lines["release"] = "complete" if dict(found) == dict(official) else f"a subset: {counts}"
    if isinstance(dataset, ListedDataset):
        lines |= dataset.remarks()
    for split in dataset.splits:
        count = len(dataset.ids(split))
        lines[f"{split} images"] = str(count)
        picked = sorted({round(i) for i in np.linspace(0, count - 1, min(samples, count))})
        lines |= _describe(split, [dataset.load(split, index) for index in picked], dataset)
    return lines


def _describe(split: str, samples: Sequence[Sample], dataset: Dataset) -> dict[str, str]:
    of = f" (of {len(samples)} samples)"
    sizes = sorted({(sample.image.shape[0], sample.image.shape[1]) for sample in samples})
    lines = {f"{split} size": " to ".join(dict.fromkeys(size_text(size) for size in (*sizes[:1], *sizes[-1:]))) + of}
    for kind in sorted(dataset.provides):
        values = [sample.annotations[kind] for sample in samples if kind in sample.annotations]
        if values:
            lines[f"{split} {kind}"] = kind_of(kind).describe(values, dataset.info) + of
    return lines
