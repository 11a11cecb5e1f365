"""A sample is made once a machine, whoever asks, and never comes back as another."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.training.device import build_fabric
from benchmark.training.problem import Problem
from benchmark.training.randomness import Randomness
from tasks.annotations.kind import kind_of
from tasks.base import Dataset, Sample
from tasks.data import cache as caches
from tasks.data.cache import ENTRY, Cache, Cached, DiskCache, MemoryCache, cache_root
from tasks.datasets import clips, scenes
from tasks.datasets.scenes import Scenes
from tests.support import tiny_config

SMALL = {"size": 32, "train": 3, "val": 1, "test": 1}


def assert_same(found: Sample, expected: Sample) -> None:
    assert found.id == expected.id
    np.testing.assert_array_equal(found.image, expected.image)
    assert found.annotations.keys() == expected.annotations.keys()
    for kind, value in expected.annotations.items():
        kept, made = (kind_of(kind).arrays(each) for each in (found.annotations[kind], value))
        assert kept.keys() == made.keys()
        for part, array in made.items():
            assert kept[part].dtype == array.dtype
            np.testing.assert_array_equal(kept[part], array)


class Counted(Scenes):
    """Scenes that count how often they were rendered."""

    rendered = 0

    def load(self, split: str, index: int) -> Sample:
        self.rendered += 1
        return super().load(split, index)


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_what_comes_back_is_what_was_kept(kind: str, tmp_path: Path) -> None:
    cache: Cache = MemoryCache() if kind == "memory" else DiskCache(tmp_path)
    counted, fresh = Counted(**SMALL), Scenes(**SMALL)
    cached = Cached(counted, cache)
    assert cached.provides == Scenes.provides
    for _ in range(2):
        for split, index in (("train", 2), ("train", 0), ("test", 0)):
            assert_same(cached.load(split, index), fresh.load(split, index))
    assert counted.rendered == 3
    if kind == "disk":
        assert_same(DiskCache(tmp_path).get("train", 2), fresh.load("train", 2))
        with pytest.raises(ValueError, match="read-only"):
            cached.load("train", 2).image[0] = 0


def test_samples_are_kept_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    cached = Cached(Scenes(**SMALL), DiskCache(tmp_path), [16, 24])
    for _ in range(2):
        assert cached.load("train", 0).image.shape == (16, 24, 3)
        assert cached.load("train", 0).annotations["depth"].shape == (16, 24)


def test_an_image_of_several_frames_is_kept(tmp_path: Path) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (20, 30, 9), np.uint8)
    DiskCache(tmp_path).put("train", 0, Sample("clip", clip, {}))
    assert_same(DiskCache(tmp_path).get("train", 0), Sample("clip", clip, {}))


def the_files(folder: Path) -> tuple[Path, Path]:
    split = DiskCache(folder).folder / "train"
    return split.with_suffix(".bin"), split.with_suffix(".index")


def test_a_writer_that_was_killed_leaves_nothing_wrong(tmp_path: Path) -> None:
    """It leaves bytes without an entry, and part of an entry."""
    dataset = Scenes(**SMALL)
    DiskCache(tmp_path).put("train", 0, dataset.load("train", 0))
    data, index = the_files(tmp_path)
    data.write_bytes(data.read_bytes() + b"half a sample")
    index.write_bytes(index.read_bytes() + index.read_bytes()[: ENTRY.itemsize // 2])
    cache = DiskCache(tmp_path)
    assert cache.get("train", 1) is None
    cache.put("train", 1, dataset.load("train", 1))
    for reader in (cache, DiskCache(tmp_path)):
        assert_same(reader.get("train", 0), dataset.load("train", 0))
        assert_same(reader.get("train", 1), dataset.load("train", 1))


def test_what_a_crash_lost_is_made_again(tmp_path: Path) -> None:
    dataset = Scenes(**SMALL)
    DiskCache(tmp_path).put("train", 0, dataset.load("train", 0))
    data, _ = the_files(tmp_path)
    data.write_bytes(bytes(data.stat().st_size))
    counted = Counted(**SMALL)
    for _ in range(2):
        assert_same(Cached(counted, DiskCache(tmp_path)).load("train", 0), dataset.load("train", 0))
    assert counted.rendered == 1


def write_all(folder: Path) -> int:
    """Load every sample through a cache; return how many were rendered."""
    counted = Counted(size=32, train=12)
    cached = Cached(counted, DiskCache(folder))
    for index in range(12):
        cached.load("train", index)
    return counted.rendered


def test_processes_that_write_together_and_one_that_comes_later(tmp_path: Path) -> None:
    forked = multiprocessing.get_context("fork")  # which imports nothing again
    counts = forked.SimpleQueue()
    started = [forked.Process(target=lambda: counts.put(write_all(tmp_path))) for _ in range(2)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0]
    rendered = [counts.get() for _ in started]
    assert all(12 >= count >= 0 for count in rendered)
    assert sum(rendered) >= 12
    counted = Counted(size=32, train=12)
    cached, fresh = Cached(counted, DiskCache(tmp_path)), Scenes(size=32, train=12)
    for index in range(12):
        assert_same(cached.load("train", index), fresh.load("train", index))
    assert counted.rendered == 0
    _, index = the_files(tmp_path)
    assert index.stat().st_size == 12 * ENTRY.itemsize, "no sample is there twice"


@pytest.mark.parametrize("task", ["seg", "attention"])
def test_another_home_renders_nothing_again(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for training nor for scores; six tasks share what a scene shows."""
    monkeypatch.setenv(caches.ROOT, str(tmp_path / "kept"))
    rendered = []

    def counting(render: Callable) -> Callable:
        return lambda *arguments: rendered.append(arguments) or render(*arguments)

    for module in (scenes, clips):
        monkeypatch.setattr(module, "render", counting(module.render))
    for number, words in enumerate(([f"task={task}"], [f"task={task}"], ["task=depth"] if task == "seg" else [])):
        before = len(rendered)
        config = tiny_config(tmp_path / f"runs{number}", *(words or [f"task={task}"]))
        problem = Problem(config, build_fabric("cpu", "32"))
        list(problem.batches(config.recipe, Randomness(0), 0, unlabeled=True))
        network = problem.build_network(config.student, Randomness(0))
        problem.evaluate(network, "test")
        assert (len(rendered) == before) == (number > 0)


