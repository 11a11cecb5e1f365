"""Samples that are made once a machine: kept in memory, or in one file a split that all processes share."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from filelock import FileLock

from tasks.annotations.kind import kind_of
from tasks.base import Dataset, Sample
from tasks.data.resize import resize_sample, target_size
from tasks.data.wrapped import Wrapped

FORMAT = "3"  # of the files: raised when a kind keeps other arrays, so that older ones are not read
ROOT = "DENSEDISTILL_CACHE"  # the environment variable that says where
ALIGNED = 64  # bytes, of every array in a file
ENTRY = np.dtype([("index", "<i8"), ("start", "<i8"), ("length", "<i8"), ("crc", "<u4"), ("own", "<u4")])
OWN = ENTRY.itemsize - 4  # bytes of an entry that its own checksum covers


class Cache(Protocol):
    """Keeps samples by split and index."""

    def get(self, split: str, index: int) -> Sample | None:
        """Return a kept sample, or None."""

    def put(self, split: str, index: int, sample: Sample) -> None:
        """Keep a sample."""


class MemoryCache:
    """Keeps samples in memory; each process has its own."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Sample] = {}

    def get(self, split: str, index: int) -> Sample | None:
        """Return a kept sample, or None."""
        return self._kept.get((split, index))

    def put(self, split: str, index: int, sample: Sample) -> None:
        """Keep a sample."""
        self._kept[split, index] = sample


