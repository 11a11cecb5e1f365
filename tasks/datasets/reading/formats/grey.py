"""Grey maps: a picture of continuous values, such as the density of looks or a soft mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.annotations.fixations import Fixations
from tasks.datasets.reading.files import fault, is_there, shape_faults, size_text
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.gaze import FIXATED, pixels
from tasks.datasets.reading.pictures import PICTURES, plane_of, sort_of
from tasks.errors import InputError


@formats.register("grey")
class Grey(Format):
    """Maps of grey values: densities of looks as they are, or masks where a threshold is given; never cut unasked.

    Args:
        threshold: what lies above it is the object; stored values, so 0 to 255 for 8 bits.
        points: folder of maps in which a white pixel is a fixation, files named like the densities.
    """

    title: ClassVar[str] = "grey maps"
    also = ("mask",)  # with a threshold
    suffixes: ClassVar[frozenset[str]] = PICTURES

    def __init__(self, *, threshold: float | None = None, points: str | None = None) -> None:
        self.threshold, self.points = threshold, points
        self.kinds: tuple[str, ...] = ("fixations",) if threshold is None else ("mask",)

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Many grey values."""
        return sort_of(files) == "grey"

    @classmethod
    def suggests(cls, root: Path, files: Sequence[Path]) -> Sequence[Mapping[str, Any]]:
        """Densities, or masks by the usual threshold."""
        return [{}, {"threshold": FIXATED}]

    def ask(self, kind: str) -> None:
        """Ask for the threshold of a mask."""
        if kind == "mask" and self.threshold is None:
            raise InputError(
                "data.threshold is not set: expected the grey value above which a map is the object, such as 128; grey "
                "values are never cut unasked"
            )
        super().ask(kind)

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Find the maps of points."""
        self.marks: dict[str, Path] = {}
        if self.points is None:
            return
        folder = root / Path(self.points).expanduser()
        found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in PICTURES)
        self.marks = {path.stem: path for path in found if is_there(path)}
        if not self.marks:
            raise InputError(f"data.points={self.points}: expected a folder of pictures, found none in {folder}")

    def beside(self, file: Path) -> Sequence[Path]:
        """The map of points."""
        return [self.marks[file.stem]] if file.stem in self.marks else []

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read a density, or cut a mask."""
        plane = plane_of(file)
        if self.threshold is not None:
            return {"mask": (plane > self.threshold).astype(np.uint8)}
        return {"fixations": Fixations(plane.astype(np.float32), self._looks(file, plane.shape))}

    def _looks(self, file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
        if self.points is None:
            return None
        if file.stem not in self.marks:
            raise fault(file, f"a map of points of the same name in data.points={self.points}", "none")
        marked = plane_of(self.marks[file.stem]) >= FIXATED
        if marked.shape != shape:
            raise fault(self.marks[file.stem], f"{size_text((shape[0], shape[1]))} pixels", size_text(marked.shape))
        return pixels(marked)

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name a mask of another shape than its image, and a density that is black all over."""
        if "mask" in annotations:
            return shape_faults(file, annotations["mask"].shape, size)
        if annotations["fixations"].density.any():
            return []
        return [str(fault(file, "a density", "a black picture", "leave the image out"))]
