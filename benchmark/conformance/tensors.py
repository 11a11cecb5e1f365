"""Tensors inside predictions, targets and state dicts: found, copied, compared, repeated."""

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
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from tensors(getattr(value, field.name))


def copies(value: Any) -> list[Tensor]:
    """Copy every tensor inside a value."""
    return [each.detach().clone() for each in tensors(value)]


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors have the same bits; not-a-numbers are equal."""
    return a.shape == b.shape and a.dtype == b.dtype and _bits(a) == _bits(b)


def _bits(each: Tensor) -> bytes:
    return each.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def state(**modules: nn.Module) -> dict[str, Tensor]:
    """Join the state dicts of modules, each entry under the module's name."""
    return {
        f"{name} {key}": each.detach().clone()
        for name, module in modules.items()
        for key, each in module.state_dict().items()
        if isinstance(each, Tensor)
    }


def differing(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> list[str]:
    """Name the entries of two states that do not have the same bits."""
    return [key for key in {**a, **b} if key not in a or key not in b or not same(a[key], b[key])]


def some(names: list[str], most: int = 3) -> str:
    """List the first few names."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def finite(terms: Mapping[str, Tensor]) -> list[str]:
    """Name the terms that are not finite, with their values."""
    return [f"{name}={each.item()}" for name, each in terms.items() if not each.isfinite().all()]


def repeat_prediction(prediction: Prediction, times: int) -> Prediction:
    """Put a prediction beside itself along the batch."""
    return replace(
        prediction,
        maps=_repeated(prediction.maps, times),
        branches={name: _repeated(maps, times) for name, maps in prediction.branches.items()},
        features={name: torch.cat([each] * times) for name, each in prediction.features.items()},
        embedding=torch.cat([prediction.embedding] * times),
        valid=None if prediction.valid is None else torch.cat([prediction.valid] * times),
    )


def _repeated(maps: tuple[Tensor, ...], times: int) -> tuple[Tensor, ...]:
    return tuple(torch.cat([each] * times) for each in maps)


def repeat_batch(batch: Batch, times: int, output: OutputSpace) -> Any:
    """Put a batch, mixed or pasted ones too, beside itself; permutations stay within each copy."""
    count = len(batch.image)
    images = torch.arange(count).repeat(times)
    target = batch.target if batch.target is None or times == 1 else output.permute(batch.target, images)
    joined = replace(batch, image=batch.image[images], target=target, valid=batch.valid[images])
    if isinstance(joined, Mixed):
        order = torch.cat([joined.order + count * copy for copy in range(times)])
        source = repeat_batch(joined.source, times, output)
        return replace(joined, source=source, order=order, weight=joined.weight.repeat(times))
    if isinstance(joined, Pasted):
        first, second = (repeat_batch(each, times, output) for each in joined.sources)
        return replace(joined, sources=(first, second), mask=joined.mask[images])
    return joined


def first_images(batch: Batch, count: int, output: OutputSpace) -> Batch:
    """Cut a batch of the loader down to its first images."""
    kept = torch.arange(count)
    target = None if batch.target is None else output.permute(batch.target, kept)
    return replace(batch, image=batch.image[:count], target=target, valid=batch.valid[:count])
