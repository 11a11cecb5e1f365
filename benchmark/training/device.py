"""Where and how exactly a run computes: device, precision, memory format."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.config.schema import PRECISIONS
from tasks.errors import InputError

MOST_WORKERS = 8


def build_fabric(device: str, precision: str) -> Fabric:
    """Build lightning-fabric's object for one device; raises InputError for an unknown or absent one."""
    kind, _, number = device.partition(":")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in present or (number and not number.isdigit()):
        raise InputError(f"device={device}: expected auto, cpu, cuda, cuda:N or mps")
    if not present[kind] or (kind == "cuda" and number and int(number) >= torch.cuda.device_count()):
        raise InputError(f"device={device}: there is none on this machine; use device=auto or device=cpu")
    devices = [int(number)] if number and kind == "cuda" else 1
    fabric = Fabric(accelerator=kind, devices=devices, precision=PRECISIONS[precision])
    if kind == "cuda":
        torch.cuda.set_device(fabric.device)
        torch.backends.cudnn.benchmark = True
    return fabric


def place(network: nn.Module, fabric: Fabric, channels_last: bool) -> nn.Module:
    """Move a network to the device, in the memory format asked for."""
    network = fabric.to_device(network)
    return network.to(memory_format=torch.channels_last) if channels_last else network


def default_workers(fabric: Fabric, workers: int | None) -> int:
    """Choose the number of loader processes: none on a CPU, whose cores train, up to eight beside a GPU."""
    if workers is not None:
        return workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if fabric.device.type == "cpu" else min(MOST_WORKERS, max(1, cores - 1))


def hardware(fabric: Fabric) -> dict[str, str | int]:
    """Describe the device for the record."""
    import platform

    facts: dict[str, str | int] = {
        "device": fabric.device.type,
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
    }
    facts["cpu"] = _cpu_name() or platform.processor() or platform.machine()
    if fabric.device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(fabric.device)
    return facts


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 - a pseudo-file, absent outside Linux
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return ""
