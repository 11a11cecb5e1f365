"""Crowd counting sets: images with a point on every head."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.datasets.reading.files import fault
from tasks.datasets.reading.listed import Entry, ListedDataset
from tasks.datasets.reading.points import inside, point_faults


class CrowdDataset(ListedDataset):
    """A listed dataset whose annotations are head points; no point is ever dropped, those outside are clipped."""

    provides: ClassVar[frozenset[str]] = frozenset({"points"})

    @abstractmethod
    def heads(self, path: Path) -> tuple[np.ndarray, int | None]:
        """Read the points (K,2) of an annotation and the number of heads that it states, None where it states none."""

    def annotate(self, entry: Entry, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the points, clipped into the image."""
        return {"points": inside(self.heads(entry.annotation)[0], size)}

    def doubts(self, entry: Entry, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name a number of heads that is not that of the points, and points far outside the image."""
        points, stated = self.heads(entry.annotation)
        faults = []
        if stated is not None and stated != len(points):
            found = f"{len(points)}; the number of points is what counts"
            faults.append(str(fault(entry.annotation, f"{stated} points, the number stated", found)))
        return faults + point_faults(entry.annotation, points, size)
