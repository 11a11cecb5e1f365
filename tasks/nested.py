"""Tensors inside nested tuples, lists, mappings and dataclasses, as targets are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from tasks.errors import InputError


def mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Replace every tensor inside a value by what a function makes of it; all else stays."""
    if isinstance(value, Tensor):
        return function(value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {part.name: mapped(getattr(value, part.name), function) for part in fields(value) if part.init}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {key: mapped(part, function) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(part, function) for part in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(part, function) for part in value)
    return value


def widened(target: Any) -> Any:
    """Turn the labels of a target, which travel as uint8, into the int64 that losses index with."""
    return mapped(target, lambda tensor: tensor.long() if tensor.dtype == torch.uint8 else tensor)


def leaves(value: Any) -> list[Tensor]:
    """List every tensor inside a value."""
    listed: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        listed.append(tensor)
        return tensor

    mapped(value, keep)
    return listed


def rebuilt(value: Any, tensors: Sequence[Tensor]) -> Any:
    """Put others in the places of the tensors inside a value, in the order of ``leaves``."""
    each = iter(tensors)
    return mapped(value, lambda _: next(each))


def joined(values: Sequence[Any]) -> Any:
    """Join the tensors inside values of one structure along their first dimension; all else is the first one's.

    Raises InputError where they differ in another size.
    """
    together = list(zip(*(leaves(value) for value in values), strict=True))
    for tensors in together:
        if len({tensor.shape[1:] for tensor in tensors}) > 1:
            sizes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise InputError(
                f"targets of parts of a batch differ in size ({sizes}): their output space must say in `join` how "
                "they become one"
            )
    return rebuilt(values[0], [torch.cat(tensors) for tensors in together])
