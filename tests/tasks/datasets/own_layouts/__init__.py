"""Writers of sets as people have them: the same samples in one layout after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.base import Sample
from tests.tasks.datasets.own_layouts.boxes import coco_single, roboflow, voc_elsewhere, yolo
from tests.tasks.datasets.own_layouts.depth import (
    KITTI,
    SCALE,
    TUM,
    depth_arrays,
    depth_exr,
    depth_pictures,
    kitti,
    tum,
)
from tests.tasks.datasets.own_layouts.files import picture, text
from tests.tasks.datasets.own_layouts.looks import densities, density_of, salicon
from tests.tasks.datasets.own_layouts.masks import binary_masks, colour_masks, label_masks, palette_masks, soft_masks
from tests.tasks.datasets.own_layouts.points import (
    apart,
    dots,
    point_csv,
    point_json,
    point_json_table,
    point_mat,
    point_table,
    point_xml,
)

__all__ = ["LAYOUTS", "Layout", "apart", "density_of", "depth_exr", "picture", "text"]


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
