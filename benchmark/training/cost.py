"""What a network costs to run: parameters, multiply-accumulates, latency, memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmark.training.activations import peak_activations
from tasks.networks.encoder_decoder import AUXILIARY

WARM_UP, REPEATS = 3, 20
MANY, PIXELS = 32, 2**21  # images a batch for the throughput, fewer where they have more pixels together
BATCHES = 3  # that are timed


@dataclass(frozen=True)
class InferenceCost:
    """The cost of forward passes in eval mode: one image at a time, and ``batch`` of them for ``images_per_s``."""

    params: int
    macs: int
    size: tuple[int, int]
    latency_ms_p50: float
    latency_ms_p95: float
    peak_mem_mb: float | None
    activation_mb: float
    batch: int
    images_per_s: float


def count_parameters(network: nn.Module) -> int:
    """Count the parameters of a network, without those of a head for training alone."""
    return sum(weight.numel() for name, weight in network.named_parameters() if AUXILIARY not in name.split("."))


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
    beside = 0  # what else lies on the device
    if cuda:
        torch.cuda.reset_peak_memory_stats(fabric.device)
        own = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers(), image))
        beside = torch.cuda.memory_allocated(fabric.device) - own
    p50, p95 = np.percentile(_seconds(network, image, WARM_UP, REPEATS), [50, 95])
    peak = (torch.cuda.max_memory_allocated(fabric.device) - beside) / 2**20 if cuda else None
    batch = max(1, min(MANY, PIXELS // (size[0] * size[1])))
    together = np.median(_seconds(network, image.expand(batch, -1, -1, -1).contiguous(), 1, BATCHES))
    return InferenceCost(
        params=count_parameters(network),
        macs=macs,
        size=size,
        latency_ms_p50=1000 * float(p50),
        latency_ms_p95=1000 * float(p95),
        peak_mem_mb=peak,
        activation_mb=peak_activations(network, image) / 2**20,
        batch=batch,
        images_per_s=batch / float(together),
    )


def _seconds(network: nn.Module, image: torch.Tensor, warm_up: int, repeats: int) -> list[float]:
    """Time forward passes, after some that do not count."""
    seconds = []
    with torch.no_grad():
        for _ in range(warm_up + repeats):
            start = time.perf_counter()
            network(image)
            if image.is_cuda:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
    return seconds[warm_up:]
