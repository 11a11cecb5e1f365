"""Colours: a picture in which every class has a colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tasks.base import IGNORE
from tasks.datasets.reading.files import fault, size_text
from tasks.datasets.reading.formats.base import Format, formats
from tasks.datasets.reading.formats.labels import table_and_info
from tasks.datasets.reading.names import Colour, Named, names_of
from tasks.datasets.reading.pictures import PICTURES, colours_of, pack, sort_of, unpack
from tasks.errors import InputError

SHOWN = 5


@formats.register("colours")
class Colours(Format):
    """Pictures of colours that stand for classes, stored without loss.

    Args:
        classes: a file of names and colours; without it each colour found is a class, for which every file is read.
        ignore: names of classes that count nowhere, such as [void].
    """

    title: ClassVar[str] = "colour masks"
    kinds: tuple[str, ...] = ("classes",)
    suffixes: ClassVar[frozenset[str]] = PICTURES

    def __init__(self, *, classes: Any = None, ignore: Sequence[int | str] = (IGNORE,)) -> None:
        self.classes, self.ignore = classes, list(ignore)

    @classmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """A few colours, and no file that lost some to compression."""
        return sort_of(files) == "colours"

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Take the table given, or every colour that is found."""
        named = names_of(root, self.classes, files)
        if named and any(each.colour is None for each in named):
            if self.classes is not None:
                raise InputError(f"data.classes={self.classes}: expected a colour for each class, as in 'name r g b'")
            named = []  # names found by chance say nothing of colours
        named = named or _found(files)
        kept = [each for each in named if each.name not in self.ignore]
        _, self.info = table_and_info([Named(each.name, k, each.colour) for k, each in enumerate(kept)], [])
        classes = {each.name: k for k, each in enumerate(kept)}
        self.table = {int(pack(np.array(each.colour))): classes.get(each.name, IGNORE) for each in named if each.colour}

    @property
    def identity(self) -> dict[str, Any]:
        """The options and names, and which colour is which class."""
        return super().identity | {"table": sorted(self.table.items())}

    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Look every colour up; one that is in no table is an error that names the file and the colours."""
        codes = pack(colours_of(file))
        if size is not None and codes.shape != size:
            raise fault(file, f"{size_text(size)} pixels like its image", size_text(codes.shape))
        found, where = np.unique(codes, return_inverse=True)
        strange = [code for code in found.tolist() if code not in self.table]
        if strange:
            pixels = int(np.isin(codes, strange).sum())
            shown = "; ".join(_text(unpack(code)) for code in strange[:SHOWN])
            more = f" and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
            fix = "add them to data.classes, or store the masks without loss"
            raise fault(file, f"the {len(self.table)} colours of classes", f"{shown}{more} ({pixels} pixels)", fix)
        classes = np.array([self.table[code] for code in found.tolist()], np.uint8)
        return {"classes": classes[where].reshape(codes.shape)}


def _found(files: Sequence[Path]) -> list[Named]:
    """Make a class of every colour of the files, sorted; InputError where there are more than labels."""
    codes: set[int] = set()
    for path in files:
        codes.update(np.unique(pack(colours_of(path))).tolist())
        if len(codes) >= IGNORE:
            fix = "give the colours of classes as data.classes=FILE, 'name r g b' a line"
            raise fault(path, f"fewer than {IGNORE} colours in all masks", f"{len(codes)} up to this one", fix)
    return [Named(f"colour {_text(unpack(code))}", label, unpack(code)) for label, code in enumerate(sorted(codes))]


def _text(colour: Colour) -> str:
    return ",".join(map(str, colour))
