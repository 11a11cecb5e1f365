"""The dataset that the ``data`` keys describe, and where its samples are kept once they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leaderboards.values import digest
from tasks.base import Dataset, datasets
from tasks.data.cache import Cached, DiskCache, MemoryCache, cache_root
from tasks.data.tuning_split import TuningSplit
from tasks.registry import options, source_of

MACHINE = frozenset({"root", "cache"})  # options of a dataset that do not change what it holds


def build_dataset(
    chosen: Mapping[str, Any], home: Path | None = None, size: int | Sequence[int] | None = None
) -> Dataset:
    """Build the dataset that the ``data`` keys describe.

    Args:
        chosen: the keys.
        home: of the runs; None keeps no sample, whatever ``data.cache`` says.
        size: at which samples are kept, see ``tasks.data.resize.target_size``; None keeps them as they are.
    """
    cls = datasets[chosen["name"]]
    dataset = cls(**{key: chosen[key] for key in options(cls)})
    if home is not None:
        dataset = _kept(dataset, chosen, home, size)
    share = chosen["tuning_split"]
    return dataset if share is None else TuningSplit(dataset, str(share))


def _kept(dataset: Dataset, chosen: Mapping[str, Any], home: Path, size: int | Sequence[int] | None) -> Dataset:
    """Keep samples where ``data.cache`` says: ``auto`` and ``device`` keep on disk those that are slow to make."""
    where = chosen["cache"]
    if where == "memory":
        return Cached(dataset, MemoryCache(), size)
    if where == "disk" or (where in ("auto", "device") and dataset.slow):
        content = {
            "manifest": dataset.manifest(),
            "options": {key: chosen[key] for key in options(type(dataset)) if key not in MACHINE},
            "source": source_of(datasets, dataset.name),
            "size": size,
        }
        return Cached(dataset, DiskCache(cache_root(home) / f"{dataset.name}-{digest(content)[:16]}"), size)
    return dataset
