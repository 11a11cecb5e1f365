"""The contract of a format: what a set of files must be asked to be read without a class of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.base import Info
from tasks.errors import InputError
from tasks.registry import Registry, options


class Format(ABC):
    """How files of one kind tell the annotations of images; the constructor's keyword-only arguments are its options.

    A format is one file of this package with the decorator ``@formats.register(name)``. Whether files are of a format
    (``recognises``) and what they say (``read``) is told in one place, so that `benchmark data inspect` and the readers
    cannot disagree.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kinds: tuple[str, ...]  # kinds of annotation that it gives
    also: tuple[str, ...] = ()  # kinds that it gives where data.kind asks for them
    suffixes: ClassVar[frozenset[str]]  # of its files, in lower case
    of_many: ClassVar[bool] = False  # whether one file speaks of many images; else each image has its own
    info: Info = Info()

    @classmethod
    @abstractmethod
    def recognises(cls, files: Sequence[Path]) -> bool:
        """Say whether files, a few of one folder and of its suffixes, look like this format; raises nothing."""

    @classmethod
    def suggests(cls, root: Path, files: Sequence[Path]) -> Sequence[Mapping[str, Any]]:
        """Propose values of options that have no safe default, from a few files; they are shown, never used unasked."""
        return [{}]

    def learn(self, root: Path, files: Sequence[Path]) -> None:
        """Look through the files for what must be known before the first sample, such as the names of classes.

        Raises InputError where that cannot be told.
        """
        return

    def ask(self, kind: str) -> None:
        """Raise InputError where the format does not give a kind of annotation, or needs an option for it."""
        if kind not in (*self.kinds, *self.also):
            raise InputError(f"data.kind={kind}: format '{self.name}' gives {', '.join(self.kinds)} here")

    def named(self, file: Path) -> Sequence[str]:
        """List the images that a file of many speaks of, as it names them; InputError where it is faulty."""
        raise NotImplementedError(f"{self.name} has a file for each image")

    @abstractmethod
    def read(self, file: Path, image: str, size: tuple[int, int] | None) -> dict[str, Any]:
        """Read the annotations of one image, by kind; InputError where they are faulty.

        Args:
            file: the file that tells them.
            image: the image, as ``named`` names it; of no use where a file has one image.
            size: (H,W) of the image; None when it is not known.
        """

    def doubts(self, file: Path, image: str, size: tuple[int, int], annotations: Mapping[str, Any]) -> list[str]:
        """Name faults that ``read`` puts up with, one line each."""
        return []

    def oddities(self) -> list[str]:
        """Name faults of the files as a whole that ``learn`` puts up with, one line each."""
        return []

    def beside(self, file: Path) -> Sequence[Path]:
        """List other files that tell something of the image that a file of annotations is of."""
        return ()

    @property
    def identity(self) -> dict[str, Any]:
        """What, besides the files, decides what a sample is."""
        return {key: getattr(self, key) for key in options(type(self))} | {"info": self.info}


formats: Registry[Format] = Registry("format", "densedistill.formats", Format)
