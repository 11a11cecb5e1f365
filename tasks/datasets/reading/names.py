"""Names of classes: a list, or a file of text, CSV, JSON or YAML, with labels and colours where it tells them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.datasets.reading.files import fault, load_json, read_lines, reason
from tasks.errors import InputError

Colour = tuple[int, int, int]
USUAL = (  # where sets keep their names
    "classes.txt",
    "classes.json",
    "classes.csv",
    "class_dict.csv",
    "label_colors.txt",
    "labelmap.txt",
    "labels.txt",
    "obj.names",
    "data.yaml",
    "data.yml",
    "_classes.csv",
)
NAMING = frozenset({"name", "names", "class", "classes", "classname", "label", "labels", "category"})
HEADER = NAMING | {  # words of which alone the first line of a table consists
    *("id", "idx", "index", "value", "pixel", "train", "trainid", "number", "count", "ratio", "supercategory"),
    *("r", "g", "b", "rgb", "red", "green", "blue", "color", "colour", "hex", "parts", "actions"),
}
LINE = "a name, 'label name', 'name r g b' or 'r g b name' a line"


@dataclass(frozen=True)
class Named:
    """A class: its name, the label that stands for it in files, and its colour where the names come with colours."""

    name: str
    label: int
    colour: Colour | None = None


def names_of(root: Path, classes: Any, files: Iterable[Path] = ()) -> list[Named]:
    """Read the classes that an option names: a list of names, or a file, relative to ``root``.

    Without ``classes``, the first file of USUAL in the root is read, else in the folders of the annotation ``files``;
    none where there is none. Raises InputError where the file is missing, cannot be understood or is contradicted.
    """
    if classes is None:
        return _usual([root]) or _usual(sorted({path.parent for path in files}))
    if isinstance(classes, str):
        path = root / Path(classes).expanduser()
        if not path.is_file():
            raise InputError(f"data.classes={classes}: expected a list of names, or a file; found no file {path}")
        return read_names(path)
    if isinstance(classes, Mapping) or not all(isinstance(each, (str, int)) for each in classes):
        raise InputError(f"data.classes={classes}: expected a list of names such as [sky,road], or a file")
    return [Named(str(name), label) for label, name in enumerate(classes)]


def _usual(folders: Sequence[Path]) -> list[Named]:
    """Read the names that folders keep, which must be the same in each that has any."""
    there = [[folder / name for name in USUAL if (folder / name).is_file()] for folder in folders]
    found = {paths[0]: read_names(paths[0]) for paths in there if paths}
    if not found:
        return []
    (first, named), *rest = found.items()
    for path, other in rest:
        if other != named:
            raise fault(path, f"the names of {first}", "others", "say which are meant by data.classes=FILE")
    return named


def read_names(path: Path) -> list[Named]:
    """Read a file of names; its suffix says how. InputError where it cannot be understood or a label occurs twice."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        found = _json(path)
    elif suffix in (".yaml", ".yml"):
        found = _yaml(path)
    else:
        found = _text(path)
    for key in ("label", "name"):
        values = [getattr(each, key) for each in found]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise fault(path, f"each {key} once", f"'{twice}' {values.count(twice)} times", "mend the names")
    if not found:
        raise fault(path, "names of classes", "none", "see docs/own-data.md")
    return found


def _text(path: Path) -> list[Named]:
    lines = [line for line in read_lines(path) if not line.startswith(("#", "//"))]
    rows = [_columns(line) for line in lines]
    if all(len(row) == 1 and row[0].isdecimal() for row in rows):  # digits, as classes of house numbers
        return [Named(row[0], label) for label, row in enumerate(rows)]
    if _is_header(rows[0]) and any(cell.isdigit() for row in rows[1:] for cell in row):
        rows = rows[1:]
    return [_named(path, row, number) for number, row in enumerate(rows)]


def _is_header(row: Sequence[str]) -> bool:
    """Whether a line names columns, such as name,r,g,b; a class may be called anything else."""
    words = set(re.split(r"[\s_-]+", " ".join(row).casefold()))
    return words <= HEADER and not words.isdisjoint(NAMING)


def _named(path: Path, row: Sequence[str], number: int) -> Named:
    """Understand a line: numbers before the name are a label, a colour, or both; three after it are a colour."""
    numbers = [cell.isdecimal() for cell in row]
    lead = numbers.index(False) if False in numbers else len(row)
    label = int(row[0]) if lead in (1, 4) else number
    colour = row[lead - 3 : lead] if lead in (3, 4) else []
    words = row[lead:] if lead in (0, 1, 3, 4) else []
    if not colour and len(words) > 3 and all(numbers[-3:]):
        words, colour = words[:-3], words[-3:]
    if not words:
        raise fault(path, LINE, f"'{' '.join(row)}'", "mend the line")
    return Named(" ".join(words), label, (int(colour[0]), int(colour[1]), int(colour[2])) if colour else None)


def _columns(line: str) -> list[str]:
    if line.count(":") >= 1 and "," in line:  # name:r,g,b:parts:actions, as CVAT writes it
        line = ",".join(line.split(":")[:2])
    cells = next(csv.reader([line])) if "," in line else re.split(r"[\s:]+", line)
    return [cell.strip() for cell in cells if cell.strip()]


def _json(path: Path) -> list[Named]:
    try:
        return _entries(load_json(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = "JSON: a list of names, {label: name}, {name: label}, or [{name, id, color}, ...]"
        raise fault(path, expected, reason(error), "mend the file") from None


def _yaml(path: Path) -> list[Named]:
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        return _entries(content["names"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise fault(path, "YAML with 'names', as YOLO has it", reason(error), "mend the file") from None


def _entries(content: Any) -> list[Named]:
    """Understand what JSON and YAML say: names in order, labels and names in either order, or objects."""
    if isinstance(content, Mapping):
        inner = next((content[key] for key in ("classes", "names", "categories", "labels") if key in content), None)
        if isinstance(inner, (list, Mapping)):
            return _entries(inner)
        return sorted(
            (
                Named(str(value), int(key)) if str(key).isdigit() else Named(str(key), int(value))
                for key, value in content.items()
            ),
            key=lambda each: each.label,
        )
    found = []
    for number, each in enumerate(content):
        if not isinstance(each, Mapping):
            found.append(Named(str(each), number))
            continue
        label = next((int(each[key]) for key in ("label", "id", "index", "value", "trainId") if key in each), number)
        colour = next((each[key] for key in ("color", "colour", "rgb") if key in each), None)
        triple: Sequence[int] | None = None if colour is None else [int(part) for part in colour]
        found.append(Named(str(each["name"]), label, None if triple is None else (triple[0], triple[1], triple[2])))
    return found
