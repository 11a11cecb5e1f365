"""COCO, Pascal VOC's boxes, and sets of one's own in its layout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.tasks.datasets.layouts.files import picture
from tests.tasks.datasets.layouts.segmentation import SPLITS

OBJECT = (
    "<object><name>{}</name>{}<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
)
Objects = list[tuple[str, tuple[float, float, float, float], bool | None]]


def coco(root: Path, counts: tuple[int, int] = (12, 4)) -> Path:
    """Write COCO 2017 with three categories whose ids have gaps; every third image is empty, each has a crowd else."""
    categories = [{"id": i, "name": name} for i, name in ((1, "person"), (13, "stop sign"), (90, "toothbrush"))]
    for split, count in zip(("train", "val"), counts, strict=True):
        images, annotations = [], []
        for number in range(1, count + 1) if split == "train" else range(101, 101 + count):
            name = f"{number:012d}.jpg"
            picture(root / f"{split}2017" / name, seed=number)
            images.append({"id": number, "file_name": name, "width": 32, "height": 24})
            if number % 3:
                for category, box, crowd in ((90, [1.5, 2, 10.25, 5], 0), (13, [20, 3, 12, 21], 1)):
                    annotation = {"id": len(annotations) + 1, "image_id": number, "category_id": category}
                    annotations.append(annotation | {"bbox": box, "iscrowd": crowd, "area": 1.0})
        content = {"images": images, "annotations": annotations, "categories": categories}
        path = root / "annotations" / f"instances_{split}2017.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return root


def xml(path: Path, objects: Objects, size: tuple[int, int] = (24, 32)) -> None:
    """Write a VOC annotation; None leaves ``difficult`` out."""
    text = "".join(
        OBJECT.format(name, "" if difficult is None else f"<difficult>{int(difficult)}</difficult>", *box)
        for name, box, difficult in objects
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    sides = f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"
    path.write_text(f"<annotation><filename>other.jpg</filename>{sides}{text}</annotation>")


def voc_year(folder: Path, lists: Mapping[str, Sequence[str]], name: str = "dog") -> None:
    """Write one folder of VOC detection, two objects an image, one of them difficult."""
    for split, stems in lists.items():
        (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(stems))
        for number, stem in enumerate(stems):
            picture(folder / "JPEGImages" / f"{stem}.jpg", seed=number)
            objects: Objects = [(name, (1, 1, 32, 24), False), ("cat", (3.5, 4, 10, 12), True)]
            xml(folder / "Annotations" / f"{stem}.xml", objects)


def voc_det(root: Path, years: Sequence[str] = ("2007", "2012")) -> Path:
    """Write VOCdevkit: 4 + 4 training images of each year, 3 test images of 2007."""
    for year in years:
        train, val = ([f"{year}_{split}{i}" for i in range(4)] for split in ("a", "b"))
        lists = {"train": train, "val": val, "trainval": [*train, *val]}
        if year == "2007":
            lists["test"] = [f"{year}_c{i}" for i in range(3)]
        voc_year(root / "VOCdevkit" / f"VOC{year}", lists)
    return root


def bccd(root: Path) -> Path:
    """Write a set of its own categories in VOC's layout, with a second column in its lists."""
    voc_year(root, {split: [f"{split}_{i}" for i in range(n)] for split, n in SPLITS.items()}, name="RBC")
    for path in (root / "ImageSets" / "Main").iterdir():
        path.write_text("\n".join(f"{line}  {1 - 2 * (i % 2)}" for i, line in enumerate(path.read_text().split())))
    return root
