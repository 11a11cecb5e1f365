"""What holds for every adapter, on a small tree in its official layout."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tasks.data
from tasks.annotations.kind import kind_of
from tasks.base import Dataset, datasets
from tasks.datasets.reading.listed import ListedDataset
from tasks.datasets.reading.summary import summary
from tasks.errors import InputError
from tasks.registry import import_modules, options
from tests.tasks.datasets import layouts

import_modules(tasks.data.__name__, tasks.data.__path__)


@dataclass
class Case:
    """One layout: who reads it, who writes it, and the number of images of each split."""

    dataset: str
    write: Callable[[Path], Path]
    counts: tuple[int, int, int]
    options: Mapping[str, Any] = field(default_factory=dict)


CASES = {
    "camvid": Case("camvid", layouts.camvid, (4, 2, 3)),
    "cityscapes": Case("cityscapes", layouts.cityscapes, (6, 3, 2)),
    "cityscapes ready": Case("cityscapes", functools.partial(layouts.cityscapes, ready=True), (6, 3, 2)),
    "cityscapes whole": Case("cityscapes", layouts.cityscapes, (9, 2, 2), {"holdout": 0.0}),
    "voc": Case("voc", layouts.voc, (5, 1, 3)),
    "voc aug": Case("voc", functools.partial(layouts.voc, more="aug"), (9, 1, 3), {"augmented": True}),
    "voc sbd": Case("voc", functools.partial(layouts.voc, more="sbd"), (9, 1, 3), {"augmented": True}),
    "ade20k": Case("ade20k", layouts.ade20k, (7, 1, 3)),
    "nyuv2": Case("nyuv2", layouts.nyuv2, (6, 3, 2)),
    "nyuv2 listed": Case("nyuv2", functools.partial(layouts.nyuv2, listed=True), (4, 2, 2)),
    "nyuv2 mat": Case("nyuv2", layouts.nyuv2_labeled, (3, 2, 3)),
    "kitti": Case("kitti", layouts.kitti, (3, 3, 1)),
    "kitti apart": Case("kitti", functools.partial(layouts.kitti, raw="raw", truth="depth"), (3, 3, 1)),
    "rgbd": Case("rgbd", layouts.rgbd, (28, 2, 6)),
    "coco": Case("coco", layouts.coco, (6, 2, 4)),
    "voc_det": Case("voc_det", layouts.voc_det, (14, 2, 3)),
    "voc_det 2012": Case("voc_det", layouts.voc_det, (3, 1, 4), {"years": "2012"}),
    "voc_det own": Case("voc_det", layouts.bccd, (4, 2, 3)),
    "shanghaitech": Case("shanghaitech", layouts.shanghaitech, (9, 2, 4)),
    "shanghaitech hyphen": Case(
        "shanghaitech",
        functools.partial(layouts.shanghaitech, part="B", folder="part_{}", truth="ground-truth"),
        (9, 2, 4),
        {"part": "B"},
    ),
    "ucf_qnrf": Case("ucf_qnrf", layouts.ucf_qnrf, (9, 1, 3)),
    "nwpu": Case("nwpu", layouts.nwpu, (9, 1, 3)),
    "nwpu mats": Case("nwpu", functools.partial(layouts.nwpu, form="mats"), (9, 1, 3)),
    "saliency": Case("saliency", layouts.duts, (10, 2, 3)),
    "saliency ecssd": Case("saliency", layouts.duts, (10, 2, 10), {"test": "ecssd"}),
    "dhf1k": Case("dhf1k", layouts.dhf1k, (4, 2, 2), {"every": 2}),
    "dhf1k whole": Case("dhf1k", layouts.dhf1k, (12, 4, 4), {"every": 1, "holdout": 0.0}),
    "avs1k": Case("avs1k", layouts.avs1k, (6, 3, 3), {"every": 1}),
    "mit1003": Case("mit1003", layouts.mit1003, (7, 1, 2)),
    "salicon": Case("salicon", layouts.salicon, (7, 1, 3)),
    "clipfolder": Case("clipfolder", layouts.clipfolder, (9, 3, 3)),
    "clipfolder points": Case("clipfolder", layouts.clipfolder, (6, 2, 2), {"points": "points", "every": 2}),
    "saliency one set": Case("saliency", layouts.duts, (7, 1, 2), {"preset": "ecssd"}),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def build(case: Case, root: Path) -> ListedDataset:
    dataset = datasets[case.dataset](root=str(root), **case.options)  # type: ignore[call-arg]
    assert isinstance(dataset, ListedDataset)
    return dataset


def check(dataset: Dataset, split: str, index: int) -> None:
    sample = dataset.load(split, index)
    assert sample.id == dataset.ids(split)[index]
    assert sample.image.dtype == np.uint8
    assert sample.image.shape in ((24, 32, 3), (24, 32, 6))
    assert sample.annotations.keys() == dataset.provides
    for name, value in sample.annotations.items():
        kind = kind_of(name)
        assert kind.faults(value, (24, 32), dataset.info) == []
        assert name == "mask" or kind.size(value) in (None, (24, 32))
    if "depth" in sample.annotations:
        assert 0 <= sample.annotations["depth"].min() < sample.annotations["depth"].max() < dataset.info.depth_cap
    if "mask" in sample.annotations:
        assert set(np.unique(sample.annotations["mask"])) == {0, 1}


def test_every_split_is_read(case: Case, tmp_path: Path) -> None:
    dataset = build(case, case.write(tmp_path / "data"))
    assert tuple(len(dataset.ids(split)) for split in ("train", "val", "test")) == case.counts
    for split in dataset.splits:
        for index in range(len(dataset.ids(split))):
            check(dataset, split, index)
    assert dataset.verify() == []


def test_training_images_are_in_no_other_split(case: Case, tmp_path: Path) -> None:
    dataset = build(case, case.write(tmp_path / "data"))
    train, val, test = (set(dataset.ids(split)) for split in ("train", "val", "test"))
    if case.options.get("holdout") == 0.0:
        assert val == test
    else:
        assert not val & test or case.options.get("test") == "ecssd"
    assert not train & val
    if case.dataset != "saliency":  # whose training and test sets may use one name for two images
        assert not train & test


def test_the_manifest_is_a_function_of_content(case: Case, tmp_path: Path) -> None:
    dataset = build(case, case.write(tmp_path / "data"))
    first = dataset.manifest()
    assert build(case, case.write(tmp_path / "elsewhere" / "deep")).manifest() == first
    entry = dataset.entries["test"][0]
    with entry.annotation.open("ab") as file:
        file.write(b" ")
    assert build(case, tmp_path / "data").manifest() != first


def test_the_summary_covers_every_split_and_annotation(case: Case, tmp_path: Path) -> None:
    dataset = build(case, case.write(tmp_path / "data"))
    lines = summary(dataset)
    for split, count in zip(("train", "val", "test"), case.counts, strict=True):
        assert lines[f"{split} images"] == str(count)
        assert {f"{split} {kind}" for kind in dataset.provides} <= lines.keys()
    assert lines.get("release", "a subset").startswith("a subset")


def test_a_missing_annotation_ends_a_run_before_it_begins(case: Case, tmp_path: Path) -> None:
    root = case.write(tmp_path / "data")
    entry = build(case, root).entries["train"][0]
    if entry.annotation.suffix in {".json", ".mat"} and case.dataset in {*ONE_FILE, "nyuv2"}:
        entry.annotation.unlink()
        with pytest.raises(InputError, match="found no"):
            build(case, root).ids("train")
        return
    entry.annotation.unlink()
    dataset = build(case, root)
    wanted = dataset.entries["train"][0].annotation.name
    for use in (lambda: dataset.ids("train"), dataset.manifest):
        with pytest.raises(InputError, match=f"{wanted}: expected the annotation of sample '{entry.id}'"):
            use()
    assert any(wanted in fault and "no such file" in fault for fault in dataset.verify())


ONE_FILE = {"coco", "salicon"}  # holds the annotations of all images, and is read at once
OF_MANY_FILES = [name for name in CASES if name != "nyuv2 mat"]


@pytest.mark.parametrize("case", [CASES[name] for name in OF_MANY_FILES], ids=OF_MANY_FILES)
def test_damaged_files_are_named(case: Case, tmp_path: Path) -> None:
    root = case.write(tmp_path / "data")
    dataset = build(case, root)
    entry = dataset.entries["train"][1]
    layouts.truncate(entry.image)
    with pytest.raises(InputError, match=f"{entry.image.name}: expected an image that can be read to its end"):
        dataset.load("train", 1)
    if case.dataset not in ONE_FILE:
        layouts.truncate(entry.annotation, 0.6)
        with pytest.raises(InputError, match=f"{entry.annotation.name}: expected"):
            dataset.annotate(entry, (24, 32))
    faults = dataset.verify()
    assert [entry.image.name in fault for fault in faults].count(True) >= 1
    assert case.dataset in ONE_FILE or sum(str(entry.annotation) in fault for fault in faults) == 1


def test_a_value_that_its_kind_does_not_allow_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = build(CASES["camvid"], layouts.camvid(tmp_path))
    monkeypatch.setattr(dataset, "annotate", lambda entry, size: {"classes": np.full(size, 42, np.uint8)})
    assert "trainannot" in dataset.verify()[0]
    assert "expected labels below 11, or 255, found 42 in 'classes'" in dataset.verify()[0]


@pytest.mark.parametrize("name", sorted({case.dataset for case in CASES.values()}))
def test_a_root_that_is_missing_is_a_clear_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data.root is not set: expected the path of a folder with"):
        datasets[name]()
    with pytest.raises(InputError, match=r"data.root=.*/absent: expected a folder with .* found no such folder"):
        datasets[name](root=str(tmp_path / "absent"))  # type: ignore[call-arg]
    with pytest.raises(InputError, match=r"expected .*found no"):
        datasets[name](root=str(tmp_path))  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["cityscapes", "shanghaitech", "ucf_qnrf"])
def test_a_share_out_of_range_is_refused(name: str, tmp_path: Path) -> None:
    root = next(case for case in CASES.values() if case.dataset == name).write(tmp_path)
    with pytest.raises(InputError, match=r"data.holdout=1.5: expected a share"):
        datasets[name](root=str(root), holdout=1.5)  # type: ignore[call-arg]


def test_the_manual_tells_every_dataset_and_only_options_that_exist() -> None:
    manual = (Path(tasks.data.__file__).parents[2] / "docs" / "datasets.md").read_text()
    for name in {case.dataset for case in CASES.values()}:
        assert f"| `{name}` |" in manual
        assert f"### {name}\n" in manual
    known = {option for cls in datasets.values() for option in options(cls)} | {"root", "labeled", "size", "cache"}
    assert set(re.findall(r"data\.(\w+)=", manual)) <= known
