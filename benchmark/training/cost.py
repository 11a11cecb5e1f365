"""What a network costs to run: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

WARM_UP, REPEATS = 3, 20


@dataclass(frozen=True)
class InferenceCost:
    """The cost of one forward pass in eval mode at batch 1."""

    params: int
    macs: int
    size: tuple[int, int]
    latency_ms_p50: float
    latency_ms_p95: float
    peak_mem_mb: float | None


def count_parameters(network: nn.Module) -> int:
    """Count the parameters of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, image: torch.Tensor) -> int:
    """Count multiply-accumulates of one forward pass: half of what torch's FLOP counter finds."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return counter.get_total_flops() // 2


def inference_cost(network: nn.Module, size: tuple[int, int], fabric: Fabric, frames: int = 1) -> InferenceCost:
    """Measure a network on one image of ``size`` (H,W) and so many frames in float32."""
    network.eval()
    image = torch.zeros(1, 3 * frames, *size, device=fabric.device)
    cuda = fabric.device.type == "cuda"
    macs = count_macs(network, image)
    if cuda:
        torch.cuda.reset_peak_memory_stats(fabric.device)
    milliseconds = []
    with torch.no_grad():
        for _ in range(WARM_UP + REPEATS):
            start = time.perf_counter()
            network(image)
            if cuda:
                torch.cuda.synchronize()
            milliseconds.append(1000 * (time.perf_counter() - start))
    p50, p95 = np.percentile(milliseconds[WARM_UP:], [50, 95])
    return InferenceCost(
        params=count_parameters(network),
        macs=macs,
        size=size,
        latency_ms_p50=float(p50),
        latency_ms_p95=float(p95),
        peak_mem_mb=torch.cuda.max_memory_allocated(fabric.device) / 2**20 if cuda else None,
    )
