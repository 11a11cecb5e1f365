"""Values that Cityscapes, VOC and ADE20K yield."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.data.partition import split_labeled
from tasks.datasets import ade20k
from tasks.datasets.ade20k import ADE20K
from tasks.datasets.cityscapes import Cityscapes
from tasks.datasets.reading.colours import voc_colours
from tasks.datasets.reading.summary import summary
from tasks.datasets.voc import CLASSES, VOC
from tasks.errors import InputError
from tests.tasks.datasets import layouts

TRAIN_IDS = {  # of the official table; all other labels are ignored
    **{
        7: 0,
        8: 1,
        11: 2,
        12: 3,
        13: 4,
        17: 5,
        19: 6,
        20: 7,
        21: 8,
        22: 9,
        23: 10,
        24: 11,
        25: 12,
        26: 13,
        27: 14,
        28: 15,
    },
    **{31: 16, 32: 17, 33: 18},
}


def stored(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_cityscapes_label_ids_become_train_ids(tmp_path: Path) -> None:
    data = Cityscapes(root=str(layouts.cityscapes(tmp_path)))
    classes = data.load("test", 0).annotations["classes"]
    raw = stored(data.entries["test"][0].annotation)
    assert set(np.unique(raw)) == set(range(34))
    for label in range(34):
        assert set(classes[raw == label]) == {TRAIN_IDS.get(label, 255)}
    assert data.info.classes[11] == "person"
    assert data.info.palette[18] == (119, 11, 32)


def test_cityscapes_ready_train_ids_are_taken_as_they_are(tmp_path: Path) -> None:
    data = Cityscapes(root=str(layouts.cityscapes(tmp_path, ready=True)))
    raw = stored(data.entries["train"][0].annotation)
    assert np.array_equal(data.load("train", 0).annotations["classes"], raw)
    layouts.grey(data.entries["train"][0].annotation, layouts.labels([0, 19]))
    with pytest.raises(InputError, match=r"expected labels 0\.\.18 or 255, found 19"):
        data.load("train", 0)


def test_cityscapes_holds_out_whole_cities_and_none_on_request(tmp_path: Path) -> None:
    root = str(layouts.cityscapes(tmp_path))
    data = Cityscapes(root=root)
    assert len({each.partition("_")[0] for each in data.ids("val")}) == 1
    whole = Cityscapes(root=root, holdout=0.0)
    assert set(whole.ids("train")) == set(data.ids("train")) | set(data.ids("val"))
    assert whole.ids("val") == whole.ids("test") == ["lindau_000000_000019", "lindau_000001_000019"]
    assert whole.verify() == []
    assert whole.manifest() != data.manifest()


def test_cityscapes_takes_a_published_list(tmp_path: Path) -> None:
    data = Cityscapes(root=str(layouts.cityscapes(tmp_path)), holdout=0.0)
    path = tmp_path / "labeled.txt"
    base = "ulm_000002_000019"
    path.write_text(f"leftImg8bit/train/ulm/{base}_leftImg8bit.png gtFine/train/ulm/{base}_gtFine_labelTrainIds.png")
    partition = split_labeled(data.ids("train"), str(path))
    assert [data.ids("train")[i] for i in partition.labeled] == [base]


def test_voc_palette_images_give_indices(tmp_path: Path) -> None:
    data = VOC(root=str(layouts.voc(tmp_path)))
    entry = data.entries["test"][0]
    with Image.open(entry.annotation) as image:
        assert image.mode == "P"
        raw = np.array(image)
        assert not np.array_equal(np.array(image.convert("L")), raw)  # what a colour-blind reader would return
    assert np.array_equal(data.load("test", 0).annotations["classes"], raw)
    assert len(CLASSES) == 21
    assert data.info.classes[15] == "person"


@pytest.mark.parametrize("more", ["aug", "sbd"])
def test_trainaug_is_train_and_sbd_without_val(tmp_path: Path, more: str) -> None:
    data = VOC(root=str(layouts.voc(tmp_path, more)), augmented=True, holdout=0.0)
    own = [f"2007_{i:06d}" for i in range(6)]
    assert data.ids("train") == [*own, *(f"2009_{i:06d}" for i in range(4))]
    assert data.ids("test") == [f"2008_{i:06d}" for i in range(3)]
    assert data.entries["train"][0].annotation.parent.name == "SegmentationClass"  # VOC's own labels are kept
    assert np.array_equal(data.load("train", 6).annotations["classes"], layouts.labels(list(range(21)), seed=50))
    assert "10 of 10582 train" in summary(data)["release"]


def test_trainaug_without_sbd_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"data.augmented=true: expected .*SegmentationClassAug or SBD's .*cls, found nei"
    ):
        VOC(root=str(layouts.voc(tmp_path)), augmented=True)


def test_sbd_faults_are_named(tmp_path: Path) -> None:
    data = VOC(root=str(layouts.voc(tmp_path, "sbd")), augmented=True, holdout=0.0)
    path = data.entries["train"][6].annotation
    layouts.mat(path, GTcls={"Segmentation": layouts.labels([0, 21])})
    with pytest.raises(InputError, match=r"2009_000000.mat: expected labels 0\.\.20, found 21"):
        data.load("train", 6)
    layouts.mat(path, GTcls={"Segmentation": layouts.labels([0], (24, 30))})
    with pytest.raises(InputError, match="expected 32x24 pixels like its image, found 30x24"):
        data.load("train", 6)
    layouts.mat(path, GTinst={"Segmentation": 1})
    with pytest.raises(InputError, match=r"expected a MATLAB file with GTcls.Segmentation, found GTinst"):
        data.load("train", 6)


def test_voc_names_images_of_two_splits(tmp_path: Path) -> None:
    root = layouts.voc(tmp_path)
    with (root / "VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt").open("a") as file:
        file.write("2008_000001")
    (fault,) = VOC(root=str(root), holdout=0.01).verify()
    assert "2008_000001.jpg: expected '2008_000001' in 'test' alone, found it in 'train' too" in fault


def test_voc_colours_are_the_official_ones() -> None:
    colours = voc_colours(21)
    assert colours[:4] == ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0))
    assert (colours[8], colours[15], colours[20]) == ((64, 0, 0), (192, 128, 128), (0, 64, 128))
    assert len(set(voc_colours(256))) == 256


def test_ade20k_shifts_labels_and_ignores_zero(tmp_path: Path) -> None:
    data = ADE20K(root=str(layouts.ade20k(tmp_path)))
    raw = stored(data.entries["test"][0].annotation).astype(int)
    assert np.array_equal(data.load("test", 0).annotations["classes"], np.where(raw == 0, 255, raw - 1))
    assert (data.info.classes[0], data.info.classes[149], len(data.info.classes)) == ("wall", "flag", 150)
    layouts.grey(data.entries["test"][0].annotation, layouts.labels([0, 151]))
    with pytest.raises(InputError, match=r"expected labels 0\.\.150, found 151"):
        data.load("test", 0)


def test_ade20k_reads_names_beside_the_data(tmp_path: Path) -> None:
    root = layouts.ade20k(tmp_path)
    path = root / "ADEChallengeData2016" / "objectInfo150.txt"
    rows = [f"{i + 1}\t0.1\t10\t2\t1\t{name}, synonym" for i, name in enumerate(["Wall", *ade20k.CLASSES[1:]])]
    path.write_text("\n".join(["Idx\tRatio\tTrain\tVal\tStuff\tName", *rows]))
    assert ADE20K(root=str(root)).info.classes[:2] == ("Wall", "building")
    path.write_text("\n".join(rows))
    with pytest.raises(InputError, match=r"objectInfo150.txt: expected a header and 150 classes, found 149 rows"):
        ADE20K(root=str(root))


def test_ade20k_names_labels_without_an_image(tmp_path: Path) -> None:
    root = layouts.ade20k(tmp_path)
    layouts.grey(root / "ADEChallengeData2016/annotations/training/more.png", layouts.labels([0]))
    (fault,) = ADE20K(root=str(root)).verify()
    assert "more.png: expected only files that images/ names, found one more" in fault
