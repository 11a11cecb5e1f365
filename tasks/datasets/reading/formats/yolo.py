"""YOLO's text files: a line a box, in shares of the image."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import Boxes, Info
from tasks.datasets.reading.boxes import box_faults, usable
from tasks.datasets.reading.files import fault, reason
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.names import Named, names_of
from tasks.errors import InputError

POSES = re.compile(r"^kpt_shape\s*:", re.MULTILINE)


@formats.register("yolo")
class Yolo(Format):
    """A text file an image: ``label x y width height`` of the centre, or ``label x y x y ...`` of an outline, 0 to 1.

    Names come from data.yaml or classes.txt. An empty file says that the image has no object. Labels of poses look like
    outlines, so a set whose data.yaml tells ``kpt_shape`` is refused.

    Args:
        classes: names, a list or a file; data.yaml or classes.txt of the root by default.
    """

    title: ClassVar[str] = "YOLO's text files"
    kinds: tuple[str, ...] = ("boxes",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".txt"})

    def __init__(self, *, classes: Any = None) -> None:
        self.classes = classes

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Lines of a whole number and shares, in all files that hold any."""
        found = False
        for path in files:
            try:
                found = bool(_rows(path)) or found
            except InputError:
                return False
        return found

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Read the names; without any, the labels found are the categories."""
        _refuse_poses(root, self.classes)
        named = names_of(root, self.classes, files)
        if not named:
            labels = sorted({label for path in files for label, _ in _rows(path)})
            named = [Named(f"label {label}", label) for label in labels]
        self.labels = {each.label: number for number, each in enumerate(named)}
        self.info = Info(categories=tuple(each.name for each in named), category_ids=tuple(range(1, len(named) + 1)))

    @property
    def identity(self) -> dict[str, Any]:
        """The options and names, and which label is which category."""
        return super().identity | {"table": sorted(self.labels.items())}

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """The boxes of an image, in its pixels."""
        return {"boxes": usable(self._boxes(file, size or (1, 1)), size or (1, 1))}

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Boxes that are left out or clipped."""
        return box_faults(file, self._boxes(file, size), size)

    def _boxes(self, file: Path, size: tuple[int, int]) -> Boxes:
        rows = _rows(file)
        strange = sorted({label for label, _ in rows} - self.labels.keys())
        if strange:
            expected = f"labels of {len(self.labels)} classes ({', '.join(map(str, list(self.labels)[:5]))}, ...)"
            raise fault(file, expected, ", ".join(map(str, strange[:5])), "add names to data.classes or data.yaml")
        scale = np.tile(size[::-1], 2)
        return Boxes(
            np.array([corners for _, corners in rows], np.float64).reshape(-1, 4) * scale,
            np.array([self.labels[label] for label, _ in rows], np.int64),
            np.zeros(len(rows), bool),
        )


def _refuse_poses(root: Path, classes: Any) -> None:
    """Raise InputError where YAML says that lines go on with key points: they would be taken for outlines."""
    for name in [classes] if isinstance(classes, str) else ["data.yaml", "data.yml"]:
        path = root / name
        if path.suffix in (".yaml", ".yml") and path.is_file() and POSES.search(path.read_text(errors="replace")):
            raise fault(path, "labels of boxes or of outlines", "kpt_shape, labels of poses", "export the boxes alone")


def _rows(path: Path) -> list[tuple[int, tuple[float, float, float, float]]]:
    """Read labels and corners, in shares of the image; InputError where a line is something else."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise fault(path, "YOLO's text, a box a line", reason(error)) from None
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            label, *sides = (float(cell) for cell in line.split())
        except ValueError:
            label, sides = math.nan, []
        outline = len(sides) >= 6 and len(sides) % 2 == 0
        if label != label // 1 or label < 0 or not (len(sides) in (4, 5) or outline) or not _shares(sides):
            expected = "'label x y width height' of shares between 0 and 1"
            raise fault(path, expected, f"'{line.strip()[:60]}' in line {number}", "mend the line")
        rows.append((int(label), _outer(sides) if outline else _corners(sides)))
    return rows


def _shares(sides: Sequence[float]) -> bool:
    return all(-0.5 <= side <= 1.5 for side in sides)  # a little outside is clipped, and told by ``doubts``


def _corners(sides: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = sides[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _outer(sides: Sequence[float]) -> tuple[float, float, float, float]:
    return min(sides[::2]), min(sides[1::2]), max(sides[::2]), max(sides[1::2])
