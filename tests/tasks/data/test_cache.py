from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks.data.cache import Cache, DiskCache, MemoryCache, NoCache
from tasks.data.loader import Images
from tasks.datasets.scenes import Scenes

KINDS = frozenset({"classes", "depth", "boxes", "points", "mask"})


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_what_comes_back_is_what_was_kept(kind: str, tmp_path: Path) -> None:
    cache: Cache = MemoryCache() if kind == "memory" else DiskCache(tmp_path)
    dataset = Scenes(size=32, train=3)
    fresh, cached = (Images(dataset, "train", KINDS, cache=each) for each in (NoCache(), cache))
    assert cache.get(1) is None
    for _ in range(2):
        expected, found = fresh[1], cached[1]
        assert found.id == expected.id
        np.testing.assert_array_equal(found.image, expected.image)
        assert found.annotations.keys() == KINDS
        for name in KINDS - {"boxes"}:
            np.testing.assert_array_equal(found.annotations[name], expected.annotations[name])
        for part in ("xyxy", "labels", "difficult"):
            np.testing.assert_array_equal(
                getattr(found.annotations["boxes"], part), getattr(expected.annotations["boxes"], part)
            )
    assert cache.get(1) is not None


def test_the_disk_is_read_by_another_process_and_never_written_twice(tmp_path: Path) -> None:
    sample = Images(Scenes(size=32, train=3), "train", KINDS, cache=DiskCache(tmp_path))[0]
    DiskCache(tmp_path).put(0, sample)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0"]
    found = DiskCache(tmp_path).get(0)
    assert isinstance(found.image, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found.image[0] = 0
