"""The contract of a dataset: samples of splits, with annotations of the kinds that it provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tasks.annotations.kind import Info
from tasks.registry import Registry


@dataclass
class Sample:
    """One image with the annotations that its dataset has.

    ``image`` is uint8 (H,W,3) RGB. ``annotations`` maps a kind (``tasks.annotations``) to its value, in pixels of
    ``image`` unless it has a size of its own: ``classes`` uint8 (H,W), 255 ignored; ``depth`` float32 (H,W) metres, 0
    invalid; ``boxes`` Boxes; ``points`` float32 (K,2) x,y; ``mask`` uint8 (H,W), 0 or 1, 255 ignored.
    """

    id: str
    image: np.ndarray
    annotations: dict[str, Any]


class Dataset(ABC):
    """A set of images with annotations; the constructor's keyword-only arguments are its options.

    Raises InputError from the constructor or ``load`` where a file is missing or wrong.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    reference: ClassVar[str] = ""  # where the data are explained and found
    license: ClassVar[str] = ""  # of the data
    bibtex: ClassVar[str] = ""  # entries to cite
    provides: ClassVar[frozenset[str]]  # kinds of annotation
    slow: ClassVar[bool] = False  # to make a sample: it is done once a machine, and kept
    uniform: ClassVar[bool] = False  # all images have the same size
    info: Info
    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test")

    @abstractmethod
    def ids(self, split: str) -> Sequence[str]:
        """List the sample ids of a split, in a fixed order."""

    @abstractmethod
    def load(self, split: str, index: int) -> Sample:
        """Read one sample at its original resolution."""

    def group(self, sample_id: str) -> str:
        """Name what a sample belongs to, such as a clip: training images of one group are never torn apart."""
        return sample_id

    @abstractmethod
    def manifest(self) -> str:
        """Return the sha256 that identifies content and version: whatever could change a result changes it."""

    @abstractmethod
    def verify(self) -> list[str]:
        """Read everything and return every fault found, one line each, naming the file; empty when all is well."""


datasets: Registry[Dataset] = Registry("dataset", "densedistill.datasets", Dataset)
