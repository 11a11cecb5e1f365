"""Labels: a picture of one channel whose values, or indices of its palette, are labels of classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import IGNORE, Info
from tasks.datasets.reading.colours import voc_colours
from tasks.datasets.reading.files import label_table, translate
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.names import Named, names_of
from tasks.datasets.reading.pictures import PICTURES, plane_of, sort_of
from tasks.errors import InputError


@formats.register("labels")
class Labels(Format):
    """Pictures of labels, grey or with a palette.

    Args:
        classes: names, a list or a file; without them each label found is a class, for which every file is read.
        ignore: labels of pixels that count nowhere.
    """

    title: ClassVar[str] = "label maps, grey or with a palette"
    kinds: tuple[str, ...] = ("classes",)
    suffixes: ClassVar[frozenset[str]] = PICTURES

    def __init__(self, *, classes: Any = None, ignore: Sequence[int] = (IGNORE,)) -> None:
        self.classes, self.ignore = classes, list(ignore)

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """A few values, and no file that lost some to compression."""
        return sort_of(files) == "labels"

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Take the names given, or every label that is found."""
        named = [each for each in names_of(root, self.classes, files) if each.label not in self.ignore]
        if not named:
            values = sorted({int(value) for path in files for value in np.unique(plane_of(path))} - set(self.ignore))
            named = [Named(f"label {value}", value) for value in values]
        self.table, self.info = table_and_info(named, self.ignore)
        self.allowed = told(sorted({each.label for each in named} | set(self.ignore)))

    @property
    def identity(self) -> dict[str, Any]:
        """The options and names, and which label is which class."""
        return super().identity | {"table": self.table.tolist()}

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Translate labels to classes; a label that is not allowed is an error that names the file and the values."""
        return {"classes": translate(file, plane_of(file), self.table, size, self.allowed)}


def table_and_info(named: Sequence[Named], ignore: Sequence[int]) -> tuple[np.ndarray, Info]:
    """Number classes in order of their labels; InputError where there are none, or labels beyond 8 bits."""
    labels = [each.label for each in named]
    if not labels or max(labels) >= IGNORE or len(labels) > IGNORE:
        found = f"{len(labels)}, the largest {max(labels)}" if labels else "none"
        raise InputError(f"data.classes: expected 1 to {IGNORE} labels below {IGNORE}, found {found}")
    table = label_table({**dict.fromkeys(ignore, IGNORE), **{label: k for k, label in enumerate(labels)}})
    shades = voc_colours(len(named))
    palette = tuple(each.colour or shade for each, shade in zip(named, shades, strict=True))
    return table, Info(classes=tuple(each.name for each in named), palette=palette)


def told(labels: Sequence[int]) -> str:
    """Write labels the short way: ``0..11, 255``."""
    parts: list[list[int]] = []
    for label in labels:
        if parts and label == parts[-1][-1] + 1:
            parts[-1].append(label)
        else:
            parts.append([label])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}..{part[-1]}" for part in parts)
