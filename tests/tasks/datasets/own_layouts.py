"""Writers of sets as people have them: the same samples in one layout after another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from scipy.io import savemat

from tasks.base import IGNORE, Sample

SCALE, TUM, KITTI = 1000.0, 5000.0, 256.0  # stored values of a metre


def picture(path: Path, array: np.ndarray) -> Path:
    """Write an array as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def text(path: Path, content: str) -> Path:
    """Write a text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def images(folder: Path, samples: Sequence[Sample], name: str = "{:03d}.png") -> list[Path]:
    """Write the images of samples, numbered."""
    return [picture(folder / name.format(number), sample.image) for number, sample in enumerate(samples)]


def label_masks(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "pics", samples)
    for number, sample in enumerate(samples):
        picture(root / "labels" / f"{number:03d}.png", sample.annotations["classes"])


def palette_masks(root: Path, samples: Sequence[Sample]) -> None:
    """One list of names, folders for splits."""
    for number, sample in enumerate(samples):
        split = ("train", "train", "train", "val", "test")[number % 5]
        picture(root / "images" / split / f"{number:03d}.jpg", sample.image)
        mask = Image.fromarray(sample.annotations["classes"])
        mask.putpalette([(37 * i + 11 * c) % 256 for i in range(256) for c in range(3)])
        path = root / "masks" / split / f"{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        mask.save(path)
    top = max(int(each.annotations["classes"][each.annotations["classes"] < IGNORE].max()) for each in samples)
    text(root / "classes.txt", "\n".join(f"thing {label}" for label in range(top + 1)))


def colour_of(label: int) -> tuple[int, int, int]:
    return 5 * label % 256, (255 - 3 * label) % 256, 17 * label % 256


def colour_masks(root: Path, samples: Sequence[Sample]) -> None:
    """Colours with a table of them."""
    images(root / "photos", samples)
    labels = sorted({int(value) for sample in samples for value in np.unique(sample.annotations["classes"])})
    table = np.array([colour_of(label) for label in range(256)], np.uint8)
    for number, sample in enumerate(samples):
        picture(root / "coloured" / f"{number:03d}_color.png", table[sample.annotations["classes"]])
    rows = [f"thing {label},{','.join(map(str, colour_of(label)))}" for label in labels]
    text(root / "class_dict.csv", "\n".join(["name,r,g,b", *rows]))


def binary_masks(root: Path, samples: Sequence[Sample]) -> None:
    """Images and masks in one folder."""
    images(root, samples, "cat_{}.jpg")
    for number, sample in enumerate(samples):
        picture(root / f"cat_{number}_mask.png", 255 * (sample.annotations["mask"] == 1).astype(np.uint8))


def soft_masks(root: Path, samples: Sequence[Sample]) -> None:
    """Continuous maps, above 128 where the object is."""
    images(root / "image", samples)
    for number, sample in enumerate(samples):
        ramp = np.linspace(0, 90, sample.annotations["mask"].size).reshape(sample.annotations["mask"].shape)
        grey = (ramp + 150 * (sample.annotations["mask"] == 1)).astype(np.uint8)
        picture(root / "saliency_maps" / f"{number:03d}.png", grey)


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


def point_csv(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples, "IMG_{}.jpg")
    for number, sample in enumerate(samples):
        rows = [f"{x},{y}" for x, y in sample.annotations["points"].tolist()]
        text(root / "csv" / f"IMG_{number}.csv", "\n".join(["x,y", *rows]))


def point_table(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    rows = ["filename,label,x,y"]
    for number, sample in enumerate(samples):
        points = sample.annotations["points"].tolist()
        rows += [f"{number:03d}.png,head,{x},{y}" for x, y in points] or [f"{number:03d}.png,,,"]
    text(root / "points.csv", "\n".join(rows))


def point_json(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    for number, sample in enumerate(samples):
        text(root / "json" / f"{number:03d}.json", json.dumps({"points": sample.annotations["points"].tolist()}))


def point_json_table(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    table = {
        f"{number:03d}.png": [{"x": x, "y": y} for x, y in sample.annotations["points"].tolist()]
        for number, sample in enumerate(samples)
    }
    text(root / "heads.json", json.dumps(table))


def point_mat(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples, "img_{:04d}.jpg")
    (root / "ann").mkdir()
    for number, sample in enumerate(samples):
        savemat(root / "ann" / f"img_{number:04d}_ann.mat", {"annPoints": sample.annotations["points"]})


def point_xml(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "imgs", samples)
    for number, sample in enumerate(samples):
        points = "".join(
            f"<object><name>head</name><point><x>{x}</x><y>{y}</y></point></object>"
            for x, y in sample.annotations["points"].tolist()
        )
        size = f"<size><width>{sample.image.shape[1]}</width><height>{sample.image.shape[0]}</height></size>"
        text(root / "xml" / f"{number:03d}.xml", f"<annotation>{size}{points}</annotation>")


def apart(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Keep points that lie three pixels apart, as the centres of their pixels."""
    kept: list[np.ndarray] = []
    for point in np.floor(np.minimum(points, np.array(size[::-1]) - 2)) + 0.5:
        if all(np.abs(point - other).max() > 3 for other in kept):
            kept.append(np.maximum(point, 1.5))
    return np.array(kept, np.float32).reshape(-1, 2)


