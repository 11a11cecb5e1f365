"""Mask: what belongs to the salient object, uint8 (H,W), 0 or 1; 255 is ignored."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tasks.annotations.kind import IGNORE, Info, array_fault, expected, kinds
from tasks.annotations.maps import MapKind
from tasks.drawing import LINE, MARK, grey


@kinds.register("mask")
class MaskKind(MapKind):
    """Object or background a pixel, for salient-object detection."""

    title = "saliency"
    unknown = IGNORE

    def draw(self, value: np.ndarray, image: np.ndarray, info: Info) -> np.ndarray:
        """The image, dark outside the mask."""
        return draw_mask(image, value)

    def describe(self, values: Sequence[np.ndarray], info: Info) -> str:
        """The share of an image that is marked."""
        return f"{100 * np.mean([(mask == 1).mean() for mask in values]):.1f} % salient"

    def faults(self, value: np.ndarray, size: tuple[int, int], info: Info) -> list[str]:
        """Name values other than 0, 1 and 255."""
        faults = array_fault(value, np.uint8, (None, None))
        strange = np.setdiff1d(value, [0, 1, IGNORE])
        if strange.size:
            faults.append(expected(f"0, 1 or {IGNORE}", ", ".join(map(str, strange[:5]))))
        return faults


def draw_mask(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Show a mask (H,W; 0 to 1) on uint8 RGB (H,W,3): what it leaves out turns grey and dark, its outline is marked."""
    weight = np.clip(mask.astype(np.float32), 0, 1)[..., None]
    picture = (image * weight + 0.35 * grey(image) * (1 - weight)).astype(np.uint8)
    outline, _ = cv2.findContours((mask >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outline, -1, MARK, max(1, min(image.shape[:2]) // LINE))
    return picture
