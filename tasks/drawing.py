"""What pictures of annotations and predictions share: colours, letters, a heat map, PNG."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

DARK = (24, 24, 24)  # pixels of which nothing is known
MARK = (255, 60, 80)
LEGIBLE = 120  # pixels: on smaller images words would hide what they describe
LINE = 120  # the shorter side of a picture in widths of a line


def viridis(values: np.ndarray) -> np.ndarray:
    """Map values in 0..1 to RGB."""
    scaled = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def grey(image: np.ndarray) -> np.ndarray:
    """Take the colour out of RGB (H,W,3), as float."""
    return image.mean(axis=2, keepdims=True).repeat(3, axis=2)


def font(height: int) -> ImageFont.FreeTypeFont:
    """Choose letters for a picture of that height."""
    letters = ImageFont.load_default(size=max(9, height // 19))
    assert isinstance(letters, ImageFont.FreeTypeFont)
    return letters


def caption(canvas: Image.Image, text: str) -> np.ndarray:
    """Write a number into the upper left corner, if the picture is large enough for it."""
    if min(canvas.size) >= LEGIBLE:
        draw = ImageDraw.Draw(canvas)
        draw.text((5, 4), text, (255, 255, 255), font(canvas.height), stroke_width=1, stroke_fill=(0, 0, 0))
    return np.array(canvas)


def heat(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Lay values (h,w; of any size, at least zero) over uint8 RGB (H,W,3) as a heat map, the largest brightest."""
    height, width = image.shape[:2]
    peak = float(values.max(initial=0.0))
    share = np.clip(values / peak, 0, 1) if peak > 0 else np.zeros_like(values)
    share = cv2.resize(share.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colour = cv2.cvtColor(cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    weight = (0.25 + 0.65 * share)[..., None]
    return (grey(image) * (1 - weight) + colour * weight).astype(np.uint8)


def draw_density(image: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Lay a density map (h,w; heads a cell, of any size) over uint8 RGB (H,W,3) and write its sum, the count."""
    return caption(Image.fromarray(heat(image, density)), f"{float(density.sum()):.1f}")


def encode_png(picture: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
