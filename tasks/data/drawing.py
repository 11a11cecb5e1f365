"""Pictures of annotations and predictions: pure functions from arrays to uint8 RGB of the size of their input."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.base import Boxes

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
IGNORED = (24, 24, 24)  # pixels without a label or a depth
MARK = (255, 60, 80)
LEGIBLE = 120  # pixels: on smaller images words would hide what they describe


def draw_classes(classes: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Colour a class map: ``classes`` integer (H,W), one RGB colour a class; labels beyond the palette are dark."""
    table = np.full((256, 3), IGNORED, np.uint8)
    table[: len(palette)] = np.asarray(palette, np.uint8).reshape(-1, 3)
    return table[classes]


def draw_depth(depth: np.ndarray, cap: float) -> np.ndarray:
    """Colour a depth map (H,W) in metres by viridis, near is bright, with a scale bar; 0 and NaN are dark."""
    height, width = depth.shape
    valid = depth > 0
    picture = _viridis(np.where(valid, 1 - depth / cap, 0.0))
    picture[~valid] = IGNORED
    bar = max(2, height // 32)
    picture[-bar:] = _viridis(np.linspace(1, 0, width)[None].repeat(bar, 0))
    if min(height, width) < LEGIBLE:
        return picture
    font = _font(height)
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    for text, x, anchor in (("0", 3, "lb"), (f"{cap:g} m", width - 3, "rb")):
        draw.text((x, height - bar - 2), text, (255, 255, 255), font, anchor, stroke_width=1, stroke_fill=(0, 0, 0))
    return np.array(canvas)


def draw_boxes(
    image: np.ndarray, boxes: Boxes, names: Sequence[str], scores: Sequence[float] | np.ndarray | None = None
) -> np.ndarray:
    """Draw boxes, one colour a category, on uint8 RGB (H,W,3); grey if difficult.

    Names and scores are written where there is room.
    """
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    stroke = max(1, min(image.shape[:2]) // 120)
    font = _font(image.shape[0])
    for index, (x0, y0, x1, y1) in enumerate(np.asarray(boxes.xyxy, float).tolist()):
        label = int(boxes.labels[index])
        difficult = bool(boxes.difficult[index])
        colour = DIFFICULT if difficult else COLOURS[label % len(COLOURS)]
        # The far edges are exclusive, a drawn line is not.
        draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=stroke)
        text = names[label] if scores is None else f"{names[label]} {scores[index]:.2f}"
        tall, wide = y1 - y0 > 2 * font.size, x1 - x0 >= 0.8 * draw.textlength(text, font)
        if min(image.shape[:2]) >= LEGIBLE and tall and wide and not difficult:
            draw.rectangle(draw.textbbox((x0 + stroke, y0 + stroke), text, font), fill=colour)
            draw.text((x0 + stroke, y0 + stroke), text, (0, 0, 0), font)
    return np.array(canvas)


def draw_points(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Mark points (K,2; x,y in pixels) on uint8 RGB (H,W,3) and write how many there are."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    radius = max(1.0, min(image.shape[:2]) / 100)
    for x, y in np.asarray(points, float).reshape(-1, 2).tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=MARK, outline=(255, 255, 255))
    return _caption(canvas, f"{len(points)}")


def draw_density(image: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Lay a density map (h,w; heads a cell, of any size) over uint8 RGB (H,W,3) and write its sum, the count."""
    height, width = image.shape[:2]
    peak = float(density.max(initial=0.0))
    heat = np.clip(density / peak, 0, 1) if peak > 0 else np.zeros_like(density)
    heat = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colour = cv2.cvtColor(cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    weight = (0.25 + 0.65 * heat)[..., None]
    blend = _grey(image) * (1 - weight) + colour * weight
    return _caption(Image.fromarray(blend.astype(np.uint8)), f"{float(density.sum()):.1f}")


def draw_mask(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Show a mask (H,W; 0 to 1) on uint8 RGB (H,W,3): what it leaves out turns grey and dark, its outline is marked."""
    weight = np.clip(mask.astype(np.float32), 0, 1)[..., None]
    picture = (image * weight + 0.35 * _grey(image) * (1 - weight)).astype(np.uint8)
    outline, _ = cv2.findContours((mask >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outline, -1, MARK, max(1, min(image.shape[:2]) // 120))
    return picture


def _viridis(values: np.ndarray) -> np.ndarray:
    """Map values in 0..1 to RGB."""
    scaled = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def _grey(image: np.ndarray) -> np.ndarray:
    return image.mean(axis=2, keepdims=True).repeat(3, axis=2)


def _font(height: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=max(9, height // 19))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _caption(canvas: Image.Image, text: str) -> np.ndarray:
    """Write a number into the upper left corner, if the picture is large enough for it."""
    if min(canvas.size) >= LEGIBLE:
        draw = ImageDraw.Draw(canvas)
        draw.text((5, 4), text, (255, 255, 255), _font(canvas.height), stroke_width=1, stroke_fill=(0, 0, 0))
    return np.array(canvas)


def encode_png(picture: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
