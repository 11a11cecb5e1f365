"""Tensors inside predictions, targets and state dicts: found, compared, picked and repeated along the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from tasks.base import Batch, Mixed, OutputSpace, Pasted, Prediction


def tensors(value: Any) -> Iterator[Tensor]:
    """Find every tensor in nested tuples, lists, mappings and dataclasses."""
    if isinstance(value, Tensor):
        yield value
        return
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)


def same(a: Any, b: Any) -> bool:
    """Whether the tensors inside two values have the same shapes, types and bits."""
    return [_content(each) for each in tensors(a)] == [_content(each) for each in tensors(b)]


def _content(each: Tensor) -> tuple[torch.Size, torch.dtype, bytes]:
    return each.shape, each.dtype, each.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def state(**modules: nn.Module) -> dict[str, Tensor]:
    """Join the state dicts of modules, each entry under the module's name."""
    entries = nn.ModuleDict(modules).state_dict()
    return {name: each.clone() for name, each in entries.items() if isinstance(each, Tensor)}


def differing(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[str]:
    """Name the entries of two states that do not have the same bits."""
    return [key for key in {**a, **b} if not same(a.get(key), b.get(key))]


def some(names: list[str], most: int = 3) -> str:
    """List the first few names."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def pick(batch: Batch, images: Tensor, output: OutputSpace) -> Any:
    """Make a batch of some images of another one, by their positions; one may be picked twice."""
    target = None if batch.target is None else output.permute(batch.target, images)
    return replace(batch, image=batch.image[images], target=target, inside=batch.inside[images])


def repeat_batch(batch: Batch, times: int, output: OutputSpace) -> Any:
    """Repeat a batch, mixed or pasted ones too, along the batch; permutations stay within each copy."""
    count = len(batch.image)
    images = torch.arange(count).repeat(times)
    repeated = pick(batch, images, output)
    if isinstance(batch, Mixed):
        order = torch.cat([batch.order + count * copy for copy in range(times)])
        return replace(
            repeated, source=repeat_batch(batch.source, times, output), order=order, weight=batch.weight[images]
        )
    if isinstance(batch, Pasted):
        first, second = (repeat_batch(each, times, output) for each in batch.sources)
        return replace(repeated, sources=(first, second), mask=batch.mask[images])
    return repeated


def repeat_prediction(prediction: Prediction, times: int) -> Prediction:
    """Repeat a prediction along the batch."""
    images = torch.arange(len(prediction.embedding)).repeat(times)
    return prediction.select(images)
