"""Classes: a label a pixel, uint8 (H,W); 255 is ignored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.annotations.kind import IGNORE, Info, array_fault, expected, kinds
from tasks.annotations.maps import MapKind
from tasks.drawing import DARK


@kinds.register("classes")
class ClassKind(MapKind):
    """A class label a pixel, for semantic segmentation."""

    title = "classes"
    unknown = IGNORE

    def draw(self, value: np.ndarray, image: np.ndarray, info: Info) -> np.ndarray:
        """Each class in its colour."""
        return draw_classes(value, info.palette)

    def describe(self, values: Sequence[np.ndarray], info: Info) -> str:
        """The share of each class."""
        counts = np.sum([np.bincount(labels.ravel(), minlength=256) for labels in values], axis=0)
        shares = 100 * counts / counts.sum()
        names = {**dict(enumerate(info.classes)), IGNORE: "ignored"}
        return ", ".join(f"{name} {shares[label]:.2f} %" for label, name in names.items() if counts[label])

    def faults(self, value: np.ndarray, size: tuple[int, int], info: Info) -> list[str]:
        """Name labels that no class has."""
        faults = array_fault(value, np.uint8, (None, None))
        strange = np.setdiff1d(value, [*range(len(info.classes)), IGNORE])
        if strange.size:
            faults.append(expected(f"labels below {len(info.classes)}, or {IGNORE}", ", ".join(map(str, strange[:5]))))
        return faults


def draw_classes(classes: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    """Colour a class map: ``classes`` integer (H,W), one RGB colour a class; labels beyond the palette are dark."""
    table = np.full((256, 3), DARK, np.uint8)
    table[: len(palette)] = np.asarray(palette, np.uint8).reshape(-1, 3)
    return table[classes]
