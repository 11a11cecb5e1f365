"""How an image is looked at where it is scored: whole or through a sliding window, and mirrored or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from lightning_fabric import Fabric
from torch import Tensor

from benchmark.config.schema import EvaluationConfig
from benchmark.training.step import predict
from tasks.base import Batch, OutputSpace, Prediction

Network = Callable[[Tensor], Prediction]


def look(network: Network, batch: Batch, output: OutputSpace, how: EvaluationConfig, fabric: Fabric) -> Prediction:
    """Return what a network predicts of whole images without padding; of several views, the mean of their raw maps.

    Windows overlap by at least ``how.overlap``; the last one of a row or column is moved inwards, and one larger than
    the image is cut. Then the prediction has one map, of the images' size, and nothing else.

    Raises InputError where the maps of views cannot be joined, as those of detectors.
    """
    if how.window is None and not how.flip:
        return predict(network, batch, fabric)
    maps = _slid(network, batch, output, how, fabric)
    if how.flip:
        mirrored = replace(batch, image=batch.image.flip(3))
        maps = (maps + _slid(network, mirrored, output, how, fabric).flip(3)) / 2
    size = (maps.shape[-2], maps.shape[-1])
    return Prediction((maps,), {}, {}, (), maps.new_zeros(len(maps), 0), size)


def _slid(network: Network, batch: Batch, output: OutputSpace, how: EvaluationConfig, fabric: Fabric) -> Tensor:
    """Average the maps of all windows, (N,C,H,W)."""
    height, width = batch.image.shape[-2:]
    tall, wide = how.window or (height, width)
    total, seen = None, batch.image.new_zeros(height, width)
    for down in _places(height, tall, how.overlap):
        for right in _places(width, wide, how.overlap):
            part = replace(batch, image=batch.image[..., down, right], inside=batch.inside[..., down, right])
            enlarged = output.enlarged(predict(network, part, fabric))
            total = enlarged.new_zeros(*enlarged.shape[:2], height, width) if total is None else total
            total[..., down, right] += enlarged
            seen[down, right] += 1
    assert total is not None
    return total / seen


def _places(length: int, window: int, overlap: float) -> Iterator[slice]:
    """Say where windows lie along a side."""
    window = min(window, length)
    stride = max(1, math.floor(window * (1 - overlap)))
    for number in range(math.ceil((length - window) / stride) + 1):
        start = min(number * stride, length - window)
        yield slice(start, start + window)
