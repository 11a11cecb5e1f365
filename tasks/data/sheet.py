"""Pictures laid out in rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 8  # pixels between pictures and around them
TITLE = 26
PAPER, INK = (250, 250, 248), (40, 40, 44)


def lay_out(rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str]) -> Image.Image:
    """Put rows of pictures, uint8 RGB of any size, on a sheet, in columns as wide as the widest, below their titles."""
    width = max(picture.shape[1] for row in rows for picture in row)
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    size = (GAP + len(titles) * (width + GAP), TITLE + GAP + sum(heights) + GAP * len(heights))
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    for column, title in enumerate(titles):
        left, top = GAP + column * (width + GAP), TITLE + GAP
        draw.text((left + width // 2, top // 2), title, INK, font, "mm")
        for row, height in zip(rows, heights, strict=True):
            picture = Image.fromarray(row[column])
            sheet.paste(picture, (left + (width - picture.width) // 2, top + (height - picture.height) // 2))
            top += height + GAP
    return sheet
