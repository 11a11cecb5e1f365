from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks.annotations.kind import kind_of
from tasks.base import Sample
from tasks.data.cache import Cache, DiskCache, MemoryCache, NoCache
from tasks.data.loader import Images
from tasks.datasets.scenes import Scenes

KINDS = Scenes.provides


def same(kind: str, a: object, b: object) -> bool:
    kept, expected = (kind_of(kind).arrays(value) for value in (a, b))
    return kept.keys() == expected.keys() and all(np.array_equal(kept[part], expected[part]) for part in kept)


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
        for name in KINDS:
            assert same(name, found.annotations[name], expected.annotations[name])
    assert cache.get(1) is not None


def test_the_disk_is_read_by_another_process_and_never_written_twice(tmp_path: Path) -> None:
    sample = Images(Scenes(size=32, train=3), "train", KINDS, cache=DiskCache(tmp_path))[0]
    DiskCache(tmp_path).put(0, sample)
    assert [path.name for path in DiskCache(tmp_path).folder.iterdir()] == ["0"]
    found = DiskCache(tmp_path).get(0)
    assert isinstance(found.image, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found.image[0] = 0


def test_an_image_of_several_frames_is_kept(tmp_path: Path) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (20, 30, 9), np.uint8)
    DiskCache(tmp_path).put(0, Sample("clip", clip, {}))
    found = DiskCache(tmp_path).get(0)
    assert found is not None
    np.testing.assert_array_equal(found.image, clip)
