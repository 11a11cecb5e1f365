"""SALICON's JSON: where people looked in images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.datasets.reading.files import fault
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.formats.json_head import content_of, top_keys
from tasks.datasets.reading.looks import Looks, fixations_of, read_looks


@formats.register("looks")
class LooksJson(Format):
    """One JSON file of many images with the fixations of each viewer; densities are made of them.

    Args:
        sigma: width of a look, in pixels of the image.
    """

    title: ClassVar[str] = "SALICON's JSON of fixations"
    kinds: tuple[str, ...] = ("fixations",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".json"})
    of_many: ClassVar[bool] = True

    def __init__(self, *, sigma: float = 19.0) -> None:
        self.sigma = sigma

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """COCO's lists, whose annotations have fixations."""
        return all({"images", "annotations"} <= top_keys(path) and _looks(content_of(path)) for path in files)

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Read the fixations."""
        self.looks: dict[Path, Looks] = {path: read_looks(path) for path in files}

    def named(self, file: Path) -> Sequence[str]:
        """The images of a file."""
        return list(self.looks[file])

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Make the density of the points."""
        if size is None:
            raise fault(file, f"an image '{image}' that can be read, for the size of its density", "none")
        return {"fixations": fixations_of(self.looks[file][image], size, self.sigma)}


def _looks(content: Any) -> bool:
    first = next(iter(content["annotations"]), None)
    return isinstance(first, dict) and "fixations" in first
