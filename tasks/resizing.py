"""Bringing maps to one size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PRODUCTS = 128  # largest side of maps that are resized by products, whose cost a pixel grows with it


def resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring maps (N,C,h,w) to ``size`` (H,W), bilinear with ``align_corners=False``; half precision becomes float32.

    Small maps are multiplied from both sides by the matrices of the interpolation, whose backward pass is products too:
    torch's own takes several times as long on a CPU (``perf/resize.py``), and adds in any order on a GPU.
    """
    if maps.dtype in (torch.bfloat16, torch.float16):
        maps = maps.float()
    if maps.shape[-2:] == size:
        return maps
    if max(maps.shape[-2:]) > PRODUCTS:
        return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
    down, across = (
        _interpolation(*sides, maps.dtype, maps.device) for sides in zip(maps.shape[-2:], size, strict=True)
    )
    return down @ (maps.contiguous() @ across.mT)


def _interpolation(source: int, target: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Lay out linear interpolation along one side as a matrix (target, source)."""
    lines = torch.eye(source, dtype=dtype, device=device)[None]
    return F.interpolate(lines, size=target, mode="linear", align_corners=False)[0].mT.contiguous()


def align(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Resize the larger of two maps (N,C,h,w) to the smaller one's size."""
    size = (min(a.shape[-2], b.shape[-2]), min(a.shape[-1], b.shape[-1]))
    return resize(a, size), resize(b, size)
