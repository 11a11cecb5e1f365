"""A contact sheet: the first samples of a dataset with all that is known of them, side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.base import Dataset, Info, Sample
from tasks.data.drawing import draw_boxes, draw_classes, draw_depth, draw_mask, draw_points
from tasks.data.resize import resize_sample

TILE = 208  # pixels: the longer side of every picture
GAP = 8
TITLE = 26
PAPER, INK = (250, 250, 248), (40, 40, 44)

Draw = Callable[[Sample, Info], np.ndarray]
COLUMNS: dict[str, tuple[str, Draw]] = {  # kind of annotation -> title, picture
    "image": ("image", lambda sample, info: sample.image),
    "classes": ("classes", lambda sample, info: draw_classes(sample.annotations["classes"], info.palette)),
    "depth": ("depth", lambda sample, info: draw_depth(sample.annotations["depth"], info.depth_cap)),
    "boxes": ("boxes", lambda sample, info: draw_boxes(sample.image, sample.annotations["boxes"], info.categories)),
    "points": ("points", lambda sample, info: draw_points(sample.image, sample.annotations["points"])),
    "mask": ("saliency", lambda sample, info: draw_mask(sample.image, sample.annotations["mask"])),
}


def contact_sheet(dataset: Dataset, split: str = "train", rows: int = 6) -> Image.Image:
    """Draw the first ``rows`` samples of a split, one a row, one column for the image and each kind that it has.

    Raises InputError as the dataset does.
    """
    kinds = ["image", *[kind for kind in COLUMNS if kind in dataset.provides]]
    pictures = [
        [Image.fromarray(COLUMNS[kind][1](sample, dataset.info)) for kind in kinds]
        for sample in (_enlarged(dataset.load(split, index)) for index in range(min(rows, len(dataset.ids(split)))))
    ]
    heights = [max(picture.height for picture in line) for line in pictures]
    sheet = Image.new("RGB", (len(kinds) * (TILE + GAP) + GAP, TITLE + GAP + sum(heights) + GAP * len(heights)), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    for column, kind in enumerate(kinds):
        left, top = GAP + column * (TILE + GAP), TITLE + GAP
        draw.text((left + TILE // 2, top // 2), COLUMNS[kind][0], INK, font, "mm")
        for line, height in zip(pictures, heights, strict=True):
            picture = line[column]
            sheet.paste(picture, (left + (TILE - picture.width) // 2, top + (height - picture.height) // 2))
            top += height + GAP
    return sheet


def _enlarged(sample: Sample) -> Sample:
    """Bring the longer side to TILE pixels before anything is drawn, so that lines and words are as thin everywhere."""
    height, width = sample.image.shape[:2]
    ratio = TILE / max(height, width)
    return resize_sample(sample, (max(1, round(height * ratio)), max(1, round(width * ratio))))