class DiskCache:
    """Keeps samples of a split in one file, memory-mapped, so that all processes of a machine share its pages.

    Args:
        folder: where; it must be of one content and size alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FORMAT
        self._shelves: dict[str, _Shelf] = {}

    def _shelf(self, split: str) -> _Shelf:
        return self._shelves.setdefault(split, _Shelf(self.folder / split))

    def get(self, split: str, index: int) -> Sample | None:
        """Return a kept sample, the large arrays of which are read-only views of the file, or None."""
        stored = self._shelf(split).get(index)
        return None if stored is None else _restored(stored)

    def put(self, split: str, index: int, sample: Sample) -> None:
        """Keep a sample, whole or not at all; another process that was first wins."""
        self._shelf(split).put(index, _bytes(sample))


class _Place(NamedTuple):
    """Where a sample lies in the file, and the checksum of its bytes."""

    start: int
    length: int
    crc: int


class _Shelf:
    """Two files that only grow: bytes, and an index of fixed entries that say where a sample's bytes are.

    A sample is there once its entry is. A writer holds the lock; one that is killed leaves bytes without an entry, or
    part of an entry, which the next writer cuts off. Checksums tell what a crash of the machine lost.
    """

    def __init__(self, stem: Path) -> None:
        self._data, self._index, self._lock = (stem.with_suffix(each) for each in (".bin", ".index", ".lock"))
        self._places: dict[int, _Place] = {}
        self._sound: set[int] = set()  # samples whose checksum this process has seen to hold
        self._read = 0  # bytes of the index
        self._map = np.zeros(0, np.uint8)

    def get(self, index: int) -> np.ndarray | None:
        if index not in self._places:
            self._look()
        if index not in self._places:
            return None
        place = self._places[index]
        if place.start + place.length > len(self._map):
            self._map = np.memmap(self._data, np.uint8, "r")
        stored = self._map[place.start : place.start + place.length]
        if index not in self._sound:
            if zlib.crc32(stored.data) != place.crc:
                del self._places[index]
                return None
            self._sound.add(index)
        return stored

    def _look(self) -> None:
        """Read what was added to the index since."""
        if not self._index.exists() or self._index.stat().st_size < self._read + ENTRY.itemsize:
            return
        with self._index.open("rb") as file:
            file.seek(self._read)
            added = file.read()
        whole = len(added) // ENTRY.itemsize * ENTRY.itemsize
        self._read += whole
        for entry in np.frombuffer(added[:whole], ENTRY):
            if zlib.crc32(entry.tobytes()[:OWN]) == entry["own"]:
                self._places[int(entry["index"])] = _Place(*(int(entry[key]) for key in ("start", "length", "crc")))

    def put(self, index: int, content: bytes) -> None:
        self._data.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._lock):
            if self.get(index) is not None:
                return
            start = _append(self._data, content, ALIGNED)
            entry = np.array([(index, start, len(content), zlib.crc32(content), 0)], ENTRY)
            entry["own"] = zlib.crc32(entry.tobytes()[:OWN])
            _append(self._index, entry.tobytes(), ENTRY.itemsize)


def _append(path: Path, content: bytes, unit: int) -> int:
    """Add to the end of a file, from the next multiple of ``unit`` bytes on; return where."""
    with path.open("ab") as file:
        end = os.fstat(file.fileno()).st_size
        start = -(-end // unit) * unit
        file.write(bytes(start - end) + content)
    return start


def _bytes(sample: Sample) -> bytes:
    """Lay out a sample: the length of a description, the description, its arrays."""
    arrays = {"image": sample.image}
    for kind, value in sample.annotations.items():
        arrays |= {f"{kind}.{part}": array for part, array in kind_of(kind).arrays(value).items()}
    described = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
    head = json.dumps({"id": sample.id, "kinds": list(sample.annotations), "arrays": described}).encode()
    content = bytearray(len(head).to_bytes(8, "little") + head)
    for array in arrays.values():
        content += bytes(-len(content) % ALIGNED) + np.ascontiguousarray(array).tobytes()
    return bytes(content)


def _restored(stored: np.ndarray) -> Sample:
    """Take a sample out of its bytes."""
    end = 8 + int.from_bytes(stored[:8].tobytes(), "little")
    head = json.loads(stored[8:end].tobytes())
    parts: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in head["kinds"]}
    image = np.zeros(0, np.uint8)
    for name, dtype, shape in head["arrays"]:
        start = end + -end % ALIGNED
        end = start + int(np.prod(shape)) * np.dtype(dtype).itemsize
        array = np.asarray(stored[start:end]).view(dtype).reshape(shape)
        kind, _, part = name.partition(".")
        if part:
            parts[kind][part] = array
        else:
            image = array
    return Sample(head["id"], image, {kind: kind_of(kind).restore(each) for kind, each in parts.items()})


class Cached(Wrapped):
    """A dataset whose samples, with all their annotations, are read or rendered once and then kept.

    Args:
        whole: the dataset.
        cache: keeps them; of this dataset and size alone.
        size: at which they are kept, see ``tasks.data.resize.target_size``; None keeps them as they are.
    """

    def __init__(self, whole: Dataset, cache: Cache, size: int | Sequence[int] | None = None) -> None:
        super().__init__(whole)
        self._cache, self._size = cache, size

    def load(self, split: str, index: int) -> Sample:
        """Return a sample; its arrays are not to be written to."""
        kept = self._cache.get(split, index)
        if kept is not None:
            return kept
        sample = super().load(split, index)
        sample = resize_sample(sample, target_size(sample.image, self._size))
        try:
            self._cache.put(split, index, sample)
        except OSError as error:  # a full disk: the sample is there all the same
            warnings.warn(f"a sample of {self.name} could not be kept, so it is made again: {error}", stacklevel=2)
        return sample


def cache_root(home: Path) -> Path:
    """Say where samples are kept: one folder a machine and user, whatever home the runs have.

    ``DENSEDISTILL_CACHE``, else ``densedistill`` in ``XDG_CACHE_HOME`` or ``~/.cache``. Where that cannot be written,
    ``home/cache``, with a warning.
    """
    try:
        above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        root = Path(os.environ.get(ROOT) or Path(above) / "densedistill")
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home directory
        message = f"images are kept under {home / 'cache'} alone, not for other homes: {error}; set {ROOT} to a folder"
        warnings.warn(message, stacklevel=2)
        return home / "cache"
