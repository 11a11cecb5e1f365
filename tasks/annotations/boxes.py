"""Boxes: where the objects of an image are, and of which category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from tasks.annotations.kind import Geometry, Info, Kind, Moved, MovedBatch, array_fault, expected, kinds
from tasks.drawing import LEGIBLE, LINE, font

# Okabe & Ito's colours, told apart by colour-blind readers, with two lighter ones; repeated beyond ten categories.
COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (0, 114, 178),
    (178, 223, 138),
    (255, 255, 255),
    (202, 178, 214),
)
DIFFICULT = (150, 150, 150)  # boxes that count neither way


@dataclass
class Boxes:
    """Boxes of one image: ``xyxy`` float64 (K,4) in pixels, ``labels`` int64 (K,) from 0, ``difficult`` bool (K,)."""

    xyxy: np.ndarray
    labels: np.ndarray
    difficult: np.ndarray


class BoxBatch(NamedTuple):
    """Boxes of a batch on the device: as in ``Boxes``, (N,K,...), float32; ``present`` bool (N,K): which are there."""

    xyxy: Tensor
    labels: Tensor
    difficult: Tensor
    present: Tensor


@kinds.register("boxes")
class BoxKind(Kind[Boxes]):
    """A box an object, for object detection. Coordinates run from 0 to W and to H; the far sides are exclusive."""

    title = "boxes"

    def resize(self, value: Boxes, image: tuple[int, int], size: tuple[int, int]) -> Boxes:
        """Scale by the exact ratio of the sizes."""
        ratio = np.array([size[1] / image[1], size[0] / image[0]])
        return Boxes(value.xyxy * np.tile(ratio, 2), value.labels, value.difficult)

    def geometry(self, value: Boxes) -> Geometry:
        """All boxes."""
        return Geometry(boxes=value.xyxy)

    def moved(self, value: Boxes, moved: Moved) -> Boxes:
        """The boxes of which enough is still in the image."""
        return Boxes(moved.boxes, value.labels[moved.box_rows], value.difficult[moved.box_rows])

    def carried(self, value: Boxes) -> dict[str, np.ndarray]:
        """Labels and marks."""
        return {"labels": value.labels, "difficult": value.difficult}

    def moved_batch(self, moved: MovedBatch) -> BoxBatch:
        """The boxes of which enough is still in their images."""
        return BoxBatch(moved.boxes, moved.carried["labels"], moved.carried["difficult"], moved.has_box)

    def arrays(self, value: Boxes) -> dict[str, np.ndarray]:
        """Corners, labels and marks."""
        return dict(vars(value))

    def restore(self, arrays: Mapping[str, np.ndarray]) -> Boxes:
        """Copy them, so that they can be written to."""
        return Boxes(**{name: np.array(array) for name, array in arrays.items()})

    def empty(self, value: Boxes) -> Boxes:
        """No box."""
        return Boxes(value.xyxy[:0], value.labels[:0], value.difficult[:0])

    def draw(self, value: Boxes, image: np.ndarray, info: Info) -> np.ndarray:
        """The image with its boxes."""
        return draw_boxes(image, value, info.categories)

    def describe(self, values: Sequence[Boxes], info: Info) -> str:
        """How many boxes each category has."""
        labels = np.concatenate([boxes.labels for boxes in values])
        counts = np.bincount(labels, minlength=len(info.categories))
        return ", ".join(f"{name} {count}" for name, count in zip(info.categories, counts, strict=True) if count)

    def faults(self, value: Boxes, size: tuple[int, int], info: Info) -> list[str]:
        """Name boxes that are empty, leave the image or have no category."""
        count = len(value.labels)
        faults = array_fault(value.xyxy, np.float64, (count, 4))
        faults += array_fault(value.labels, np.int64, (count,)) + array_fault(value.difficult, np.bool_, (count,))
        if faults:
            return faults
        limits = np.tile(size[::-1], 2)
        sound = (value.xyxy >= 0) & (value.xyxy <= limits)
        for box in value.xyxy[~(sound.all(axis=1) & (value.xyxy[:, :2] < value.xyxy[:, 2:]).all(axis=1))]:
            corners = ", ".join(f"{side:g}" for side in box)
            faults.append(expected(f"boxes with an area, inside {size[1]}x{size[0]} pixels", f"corners {corners}"))
        strange = np.setdiff1d(value.labels, range(len(info.categories)))
        if strange.size:
            faults.append(expected(f"labels below {len(info.categories)}", ", ".join(map(str, strange[:5]))))
        return faults


def draw_boxes(
    image: np.ndarray, boxes: Boxes, names: Sequence[str], scores: Sequence[float] | np.ndarray | None = None
) -> np.ndarray:
    """Draw boxes, one colour a category, on uint8 RGB (H,W,3); grey if difficult.

    Names and scores are written where there is room.
    """
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    stroke = max(1, min(image.shape[:2]) // LINE)
    letters = font(image.shape[0])
    for index, (x0, y0, x1, y1) in enumerate(np.asarray(boxes.xyxy, float).tolist()):
        label = int(boxes.labels[index])
        difficult = bool(boxes.difficult[index])
        colour = DIFFICULT if difficult else COLOURS[label % len(COLOURS)]
        # The far edges are exclusive, a drawn line is not.
        draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=stroke)
        text = names[label] if scores is None else f"{names[label]} {scores[index]:.2f}"
        tall, wide = y1 - y0 > 2 * letters.size, x1 - x0 >= 0.8 * draw.textlength(text, letters)
        if min(image.shape[:2]) >= LEGIBLE and tall and wide and not difficult:
            draw.rectangle(draw.textbbox((x0 + stroke, y0 + stroke), text, letters), fill=colour)
            draw.text((x0 + stroke, y0 + stroke), text, (0, 0, 0), letters)
    return np.array(canvas)
