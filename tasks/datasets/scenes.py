"""The embedded dataset: rendered scenes with exact annotations for every task, in need of no download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tasks.base import Boxes, Dataset, Info, Sample, datasets
from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering.layout import draw_scene
from tasks.datasets.rendering.render import Rendering, render
from tasks.errors import InputError, nearest

VERSION = 5  # of the renderer: raised by every change that alters a sample
SMALLEST = 32  # pixels; people could not be told from noise on smaller images
PALETTE = (
    (135, 190, 235),
    (196, 178, 140),
    (120, 110, 104),
    (38, 96, 164),
    (214, 69, 65),
    (245, 158, 66),
    (142, 84, 190),
    (240, 214, 78),
    (64, 190, 190),
    (62, 142, 72),
    (40, 40, 48),
    (240, 120, 180),
)
COUNTABLE = (s.BOX, s.PYRAMID, s.CYLINDER, s.CONE, s.SPHERE, s.TREE)
ENOUGH = 0.0025  # of the image's area and
UNHIDDEN = 0.25  # of the object's own area must be visible, or its box is marked difficult,
TRACE = 0.0005  # and of the image's area, or it has no box


@datasets.register("scenes")
class Scenes(Dataset):
    """Rendered solids, trees and crowds on a ground plane; see ``tasks.datasets.rendering``.

    A sample depends on ``(split, index, size)`` and the renderer's version alone, and its geometry not on ``size``.

    - ``classes``: the surface at the centre of each pixel.
    - ``depth``: metres along the optical axis, exact; 0 in the sky. The ground reaches to the horizon, so distances
      beyond ``info.depth_cap`` occur.
    - ``boxes``: tight around the visible pixels of solids and trees. An object that shows less than ENOUGH of the image
      or UNHIDDEN of itself is difficult, one that shows less than TRACE of the image has no box.
    - ``points``: the middle of each head that shows: the pixel there belongs to that person.
    - ``mask``: the conspicuous object, whose colour is stronger and brighter than that of any other.

    Args:
        size: height and width in pixels.
        train: number of training images.
        val: number of validation images.
        test: number of test images.

    Raises:
        InputError: a size below SMALLEST, or a split without images.
    """

    title: ClassVar[str] = "Rendered scenes"
    license: ClassVar[str] = "Apache-2.0"
    slow: ClassVar[bool] = True
    uniform: ClassVar[bool] = True
    provides: ClassVar[frozenset[str]] = frozenset({"classes", "depth", "boxes", "points", "mask"})
    info = Info(
        classes=s.CLASSES,
        palette=PALETTE,
        categories=tuple(s.CLASSES[label] for label in COUNTABLE),
        category_ids=COUNTABLE,
        depth_cap=20.0,
    )

    def __init__(self, *, size: int = 96, train: int = 768, val: int = 64, test: int = 192) -> None:
        if size < SMALLEST:
            raise InputError(f"scenes: size is {size}, expected at least {SMALLEST} pixels; set data.size")
        self.size = size
        self.lengths = {"train": train, "val": val, "test": test}
        for split, length in self.lengths.items():
            if length < 1:
                raise InputError(f"scenes: {split} is {length}, expected at least one image; set data.{split}")

    def ids(self, split: str) -> Sequence[str]:
        """List the ids of a split, ``train-00000`` onwards."""
        return [f"{split}-{index:05d}" for index in range(self._length(split))]

    def load(self, split: str, index: int) -> Sample:
        """Render one sample."""
        if not 0 <= index < self._length(split):
            raise IndexError(f"scenes: no sample {index} in {split}, which has {self._length(split)}")
        key = (VERSION, self.splits.index(split), index)
        scene = draw_scene(np.random.default_rng(key))
        rendering = render(scene, self.size, np.random.default_rng((*key, self.size)))
        return Sample(f"{split}-{index:05d}", rendering.image, annotate(scene, rendering))

    def manifest(self) -> str:
        """Hash the renderer's version and the options."""
        return hashlib.sha256(f"scenes {VERSION} {self.size} {sorted(self.lengths.items())}".encode()).hexdigest()

    def verify(self) -> list[str]:
        """Render every sample and name those whose annotations contradict each other."""
        return [
            f"scenes: {split} sample {index}: {fault}"
            for split in self.splits
            for index in range(self.lengths[split])
            for fault in contradictions(self.load(split, index))
        ]

    def _length(self, split: str) -> int:
        if split not in self.lengths:
            raise InputError(f"scenes: unknown split '{split}'{nearest(split, self.lengths)}")
        return self.lengths[split]


def annotate(scene: s.Scene, rendering: Rendering) -> dict[str, Any]:
    """Derive the annotations from what each pixel shows."""
    return {
        "classes": rendering.classes,
        "depth": rendering.depth,
        "boxes": _boxes(scene, rendering),
        "points": _points(scene, rendering),
        "mask": (rendering.owner == 1 + scene.salient).astype(np.uint8),
    }


def _boxes(scene: s.Scene, rendering: Rendering) -> Boxes:
    """Enclose the visible pixels of each object."""
    xyxy, labels, difficult = [], [], []
    for index, thing in enumerate(scene.things):
        if thing.label not in COUNTABLE:
            continue
        seen = rendering.owner == 1 + index
        area = np.count_nonzero(seen)
        if area < max(1, TRACE * seen.size):
            continue
        columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
        xyxy.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        labels.append(COUNTABLE.index(thing.label))
        difficult.append(area < ENOUGH * seen.size or area < UNHIDDEN * rendering.extent[1 + index])
    return Boxes(
        np.array(xyxy, np.float64).reshape(-1, 4), np.array(labels, np.int64), np.array(difficult, bool).reshape(-1)
    )


def _points(scene: s.Scene, rendering: Rendering) -> np.ndarray:
    """Keep the heads that are inside the image and not covered."""
    size = len(rendering.owner)
    inside = np.all((rendering.heads >= 0) & (rendering.heads < size), axis=1)
    column, row = np.where(inside[:, None], rendering.heads, 0).astype(int).T
    person = 1 + len(scene.things) + np.arange(len(scene.people))
    return rendering.heads[inside & (rendering.owner[row, column] == person)].astype(np.float32)


def contradictions(sample: Sample) -> list[str]:
    """Return where a sample breaks the laws that hold between its annotations, one line each."""
    of, faults = sample.annotations, []
    size = sample.image.shape[:2]
    if of["classes"].max() >= len(s.CLASSES):
        faults.append(f"class {of['classes'].max()}, expected at most {len(s.CLASSES) - 1}")
    if not np.array_equal(of["depth"] > 0, of["classes"] != s.SKY) or not np.isfinite(of["depth"]).all():
        faults.append("depth is not positive and finite exactly where there is no sky")
    if not of["mask"].any():
        faults.append("no conspicuous object")
    x0, y0, x1, y1 = of["boxes"].xyxy.T
    if (x0 >= x1).any() or (y0 >= y1).any() or (x0 < 0).any() or (y0 < 0).any() or max([*x1, *y1, 0]) > size[0]:
        faults.append("a box is empty or leaves the image")
    columns, rows = of["points"].astype(int).T
    if (of["points"] < 0).any() or (of["points"] >= size[0]).any():
        faults.append("a head lies outside the image")
    elif (of["classes"][rows, columns] != s.PERSON).any():
        faults.append("a head does not lie on a person")
    return faults
