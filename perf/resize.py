"""Bilinear enlargement by products against torch's own, forward and backward: ``python perf/resize.py``.

For every size, (N,C,h,w) by a factor of four with the gradient that a loss leaves; printed are the medians of REPEATS,
one thread, alternating.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks import resizing

REPEATS = 15
SIZES = ((8, 13, 16, 16), (8, 13, 24, 24), (8, 1, 24, 24), (2, 19, 64, 64), (2, 19, 128, 128), (2, 19, 128, 256))


def torchs(values: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(values, size=size, mode="bilinear", align_corners=False)


def milliseconds(form: Callable[[Tensor, tuple[int, int]], Tensor], values: Tensor) -> float:
    height, width = values.shape[-2:]
    begin = time.perf_counter()
    made = form(values, (4 * height, 4 * width))
    made.backward(torch.ones(made.shape))
    return 1000 * (time.perf_counter() - begin)


def main() -> None:
    """Print a line for every size."""
    torch.set_num_threads(1)
    resizing.PRODUCTS = max(max(size) for size in SIZES)  # at any size, to see where it stops to pay
    for size in SIZES:
        values = torch.randn(size).contiguous(memory_format=torch.channels_last).requires_grad_()
        pairs = [(milliseconds(torchs, values), milliseconds(resizing.resize, values)) for _ in range(REPEATS)]
        theirs, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"{size}: torch {theirs:7.2f} ms, products {ours:7.2f} ms, {theirs / ours:.1f} x")


if __name__ == "__main__":
    main()
