"""Dots: a picture that is black but for a pixel, or a small spot, a point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from tasks.datasets.reading.files import fault, size_text
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.pictures import PICTURES, colours_of, sort_of
from tasks.datasets.reading.points import inside


@formats.register("dots")
class Dots(Format):
    """Pictures of dots, of any colour on black: the centre of each connected spot is a point."""

    title: ClassVar[str] = "dot images, a spot a point"
    kinds: tuple[str, ...] = ("points",)
    suffixes: ClassVar[frozenset[str]] = PICTURES

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """A few small spots on black, in files that lost nothing to compression."""
        return sort_of(files) == "dots"

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Find the centres of the spots, in pixels of the image, which has the size of the picture."""
        lit = (colours_of(file) > 0).any(axis=2).astype(np.uint8)
        shape = (lit.shape[0], lit.shape[1])
        if size is not None and shape != size:
            raise fault(file, f"{size_text(size)} pixels like its image", size_text(shape), "dots cannot be rescaled")
        _, _, _, centres = cv2.connectedComponentsWithStats(np.asarray(lit), connectivity=8)
        return {"points": inside(centres[1:] + 0.5, size)}
