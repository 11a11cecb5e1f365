"""The contract of a kind of annotation: all that the rest of the suite asks of its values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from torch import Tensor

from tasks.registry import Registry

IGNORE = 255  # label of positions that take part in nothing

Value = TypeVar("Value")


@dataclass(frozen=True)
class Info:
    """What a task must know of a dataset before the first sample."""

    classes: tuple[str, ...] = ()  # of ``classes``
    palette: tuple[tuple[int, int, int], ...] = ()  # one RGB colour a class
    categories: tuple[str, ...] = ()  # of ``boxes``
    category_ids: tuple[int, ...] = ()  # the file's own ids, in the order of ``categories``
    depth_cap: float = 10.0  # metres
    crop: str | None = None  # name of the evaluation crop, e.g. "eigen"


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What of an annotation moves with its image: any of maps, boxes and points.

    ``maps``: by name, (H,W) or (H,W,C) of the image's size, moved pixel by pixel. ``boxes`` float64 (K,4), x0,y0,x1,y1,
    and ``points`` float32 (K,2), x,y, in pixels of the image; a box or point that leaves the image is dropped.
    """

    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))


@dataclass(frozen=True, kw_only=True)
class Moved(Geometry):
    """A geometry after its image was zoomed, padded, cut and perhaps mirrored.

    ``box_rows`` and ``point_rows``, int64 (K,), say which rows of the original boxes and points are left; ``inside``,
    bool (H,W), is False on padding, where maps hold no meaning; ``mirrored`` says whether left and right changed place.
    """

    box_rows: np.ndarray
    point_rows: np.ndarray
    inside: np.ndarray
    mirrored: bool


@dataclass(frozen=True, kw_only=True)
class MovedBatch:
    """The geometries of a batch after augmentation, on the device; rows are padded to as many in every image.

    ``maps``: by name, (N,H,W) or (N,H,W,C). ``boxes`` float32 (N,K,4) and ``points`` float32 (N,P,2) in pixels of the
    result; ``has_box`` and ``has_point``, bool, say which rows there are and were not dropped. ``carried``: by name,
    (N,K,...), see ``Kind.carried``. ``inside`` bool (N,H,W) and ``mirrored`` bool (N,) are as in ``Moved``.
    """

    maps: Mapping[str, Tensor]
    boxes: Tensor
    has_box: Tensor
    points: Tensor
    has_point: Tensor
    carried: Mapping[str, Tensor]
    inside: Tensor
    mirrored: Tensor


class Kind(ABC, Generic[Value]):
    """One kind of annotation. It has no state: every function is one of its arguments alone.

    A kind is one file of this package, or a class anywhere else with the decorator ``@kinds.register(name)``. One whose
    values are plain arrays on the grid of the image derives from ``tasks.annotations.maps.MapKind``.
    """

    name: ClassVar[str]  # the key of ``Sample.annotations``
    title: ClassVar[str]  # the heading of its pictures

    def size(self, value: Value) -> tuple[int, int] | None:
        """Return the size (H,W) of a value that has one of its own; None where it is in pixels of the image."""
        return None

    @abstractmethod
    def resize(self, value: Value, image: tuple[int, int], size: tuple[int, int]) -> Value:
        """Follow the image from its size (H,W) ``image`` to ``size``."""

    @abstractmethod
    def geometry(self, value: Value) -> Geometry:
        """Hand out what moves with the image when it is augmented."""

    @abstractmethod
    def moved(self, value: Value, moved: Moved) -> Value:
        """Make the value after augmentation from the one before and its moved geometry."""

    def carried(self, value: Value) -> dict[str, np.ndarray]:
        """Return what each box carries with it, such as a label: arrays (K,...) by name, for ``moved_batch``."""
        return {}

    def moved_batch(self, moved: MovedBatch) -> Any:
        """Make the values of a batch on the device from their moved geometry, in a form that the task knows.

        A kind need not have it: it is then augmented on the host alone. A class that overrides ``moved`` overrides
        this one too, or the same holds for it.
        """
        raise NotImplementedError

    @abstractmethod
    def arrays(self, value: Value) -> dict[str, np.ndarray]:
        """Take a value apart into named arrays, for the disk."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray]) -> Value:
        """Put a value together from its arrays, which may be read-only."""

    @abstractmethod
    def empty(self, value: Value) -> Value:
        """Return the value of the same image if nothing were marked, or known, on it."""

    @abstractmethod
    def draw(self, value: Value, image: np.ndarray, info: Info) -> np.ndarray:
        """Draw a value as uint8 RGB; ``image`` (H,W,3) is the one that it belongs to."""

    @abstractmethod
    def describe(self, values: Sequence[Value], info: Info) -> str:
        """Sum up the values of several samples in one line."""

    @abstractmethod
    def faults(self, value: Value, size: tuple[int, int], info: Info) -> list[str]:
        """Name what is wrong with a value of an image of ``size`` (H,W): ``expected ..., found ...``, one line each."""


kinds: Registry[Kind[Any]] = Registry("kind of annotation", None, Kind)


def kind_of(name: str) -> Kind[Any]:
    """Return the kind of that name; InputError, with the nearest names, where there is none."""
    return kinds[name]()


def expected(what: str, found: object) -> str:
    """Word a fault of a value."""
    return f"expected {what}, found {found}"


def array_fault(array: np.ndarray, dtype: type, shape: tuple[int | None, ...]) -> list[str]:
    """Name an array of another type or shape than expected; None stands for any length."""
    fits = len(shape) == array.ndim and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if array.dtype == dtype and fits:
        return []
    wanted = ",".join("K" if n is None else str(n) for n in shape)
    return [expected(f"{np.dtype(dtype)} ({wanted})", f"{array.dtype} {array.shape}")]
