"""Points of text: CSV files, one an image or one of all images."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.datasets.reading.files import fault, reason
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.points import inside, point_faults, read_points
from tasks.errors import InputError

Row = tuple[str, float, float]
X, Y = ("x", "col", "column", "x_coord", "centre_x", "center_x"), ("y", "row", "y_coord", "centre_y", "center_y")
IMAGE = ("image", "filename", "file_name", "file", "image_name", "image_id", "img", "name", "path")


class _PointCsv(Format):
    kinds: tuple[str, ...] = ("points",)
    suffixes: ClassVar[frozenset[str]] = frozenset({".csv", ".tsv"})

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Numbers x,y in each line, and names of images before them where a file speaks of many."""
        try:
            rows = [row for path in files for row in read_rows(path)]
        except InputError:
            return False
        return bool(rows) and all(bool(name) == cls.of_many for name, _, _ in rows)

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Points far outside the image."""
        return point_faults(file, self.points(file, image), size)

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """The points of an image, clipped into it."""
        return {"points": inside(self.points(file, image), size)}

    def points(self, file: Path, image: str) -> np.ndarray:
        """The points of an image as the file has them."""
        return read_points(file, [(x, y) for _, x, y in read_rows(file)])


@formats.register("csv")
class PointCsv(_PointCsv):
    """A CSV file an image: x and y a line, with or without a header; an empty file, or a header alone, is no point."""

    title: ClassVar[str] = "CSV files of points, one an image"


@formats.register("csv_table")
class PointTable(_PointCsv):
    """One CSV file of many images: a header with the image's name, x and y, then a line a point.

    An image without a point has a line without numbers.
    """

    title: ClassVar[str] = "a CSV table of points"
    of_many: ClassVar[bool] = True

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Read the tables."""
        self.tables: dict[Path, dict[str, list[tuple[float, float]]]] = {}
        for path in files:
            table: dict[str, list[tuple[float, float]]] = {}
            for name, x, y in read_rows(path):
                table.setdefault(name, []).extend([(x, y)] if np.isfinite(x) else [])
            self.tables[path] = table

    def named(self, file: Path) -> Sequence[str]:
        """The images of a table."""
        return list(self.tables[file])

    def points(self, file: Path, image: str) -> np.ndarray:
        """The points of an image as the table has them."""
        return read_points(file, self.tables[file][image])


def read_rows(path: Path) -> list[Row]:
    """Read name, x and y of each line; the name is empty where there is no column of names.

    A header says which columns are which; without one the first two are x and y. Raises InputError for other lines.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(path, "CSV with x and y a line", reason(error)) from None
    head = text.partition("\n")[0]
    mark = next((mark for mark in ("\t", ";", ",") if mark in head), ",")
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines(), delimiter=mark)]
    lines = [line for line in lines if any(line)]
    if not lines:
        return []
    header = [cell.lower() for cell in lines[0]]
    name, x, y = (next((header.index(each) for each in words if each in header), None) for words in (IMAGE, X, Y))
    if x is None or y is None:
        if not _number(lines[0][0]):
            raise fault(path, "CSV whose header names x and y", ", ".join(lines[0]), "name the columns")
        name, x, y, first = None, 0, 1, 0
    else:
        first = 1
    rows: list[Row] = []
    for number, line in enumerate(lines[first:], start=first + 1):
        cells = [line[place] if place is not None and place < len(line) else "" for place in (name, x, y)]
        empty = name is not None and not cells[1] and not cells[2]
        if not empty and not (_number(cells[1]) and _number(cells[2])):
            raise fault(path, "numbers x and y", f"'{mark.join(line)}' in line {number}", "mend the line")
        rows.append((cells[0], *(float("nan") if empty else float(cell) for cell in cells[1:])))  # type: ignore[arg-type]
    return rows


def _number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
