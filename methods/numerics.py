"""What the losses share: their two reductions, full precision, unit vectors, distances of Gram matrices."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypeVar

import torch
from torch import Tensor

from tasks.base import Prediction
from tasks.errors import InputError

Reduction = Literal["mean", "reference"]  # comparable across tasks, or as the authors' code normalises
P = ParamSpec("P")
R = TypeVar("R")


def full_precision(loss: Callable[P, R]) -> Callable[P, R]:
    """Run a loss outside autocast and on float32 where it is given half precision; float64 stays."""

    @functools.wraps(loss)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.autocast(_first([*args, *kwargs.values()]).device.type, enabled=False):
            return loss(
                *(_lift(argument) for argument in args), **{key: _lift(argument) for key, argument in kwargs.items()}
            )

    return computed


def _lift(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
    return [_lift(element) for element in value] if isinstance(value, list | tuple) else value


def _first(values: Any) -> Tensor:
    """Find the first tensor, however deep it lies."""
    first = values[0]
    return first if isinstance(first, Tensor) else _first(first)


def unit(vectors: Tensor, dim: int, eps: float = 1e-4) -> Tensor:
    """Scale vectors along ``dim`` to length one.

    Those shorter than ``eps`` have no direction worth learning: they become zero and pass no gradient, where dividing
    by their length would pass one of order ``1 / eps``.
    """
    length = torch.linalg.vector_norm(vectors, dim=dim, keepdim=True)
    return torch.where(length > eps, vectors / length.clamp(min=eps), 0.0)


def gram_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Sum of ``(S^T S - T^T T)^2`` over all entries and images, for nodes (N,C,m); the widths C may differ.

    With more nodes than channels the m x m matrices are never built:
    ``||S^T S - T^T T||^2 = ||S S^T||^2 + ||T T^T||^2 - 2 ||S T^T||^2``.
    """
    teacher = teacher.detach()
    nodes, student_width, teacher_width = student.shape[2], student.shape[1], teacher.shape[1]
    if nodes * (student_width + teacher_width) > student_width**2 + student_width * teacher_width + teacher_width**2:
        parts = ((student, student, 1.0), (teacher, teacher, 1.0), (student, teacher, -2.0))
        distance = sum((factor * torch.bmm(a, b.mT).square().sum() for a, b, factor in parts), student.new_zeros(()))
        return distance.clamp(min=0.0)  # rounding may leave a sum of squares below zero
    difference = torch.bmm(teacher.mT, teacher)
    difference.baddbmm_(student.mT, student, beta=-1.0)  # in place: one matrix, not three
    return difference.square().sum()


def average_pool(feature: Tensor, size: tuple[int, int]) -> Tensor:
    """Average features (N,C,h,w) over a grid of windows, as adaptive average pooling lays them: (N,C,*size).

    As two matrix products, whose gradients are the same bits every time; torch's pooling adds in any order on a GPU.

    Examples:
        >>> import torch
        >>> from methods.numerics import average_pool
        >>> average_pool(torch.tensor([[[[1.0, 2.0, 6.0]]]]), (1, 2)).flatten().tolist()
        [1.5, 4.0]
    """
    down, across = (_windows(length, count, feature) for length, count in zip(feature.shape[-2:], size, strict=True))
    return down @ feature @ across.mT


def _windows(length: int, count: int, like: Tensor) -> Tensor:
    """Weights (count,length) of the positions that each window averages."""
    place, window = torch.arange(length, device=like.device), torch.arange(count, device=like.device)[:, None]
    covered = (place >= window * length // count) & (place < -(-(window + 1) * length // count))
    return covered.to(like.dtype) / covered.sum(dim=1, keepdim=True)


def shared_pairs(student: Prediction, teacher: Prediction) -> list[tuple[Tensor, Tensor]]:
    """Pair the features that the two heads read, the deepest with the deepest; surplus shallow ones are left out."""
    count = min(len(student.shared), len(teacher.shared))
    if count == 0:
        raise InputError("a network names no shared feature: set Prediction.shared to what its head reads")
    names = zip(student.shared[-count:], teacher.shared[-count:], strict=True)
    return [(student.features[student_name], teacher.features[teacher_name]) for student_name, teacher_name in names]


def check_options(**options: float) -> None:
    """Raise InputError unless every weight (``name=value``) is finite and at least zero."""
    for name, value in options.items():
        if not 0.0 <= value < float("inf"):
            raise InputError(f"option '{name}' must be a finite number of at least 0, not {value}")


def check_positive(**options: float) -> None:
    """Raise InputError unless every option (``name=value``) is finite and above zero."""
    for name, value in options.items():
        if not 0.0 < value < float("inf"):
            raise InputError(f"option '{name}' must be a finite number above 0, not {value}")
