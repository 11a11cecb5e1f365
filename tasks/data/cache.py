"""Decoded samples, kept in memory or as memory-mapped arrays on disk, for sets whose decoding is slow."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Protocol

import numpy as np

from tasks.annotations.kind import kind_of
from tasks.base import Sample

FORMAT = "2"  # of the files: raised when a kind keeps other arrays, so that older ones are not read


class Cache(Protocol):
    """Keeps samples by index."""

    def get(self, index: int) -> Sample | None:
        """Return a kept sample, or None."""

    def put(self, index: int, sample: Sample) -> None:
        """Keep a sample."""


class NoCache:
    """Keeps nothing."""

    def get(self, index: int) -> Sample | None:
        """Return None."""
        return None

    def put(self, index: int, sample: Sample) -> None:
        """Forget the sample."""


class MemoryCache(dict[int, Sample]):
    """Keeps samples in memory; each loader process has its own."""

    def put(self, index: int, sample: Sample) -> None:
        """Keep a sample."""
        self[index] = sample


class DiskCache:
    """Keeps samples as one folder of ``.npy`` arrays each; they are memory-mapped, so all processes share the pages.

    Args:
        folder: where; it must be of one content, split and size alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FORMAT

    def get(self, index: int) -> Sample | None:
        """Return a kept sample whose arrays are read-only views of the files, or None."""
        place = self.folder / str(index)
        if not place.is_dir():
            return None
        arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in place.glob("*.npy")}
        image, id_ = arrays.pop("image"), str(arrays.pop("id"))
        kept: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
        for name, array in arrays.items():
            kind, _, part = name.partition(".")
            kept[kind][part] = array
        return Sample(id_, image, {kind: kind_of(kind).restore(parts) for kind, parts in kept.items()})

    def put(self, index: int, sample: Sample) -> None:
        """Keep a sample, whole or not at all; another process that was first wins."""
        arrays = {"image": sample.image, "id": np.array(sample.id)}
        for kind, value in sample.annotations.items():
            arrays |= {f"{kind}.{part}": array for part, array in kind_of(kind).arrays(value).items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
        for name, array in arrays.items():
            np.save(made / f"{name}.npy", array, allow_pickle=False)
        try:
            made.rename(self.folder / str(index))
        except OSError:
            shutil.rmtree(made)
            if not (self.folder / str(index)).is_dir():
                raise
