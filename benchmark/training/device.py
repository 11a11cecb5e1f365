"""Where and how exactly a run computes: device, precision, memory format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment, find_free_network_port
from torch import nn

from benchmark.config.schema import PRECISIONS
from benchmark.training.strided import subsample_strided
from tasks.errors import InputError

MOST_WORKERS = 8
CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # read by cuBLAS when its first handle is made


class DeviceLost(Exception):  # noqa: N818 - named for what happened
    """A GPU that computes nothing any more in this process: an error killed its context."""

    def __init__(self, where: str, step: int, error: BaseException) -> None:
        super().__init__(
            f"the GPU's context died, noticed in {where} at step {step}: {error}. Kernels run later than they are "
            "called, so another run of the cohort may be at fault: repeat the command with CUDA_LAUNCH_BLOCKING=1, "
            "or with one method at a time"
        )


def is_alive(device: torch.device) -> bool:
    """Say whether a device still computes; on a GPU whose context died every call raises."""
    if device.type != "cuda":
        return True
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True


def why_no_gpu() -> str:
    """Say why torch sees no CUDA device."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if torch.version.cuda is None:
        return "this build of torch has no CUDA"
    if visible is not None and visible.strip() in ("", "-1"):
        return (
            f"CUDA_VISIBLE_DEVICES='{visible}' hides every card, as launchers do that were not asked for one "
            "(ray: hydra.launcher.ray.remote.num_gpus=1)"
        )
    if any(Path("/dev").glob("nvidia[0-9]*")):
        return "a card is there, but torch cannot use it: look at nvidia-smi and the driver's version"
    return "torch finds no CUDA device on this machine"


def choose(device: str) -> tuple[str, str]:
    """Return the device that ``auto`` stands for, any other as it is, and why it was chosen."""
    if device != "auto":
        return device, "asked for"
    if torch.cuda.is_available():
        return "cuda", f"device=auto takes a GPU where there is one: {torch.cuda.get_device_name()}"
    kind = "mps" if torch.backends.mps.is_available() else "cpu"
    return kind, f"device=auto, and {why_no_gpu()}"


class Place(LightningEnvironment):
    """The place of a process among those of this machine that share each batch, all of which the suite starts.

    Args:
        rank: of the process.
        port: at which the first one awaits the others; a free one, unless it is known.
    """

    def __init__(self, rank: int = 0, port: int | None = None) -> None:
        super().__init__()
        self.rank, self._port = rank, port

    creates_processes_externally = True
    main_address = "127.0.0.1"

    @property
    def main_port(self) -> int:
        """Return the port, found when it is first asked for."""
        if self._port is None:
            self._port = find_free_network_port()
        return self._port

    def local_rank(self) -> int:
        """Return the rank: there is one machine."""
        return self.rank

    def node_rank(self) -> int:
        """Return 0."""
        return 0


def build_fabric(
    device: str,
    precision: str,
    *,
    tf32: bool = False,
    deterministic: bool = False,
    devices: int = 1,
    place: Place | None = None,
) -> Fabric:
    """Build lightning-fabric's object for one device, or for the processes that share ``devices`` of them.

    Says how exactly torch computes on it. Raises InputError for an unknown device or an absent one: there is no falling
    back to another.
    """
    kind, _, number = choose(device)[0].partition(":")
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in present or (number and not number.isdigit()):
        raise InputError(f"device={device}: expected auto, cpu, cuda, cuda:N or mps")
    if not present[kind] or (kind == "cuda" and number and int(number) >= torch.cuda.device_count()):
        why = f" ({why_no_gpu()})" if kind == "cuda" and not present[kind] else ""
        raise InputError(f"device={device}: there is none on this machine{why}; use device=auto or device=cpu")
    if devices > 1:
        _check_devices(kind, number, devices)
    set_numerics(tf32, deterministic)
    chosen = [int(number)] if number and kind == "cuda" else devices
    shared: dict[str, Any] = {"strategy": "ddp", "plugins": [place or Place()]} if devices > 1 else {}
    fabric = Fabric(accelerator=kind, devices=chosen, precision=PRECISIONS[precision], **shared)
    if kind == "cuda":
        torch.cuda.set_device(fabric.device)
    return fabric


def _check_devices(kind: str, number: str, devices: int) -> None:
    """Raise InputError where there are not so many devices."""
    if number:
        raise InputError(
            f"device={kind}:{number} names one card, but devices={devices}; use device={kind}, which takes the first "
            "ones: CUDA_VISIBLE_DEVICES says which these are"
        )
    if kind not in ("cpu", "cuda"):
        raise InputError(f"devices={devices}: device={kind} has one; use devices=1")
    if kind == "cuda" and (cards := torch.cuda.device_count()) < devices:
        raise InputError(f"devices={devices}: this machine has {cards}; use devices={cards}")


def set_numerics(tf32: bool, deterministic: bool) -> None:
    """Say how exactly torch computes in this process, where nothing narrower than a process can be told.

    Args:
        tf32: let a GPU round the factors of float32 products to 10 bits; convolutions do so unless they are told.
        deterministic: only algorithms that give the same bits every time; cuDNN does not try which one is fastest.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.deterministic = deterministic
    if deterministic:
        os.environ.setdefault(CUBLAS_WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    # Filling what is unset takes a kernel for each new tensor, and no tensor is read unset.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property of a module


def place(network: nn.Module, fabric: Fabric, channels_last: bool) -> nn.Module:
    """Move a network to the device, in the memory format asked for."""
    network = fabric.to_device(network)
    if not channels_last:
        return network
    if fabric.device.type == "cpu":
        network = subsample_strided(network)
    return network.to(memory_format=torch.channels_last)


def ready(network: nn.Module, compiled: bool) -> nn.Module:
    """Return what computes a network's forward passes, in training and in evaluation: itself, or it compiled."""
    if not compiled:
        return network
    wrapped: nn.Module = torch.compile(network)  # type: ignore[assignment]  # a module comes back as a module
    return wrapped


def default_workers(fabric: Fabric, workers: int | None) -> int:
    """Choose the number of loader processes: none on a CPU, whose cores train, up to eight beside a GPU."""
    if workers is not None:
        return workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores //= fabric.world_size
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
    if fabric.world_size > 1:
        facts["devices"] = fabric.world_size
    if fabric.device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(fabric.device)
    return facts


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 - a pseudo-file, absent outside Linux
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return ""
