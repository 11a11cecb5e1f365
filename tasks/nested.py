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
        changed = {each.name: mapped(getattr(value, each.name), function) for each in fields(value) if each.init}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {key: mapped(each, function) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(each, function) for each in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(each, function) for each in value)
    return value


def widened(target: Any) -> Any:
    """Turn the labels of a target, which travel as uint8, into the int64 that losses index with."""
    return mapped(target, lambda tensor: tensor.long() if tensor.dtype == torch.uint8 else tensor)
