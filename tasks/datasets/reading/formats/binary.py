"""Binary masks: a picture of two values, the object and what is around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import Info
from tasks.datasets.reading.colours import voc_colours
from tasks.datasets.reading.files import fault, shape_faults
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.pictures import PICTURES, plane_of, sort_of


@formats.register("binary")
class Binary(Format):
    """Masks of 0 and 255, or of 0 and 1: a salient object, and as well two classes, background and object.

    A mask may have another size than its image: it keeps it, and predictions are scored at the size of the mask.
    """

    title: ClassVar[str] = "binary masks, 0 and 255 or 0 and 1"
    kinds: tuple[str, ...] = ("mask", "classes")
    suffixes: ClassVar[frozenset[str]] = PICTURES
    info = Info(classes=("background", "object"), palette=voc_colours(2))

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Two values, and no file that lost some to compression."""
        return sort_of(files) == "mask"

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read 0 and 1; another value is an error that names the file and the values."""
        plane = plane_of(file)
        found = np.unique(plane)
        if not (set(found.tolist()) <= {0, 1} or set(found.tolist()) <= {0, 255}):
            shown = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
            fix = "cut grey masks by data.format=grey data.threshold=128, read labels by data.format=labels"
            raise fault(file, "0 and 255, or 0 and 1, alone", shown, fix)
        mask = (plane > 0).astype(np.uint8)
        return {"mask": mask, "classes": mask}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name a mask of another shape than its image."""
        return shape_faults(file, next(iter(annotations.values())).shape, size)
