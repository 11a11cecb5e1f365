"""CamVid, Cityscapes, Pascal VOC and ADE20K."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.tasks.datasets.layouts.files import grey, labels, mat, palette, picture

SPLITS = {"train": 4, "val": 2, "test": 3}


def camvid(root: Path, counts: Mapping[str, int] = SPLITS) -> Path:
    """Write CamVid as SegNet packages it, with the dead prefix in its lists."""
    for split, count in counts.items():
        lines = []
        for number in range(count):
            name = f"{split}_{number:04d}.png"
            picture(root / split / name, seed=number)
            grey(root / f"{split}annot" / name, labels(list(range(12)), seed=number))
            lines.append(f"/SegNet/CamVid/{split}/{name} /SegNet/CamVid/{split}annot/{name}")
        (root / f"{split}.txt").write_text("\n".join(lines))
    return root


def cityscapes(root: Path, ready: bool = False) -> Path:
    """Write Cityscapes: three training cities of three images, one validation city of two."""
    cities = {"train": ("aachen", "bochum", "ulm"), "val": ("lindau",)}
    for split, names in cities.items():
        for city in names:
            for number in range(3 if split == "train" else 2):
                base = f"{city}_{number:06d}_000019"
                picture(root / "leftImg8bit" / split / city / f"{base}_leftImg8bit.png", seed=number)
                folder = root / "gtFine" / split / city
                if ready:
                    grey(folder / f"{base}_gtFine_labelTrainIds.png", labels([*range(19), 255], seed=number))
                else:
                    grey(folder / f"{base}_gtFine_labelIds.png", labels(list(range(34)), seed=number))
                    picture(folder / f"{base}_gtFine_color.png")
    return root


def voc(root: Path, more: str = "") -> Path:
    """Write VOC 2012 segmentation: 6 training and 3 validation images; ``more``: "aug" or "sbd" adds 4 of SBD."""
    folder = root / "VOCdevkit" / "VOC2012"
    names = {"train": [f"2007_{i:06d}" for i in range(6)], "val": [f"2008_{i:06d}" for i in range(3)]}
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    for split, stems in names.items():
        (folder / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(stems) + "\n")
        for number, stem in enumerate(stems):
            picture(folder / "JPEGImages" / f"{stem}.jpg", seed=number)
            palette(folder / "SegmentationClass" / f"{stem}.png", labels([*range(21), 255], seed=number))
    if more:
        extra = [f"2009_{i:06d}" for i in range(4)]
        shared = [names["train"][0], names["val"][0]]
        for number, stem in enumerate([*extra, *shared]):
            values = labels(list(range(21)), seed=50 + number)
            if more == "aug":
                picture(folder / "JPEGImages" / f"{stem}.jpg", seed=number)
                grey(folder / "SegmentationClassAug" / f"{stem}.png", values)
            else:
                sbd = root / "benchmark_RELEASE" / "dataset"
                picture(sbd / "img" / f"{stem}.jpg", seed=number)
                mat(sbd / "cls" / f"{stem}.mat", GTcls={"Segmentation": values, "CategoriesPresent": [1]})
                (sbd / "train.txt").write_text("\n".join([*extra[:3], shared[0]]))
                (sbd / "val.txt").write_text("\n".join([extra[3], shared[1]]))
    return root


def ade20k(root: Path) -> Path:
    """Write ADE20K: 8 training and 3 validation images."""
    folder = root / "ADEChallengeData2016"
    for part, short, count in (("training", "train", 8), ("validation", "val", 3)):
        for number in range(1, count + 1):
            stem = f"ADE_{short}_{number:08d}"
            picture(folder / "images" / part / f"{stem}.jpg", seed=number)
            grey(folder / "annotations" / part / f"{stem}.png", labels(list(range(151)), seed=number))
    return root
