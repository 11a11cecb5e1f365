"""Bits of tensors held against each other, and batches and predictions picked from and doubled along the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from tasks.base import Batch, Mixed, OutputSpace, Pasted, Prediction
from tasks.nested import leaves


def same(a: Any, b: Any) -> bool:
    """Whether the tensors inside two values have the same shapes, types and bits."""
    return [_content(tensor) for tensor in leaves(a)] == [_content(tensor) for tensor in leaves(b)]


def _content(tensor: Tensor) -> tuple[torch.Size, torch.dtype, bytes]:
    bits = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return tensor.shape, tensor.dtype, bits.numpy().tobytes()


def state(**modules: nn.Module) -> dict[str, Tensor]:
    """Join the state dicts of modules, each entry under the module's name."""
    entries = nn.ModuleDict(modules).state_dict()
    return {name: entry.clone() for name, entry in entries.items() if isinstance(entry, Tensor)}


def differing(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[str]:
    """Name the entries of two states that do not have the same bits."""
    return [key for key in {**a, **b} if not same(a.get(key), b.get(key))]


def some(names: Sequence[str], most: int = 3) -> str:
    """List the first few names."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def pick(batch: Batch, images: Tensor, output: OutputSpace) -> Any:
    """Make a batch of some images of another one, by their positions; one may be picked twice."""
    target = None if batch.target is None else output.permute(batch.target, images)
    return replace(batch, image=batch.image[images], target=target, inside=batch.inside[images])


def doubled_batch(batch: Batch, output: OutputSpace) -> Any:
    """Put a batch, mixed or pasted ones too, behind itself; permutations stay within each copy."""
    count = len(batch.image)
    images = torch.arange(count).repeat(2)
    doubled = pick(batch, images, output)
    if isinstance(batch, Mixed):
        source, order = doubled_batch(batch.source, output), torch.cat([batch.order, batch.order + count])
        return replace(doubled, source=source, order=order, weight=batch.weight[images])
    if isinstance(batch, Pasted):
        first, second = (doubled_batch(source, output) for source in batch.sources)
        return replace(doubled, sources=(first, second), mask=batch.mask[images])
    return doubled


def doubled_prediction(prediction: Prediction) -> Prediction:
    """Put a prediction behind itself, along the batch."""
    return prediction.select(torch.arange(len(prediction.embedding)).repeat(2))
