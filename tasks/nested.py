"""Tensors inside nested tuples, lists, mappings and dataclasses, as targets are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor


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