def dots(root: Path, samples: Sequence[Sample]) -> None:
    """Red dots of a pixel or of three by three, named as the cells of VGG are."""
    for number, sample in enumerate(samples):
        picture(root / f"{number:03d}cell.png", sample.image)
        canvas = np.zeros_like(sample.image)
        for x, y in apart(sample.annotations["points"], sample.image.shape[:2]).astype(int).tolist():
            reach = number % 2
            canvas[y - reach : y + reach + 1, x - reach : x + reach + 1, 0] = 255
        picture(root / f"{number:03d}dots.png", canvas)


def stored(sample: Sample, scale: float = SCALE) -> np.ndarray:
    """Depth as 16 bits, 0 where it is beyond them."""
    values = np.round(sample.annotations["depth"] * scale)
    return np.where(values < 65535, values, 0).astype(np.uint16)


def depth_pictures(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "rgb", samples, "rgb_{:05d}.png")
    for number, sample in enumerate(samples):
        picture(root / "depth" / f"depth_{number:05d}.png", stored(sample))


def depth_arrays(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "rgb", samples)
    (root / "depth").mkdir()
    for number, sample in enumerate(samples):
        np.save(root / "depth" / f"{number:03d}.npy", sample.annotations["depth"])


def depth_exr(root: Path, samples: Sequence[Sample]) -> None:
    """OpenEXR of floats, as renderers write them."""
    images(root / "rgb", samples)
    (root / "depth").mkdir()
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    for number, sample in enumerate(samples):
        assert cv2.imwrite(str(root / "depth" / f"{number:03d}.exr"), sample.annotations["depth"].astype(np.float32))


def tum(root: Path, samples: Sequence[Sample]) -> None:
    """TUM's sequence: timestamps that differ, and a list of pairs."""
    lines = []
    for number, sample in enumerate(samples):
        colour, depth = f"rgb/{100 + number / 10:.4f}.png", f"depth/{100.013 + number / 10:.4f}.png"
        picture(root / colour, sample.image)
        picture(root / depth, stored(sample, TUM))
        lines.append(f"{100 + number / 10:.4f} {colour} {100.013 + number / 10:.4f} {depth}")
    text(root / "associations.txt", "\n".join(lines))


def kitti(root: Path, samples: Sequence[Sample]) -> None:
    """KITTI's folders without lists: frames of one name in each drive, two cameras, one of them without depth."""
    for number, sample in enumerate(samples):
        drive, frame = f"2011_09_26_drive_{number % 3:04d}_sync", f"{number:010d}.png"
        for camera in ("image_00", "image_02"):
            picture(root / "2011_09_26" / drive / camera / "data" / frame, sample.image)
        picture(root / "train" / drive / "proj_depth" / "groundtruth" / "image_02" / frame, stored(sample, KITTI))


def densities(root: Path, samples: Sequence[Sample]) -> None:
    images(root / "stimuli", samples)
    for number, sample in enumerate(samples):
        picture(root / "maps" / f"{number:03d}.png", density_of(sample))


def density_of(sample: Sample) -> np.ndarray:
    height, width = sample.image.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    spread = np.exp(-((rows - height / 3) ** 2 + (columns - width / 2) ** 2) / (2 * (height / 6) ** 2))
    return np.round(255 * spread).astype(np.uint8)


def salicon(root: Path, samples: Sequence[Sample]) -> None:
    names = [path.name for path in images(root / "pictures", samples)]
    listed = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    looks = [
        {"id": number, "image_id": number, "fixations": [[3, 5], [10, 20 + number % 5]]} for number in range(len(names))
    ]
    text(root / "fixations.json", json.dumps({"images": listed, "annotations": looks}))


@dataclass(frozen=True)
class Layout:
    """A writer, the kind of annotation that it writes, and the options with which it is read."""

    write: Callable[[Path, Sequence[Sample]], None]
    kind: str
    format: str
    task: str
    options: Mapping[str, Any] = field(default_factory=dict)


LAYOUTS = {
    "label masks": Layout(label_masks, "classes", "labels", "seg"),
    "palette masks": Layout(palette_masks, "classes", "labels", "seg"),
    "colour masks": Layout(colour_masks, "classes", "colours", "seg"),
    "binary masks": Layout(binary_masks, "mask", "binary", "saliency"),
    "soft masks": Layout(soft_masks, "mask", "grey", "saliency", {"threshold": 128}),
    "roboflow": Layout(roboflow, "boxes", "coco", "det"),
    "coco, one file": Layout(coco_single, "boxes", "coco", "det"),
    "voc elsewhere": Layout(voc_elsewhere, "boxes", "voc", "det"),
    "yolo": Layout(yolo, "boxes", "yolo", "det"),
    "points csv": Layout(point_csv, "points", "csv", "count"),
    "points table": Layout(point_table, "points", "csv_table", "count"),
    "points json": Layout(point_json, "points", "json", "count"),
    "points json table": Layout(point_json_table, "points", "json_table", "count"),
    "points mat": Layout(point_mat, "points", "mat", "count"),
    "points xml": Layout(point_xml, "points", "voc", "count"),
    "dots": Layout(dots, "points", "dots", "count"),
    "depth pictures": Layout(depth_pictures, "depth", "depth", "depth", {"scale": SCALE}),
    "depth arrays": Layout(depth_arrays, "depth", "depth_array", "depth", {"scale": 1.0}),
    "depth exr": Layout(depth_exr, "depth", "depth_array", "depth", {"scale": 1.0}),
    "tum": Layout(tum, "depth", "depth", "depth", {"scale": TUM}),
    "kitti": Layout(kitti, "depth", "depth", "depth", {"scale": KITTI, "missing": "skip", "group": r"drive_\d+"}),
    "densities": Layout(densities, "fixations", "grey", "attention"),
    "salicon": Layout(salicon, "fixations", "looks", "attention"),
}
