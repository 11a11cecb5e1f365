"""Decoded samples, kept in memory or as memory-mapped arrays on disk, for sets whose decoding is slow."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tasks.base import Boxes, Sample


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
        self.folder = folder

    def get(self, index: int) -> Sample | None:
        """Return a kept sample whose arrays are read-only views of the files, or None."""
        place = self.folder / str(index)
        if not place.is_dir():
            return None
        arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in place.glob("*.npy")}
        image, id_ = arrays.pop("image"), str(arrays.pop("id"))
        annotations: dict[str, Any] = {kind: array for kind, array in arrays.items() if "." not in kind}
        if "boxes.xyxy" in arrays:
            annotations["boxes"] = Boxes(*(np.array(arrays[f"boxes.{part}"]) for part in _PARTS))
        return Sample(id_, image, annotations)

    def put(self, index: int, sample: Sample) -> None:
        """Keep a sample, whole or not at all; another process that was first wins."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
        for name, array in _arrays(sample).items():
            np.save(made / f"{name}.npy", array, allow_pickle=False)
        try:
            made.rename(self.folder / str(index))
        except OSError:
            shutil.rmtree(made)
            if not (self.folder / str(index)).is_dir():
                raise


_PARTS = ("xyxy", "labels", "difficult")


def _arrays(sample: Sample) -> dict[str, np.ndarray]:
    arrays = {"image": sample.image, "id": np.array(sample.id)}
    for kind, value in sample.annotations.items():
        if isinstance(value, Boxes):
            arrays |= {f"{kind}.{part}": getattr(value, part) for part in _PARTS}
        else:
            arrays[kind] = value
    return arrays