def test_options_that_change_samples_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caches.ROOT, str(tmp_path))
    for size in (32, 48):
        problem = Problem(tiny_config(tmp_path / "runs", "task=seg", f"data.size={size}"), build_fabric("cpu", "32"))
        assert problem.first_size == (size, size)
    assert len(list(tmp_path.glob("scenes-*"))) == 2


def test_where_samples_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caches.ROOT, str(tmp_path / "own"))
    assert cache_root(tmp_path / "runs") == tmp_path / "own"
    monkeypatch.delenv(caches.ROOT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root(tmp_path / "runs") == tmp_path / "xdg" / "densedistill"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root(tmp_path / "runs") == tmp_path / ".cache" / "densedistill"
    (tmp_path / "file").touch()
    monkeypatch.setenv(caches.ROOT, str(tmp_path / "file" / "below"))
    with pytest.warns(UserWarning, match=r"set DENSEDISTILL_CACHE to a folder"):
        assert cache_root(tmp_path / "runs") == tmp_path / "runs" / "cache"


def test_a_full_disk_is_told_and_harms_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    cache = DiskCache(tmp_path)
    monkeypatch.setattr(cache, "put", full)
    dataset: Dataset = Cached(Scenes(**SMALL), cache)
    with pytest.warns(UserWarning, match="a sample of scenes could not be kept"):
        assert_same(dataset.load("train", 0), Scenes(**SMALL).load("train", 0))
