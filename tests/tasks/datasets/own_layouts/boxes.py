"""Boxes: COCO's JSON, VOC's XML and YOLO's text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.base import Sample
from tests.tasks.datasets.own_layouts.files import images, picture, text


def coco(samples: Sequence[Sample], names: Sequence[str], first: int, extra: bool = False) -> dict[str, Any]:
    """COCO's JSON of samples; ids count from ``first``."""
    top = max((int(sample.annotations["boxes"].labels.max(initial=0)) for sample in samples), default=0)
    categories = [{"id": label + extra, "name": f"thing {label}"} for label in range(top + 1)]
    if extra:
        categories.insert(0, {"id": 0, "name": "things", "supercategory": "none"})
    annotations = [
        {"image_id": number, "bbox": [x0, y0, x1 - x0, y1 - y0], "category_id": int(label) + extra, "iscrowd": 0}
        for number, sample in enumerate(samples)
        for (x0, y0, x1, y1), label in zip(
            sample.annotations["boxes"].xyxy.tolist(), sample.annotations["boxes"].labels, strict=True
        )
    ]
    for number, each in enumerate(annotations):
        each["id"] = first + number
    listed = [
        {"id": number, "file_name": name, "height": sample.image.shape[0], "width": sample.image.shape[1]}
        for number, (name, sample) in enumerate(zip(names, samples, strict=True))
    ]
    return {"images": listed, "annotations": annotations, "categories": categories}


def roboflow(root: Path, samples: Sequence[Sample]) -> None:
    """Roboflow's export: a folder a split, images and JSON in it, ids from 0, a category that is none."""
    size = max(1, len(samples) // 4)
    for split, part in (
        ("train", samples[: -2 * size]),
        ("valid", samples[-2 * size : -size]),
        ("test", samples[-size:]),
    ):
        names = [f"{split}_{number}_png.rf.{number:08x}.png" for number in range(len(part))]
        for name, sample in zip(names, part, strict=True):
            picture(root / split / name, sample.image)
        content = coco(part, names, 0, extra=True)
        content["categories"] = coco(samples, names and [""] * len(samples), 0, extra=True)["categories"]
        text(root / split / "_annotations.coco.json", json.dumps(content))


def coco_single(root: Path, samples: Sequence[Sample]) -> None:
    """One JSON, images in folders below another."""
    names = [path.name for path in images(root / "deep" / "photos", samples)]
    text(root / "all.json", json.dumps(coco(samples, names, 1)))


def voc_elsewhere(root: Path, samples: Sequence[Sample]) -> None:
    """VOC's XML with folder names of one's own and no lists."""
    images(root / "pictures", samples, "Bild_{}.png")
    for number, sample in enumerate(samples):
        objects = "".join(
            f"<object><name>thing {label}</name><bndbox><xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin>"
            f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
            for (x0, y0, x1, y1), label in zip(
                sample.annotations["boxes"].xyxy.tolist(), sample.annotations["boxes"].labels, strict=True
            )
        )
        height, width = sample.image.shape[:2]
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        text(root / "xmls" / f"Bild_{number}.xml", f"<annotation>{size}{objects}</annotation>")


def yolo(root: Path, samples: Sequence[Sample]) -> None:
    """YOLO's folders and data.yaml."""
    for number, sample in enumerate(samples):
        split = ("train", "train", "train", "valid", "test")[number % 5]
        picture(root / split / "images" / f"{number:03d}.png", sample.image)
        height, width = sample.image.shape[:2]
        boxes = sample.annotations["boxes"]
        lines = [
            f"{label} {(x0 + x1) / 2 / width} {(y0 + y1) / 2 / height} {(x1 - x0) / width} {(y1 - y0) / height}"
            for (x0, y0, x1, y1), label in zip(boxes.xyxy.tolist(), boxes.labels, strict=True)
        ]
        text(root / split / "labels" / f"{number:03d}.txt", "\n".join(lines))
    top = max(int(sample.annotations["boxes"].labels.max(initial=0)) for sample in samples)
    names = "".join(f"  {label}: thing {label}\n" for label in range(top + 1))
    text(root / "data.yaml", f"train: ../train/images\nval: ../valid/images\nnames:\n{names}")
