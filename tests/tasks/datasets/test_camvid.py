from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.base import datasets
from tasks.datasets import camvid
from tasks.datasets.camvid import CamVid
from tasks.datasets.reading.summary import summary
from tasks.errors import InputError
from tests.tasks.datasets import layouts


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return layouts.camvid(tmp_path / "CamVid")


def test_it_is_registered_with_eleven_classes() -> None:
    assert datasets["camvid"] is CamVid
    assert CamVid.info.classes[0] == "Sky"
    assert CamVid.info.classes[10] == "Bicyclist"
    assert len(CamVid.info.palette) == 11


@pytest.mark.parametrize("above", [False, True])
def test_samples_are_read(root: Path, above: bool) -> None:
    data = CamVid(root=str(root.parent if above else root))
    assert {split: len(data.ids(split)) for split in data.splits} == layouts.SPLITS
    assert data.ids("test")[1] == "test_0001"
    sample = data.load("test", 1)
    assert sample.id == "test_0001"
    assert np.array_equal(sample.image, np.asarray(Image.open(root / "test" / "test_0001.png")))
    raw = np.asarray(Image.open(root / "testannot" / "test_0001.png"))
    assert np.array_equal(sample.annotations["classes"], np.where(raw == 11, 255, raw))
    assert data.verify() == []


def test_lists_give_the_order(root: Path) -> None:
    lines = (root / "train.txt").read_text().splitlines()
    (root / "train.txt").write_text("\n".join(lines[::-1]))
    assert CamVid(root=str(root)).ids("train") == ["train_0003", "train_0002", "train_0001", "train_0000"]


def test_summary_says_that_it_is_a_subset(root: Path) -> None:
    lines = summary(CamVid(root=str(root)))
    assert lines["release"] == "a subset: 4 of 367 train, 2 of 101 val, 3 of 233 test"
    assert lines["train images"] == "4"
    assert lines["train size"] == "32x24 (of 4 samples)"
    assert lines["train classes"].startswith("Sky ")
    assert "ignored" in lines["train classes"]


def test_the_manifest_follows_content_and_not_place(root: Path, tmp_path: Path) -> None:
    first = CamVid(root=str(root)).manifest()
    assert CamVid(root=str(layouts.camvid(tmp_path / "again"))).manifest() == first
    layouts.picture(root / "val" / "val_0000.png", (24, 33))
    assert CamVid(root=str(root)).manifest() != first


@pytest.mark.parametrize("missing", ["train", "valannot", "test.txt"])
def test_a_missing_part_is_named(root: Path, missing: str) -> None:
    (root / missing).rename(root / "elsewhere")
    with pytest.raises(InputError, match=f"data.root=.*expected a folder with train/.*found no .*{re.escape(missing)}"):
        CamVid(root=str(root))


def test_a_list_of_one_column_is_refused(root: Path) -> None:
    (root / "val.txt").write_text("/a/val_0000.png /b/val_0000.png\n/a/val_0001.png\n")
    with pytest.raises(InputError, match=r"val.txt: expected two columns, image and labels, found 1 in line 2"):
        CamVid(root=str(root))


def test_a_missing_pair_stops_a_run_before_it_begins(root: Path) -> None:
    (root / "trainannot" / "train_0002.png").unlink()
    data = CamVid(root=str(root))
    for use in (lambda: data.ids("train"), data.manifest):
        with pytest.raises(
            InputError, match=r"train_0002.png: expected the annotation of sample 'train_0002', found no"
        ):
            use()
    assert len(data.ids("val")) == 2


def test_many_missing_files_are_counted(root: Path) -> None:
    layouts.camvid(root, {"train": 9})
    for path in (root / "train").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"\.\.\. and 6 more: run `benchmark data verify`"):
        CamVid(root=str(root)).ids("train")


def test_load_names_the_fault(root: Path) -> None:
    data = CamVid(root=str(root))
    layouts.truncate(root / "train" / "train_0000.png")
    with pytest.raises(InputError, match=r"train_0000.png: expected an image that can be read to its end, found"):
        data.load("train", 0)
    layouts.grey(root / "trainannot" / "train_0001.png", layouts.labels([0, 1], (24, 31)))
    with pytest.raises(InputError, match=r"train_0001.png: expected 32x24 pixels like its image, found 31x24"):
        data.load("train", 1)
    layouts.grey(root / "trainannot" / "train_0002.png", layouts.labels([0, 12]))
    with pytest.raises(InputError, match=r"train_0002.png: expected labels 0\.\.11, found 12 \("):
        data.load("train", 2)


def test_verify_names_every_fault(root: Path) -> None:
    layouts.truncate(root / "train" / "train_0000.png")
    layouts.grey(root / "trainannot" / "train_0000.png", layouts.labels([0, 40]))
    layouts.grey(root / "trainannot" / "train_0001.png", layouts.labels([0, 1], (24, 31)))
    (root / "val" / "val_0000.png").unlink()
    layouts.picture(root / "test" / "more.png")
    layouts.picture(root / "testannot" / "test_0001.png")
    with (root / "test.txt").open("a") as lines:
        lines.write("\n/x/test_0002.png /x/test_0002.png")
    faults = CamVid(root=str(root)).verify()
    expected = [
        "expected 'test_0002' once in split 'test', found it 2 times",
        "test/more.png: expected only files that test.txt names, found one more",
        "train/train_0000.png: expected an image that can be read to its end",
        "trainannot/train_0000.png: expected labels 0..11, found 40",
        "trainannot/train_0001.png: expected 32x24 pixels like its image, found 31x24",
        "val/val_0000.png: expected an image that can be read to its end, found no such file",
        "testannot/test_0001.png: expected one channel (grey or palette PNG), found mode RGB",
    ]
    assert len(faults) == len(expected)
    for fault, text in zip(faults, expected, strict=True):
        assert text in fault


def test_a_complete_split_is_held_against_the_official_pixel_counts(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = [np.asarray(Image.open(path)) for path in (root / "valannot").iterdir()]
    counts = np.bincount(np.concatenate(maps).ravel(), minlength=12)
    monkeypatch.setattr(CamVid, "official", {"train": 367, "val": 2, "test": 233})
    monkeypatch.setitem(camvid.PIXELS, "val", " ".join(map(str, counts)))
    assert CamVid(root=str(root)).verify() == []
    counts[8] += 1
    monkeypatch.setitem(camvid.PIXELS, "val", " ".join(map(str, counts)))
    (fault,) = CamVid(root=str(root)).verify()
    assert f"valannot: expected {counts[8]} pixels of label 8 (Car), found {counts[8] - 1}" in fault


@pytest.mark.realdata
def test_the_real_subset(realdata: Callable[[str], str]) -> None:
    data = CamVid(root=realdata("camvid"))
    assert [len(data.ids(split)) for split in data.splits] == [120, 60, 60]
    sample = data.load("train", 0)
    assert sample.image.shape == (360, 480, 3)
    assert set(np.unique(sample.annotations["classes"])) <= {*range(11), 255}
    assert data.verify() == []
