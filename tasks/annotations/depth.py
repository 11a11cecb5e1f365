"""Depth: metres along the optical axis, float32 (H,W); 0 where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tasks.annotations.kind import Info, array_fault, expected, kinds
from tasks.annotations.maps import MapKind
from tasks.drawing import DARK, LEGIBLE, font, viridis


@kinds.register("depth")
class DepthKind(MapKind):
    """Metres a pixel, for monocular depth."""

    title = "depth"
    unknown = 0

    def draw(self, value: np.ndarray, image: np.ndarray, info: Info) -> np.ndarray:
        """Near is bright."""
        return draw_depth(value, info.depth_cap)

    def describe(self, values: Sequence[np.ndarray], info: Info) -> str:
        """Percentiles, and the share of pixels that have a depth."""
        valid = np.concatenate([depth[depth > 0] for depth in values])
        if not valid.size:
            return "no valid depth"
        low, middle, high = np.percentile(valid, [1, 50, 99])
        share = 100 * valid.size / sum(depth.size for depth in values)
        return f"{low:.2f} / {middle:.2f} / {high:.2f} m (1, 50, 99 %), {share:.1f} % valid"

    def faults(self, value: np.ndarray, size: tuple[int, int], info: Info) -> list[str]:
        """Name depths that are negative or not finite."""
        faults = array_fault(value, np.float32, (None, None))
        strange = value[~(np.isfinite(value) & (value >= 0))]
        if strange.size:
            faults.append(expected("metres, 0 where unknown", f"{strange[0]} ({strange.size} pixels)"))
        return faults


def draw_depth(depth: np.ndarray, cap: float) -> np.ndarray:
    """Colour a depth map (H,W) in metres by viridis, near is bright, with a scale bar; 0 and NaN are dark."""
    height, width = depth.shape
    valid = depth > 0
    picture = viridis(np.where(valid, 1 - depth / cap, 0.0))
    picture[~valid] = DARK
    bar = max(2, height // 32)
    picture[-bar:] = viridis(np.linspace(1, 0, width)[None].repeat(bar, 0))
    if min(height, width) < LEGIBLE:
        return picture
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    for text, x, anchor in (("0", 3, "lb"), (f"{cap:g} m", width - 3, "rb")):
        place = (x, height - bar - 2)
        draw.text(place, text, (255, 255, 255), font(height), anchor, stroke_width=1, stroke_fill=(0, 0, 0))
    return np.array(canvas)
