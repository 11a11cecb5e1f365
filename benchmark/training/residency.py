"""Where training samples are augmented: on the host, or on the device that the images then live on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import torch

from tasks.annotations.kind import kind_of
from tasks.base import Dataset, Task
from tasks.data.resident import host_only
from tasks.data.resize import resize_sample, target_size
from tasks.errors import InputError

SHARE = 4  # images may take one in so many bytes of a device


class Placement(NamedTuple):
    """Whether images live on the device, and why."""

    resident: bool
    why: str

    def __str__(self) -> str:
        return f"{'device' if self.resident else 'host'}: {self.why}"


def decide(
    cache: str,
    task: Task,
    dataset: Dataset,
    size: int | Sequence[int] | None,
    device: torch.device,
    *,
    crops_vary: bool = False,
) -> Placement:
    """Choose where the training images of a task live.

    They may live on the device where the task and its kind of annotation are augmented in batches, all images and all
    crops have one size, and together they take at most a quarter of the device's memory. ``data.cache=auto`` lets them
    on a GPU.

    Args:
        cache: what ``data.cache`` says.
        task: what is learned.
        dataset: where the images come from.
        size: at which a network sees them, see ``tasks.data.resize.target_size``.
        device: what computes.
        crops_vary: whether a recipe cuts crops of several sizes, ``crop_share``.

    Raises InputError where ``data.cache=device`` asks for what cannot be.
    """
    asked = cache == "device"
    if not asked and cache != "auto":
        return Placement(False, f"data.cache={cache}")
    if not asked and device.type != "cuda":
        return Placement(False, f"data.cache=auto, and device={device.type}")
    varying = "crop_share cuts crops of several sizes" if crops_vary else None
    fault = host_only(task) or varying or _size_fault(dataset, size) or _memory_fault(task, dataset, size, device)
    if fault is None:
        return Placement(True, f"data.cache={cache}, and the images fit")
    if asked:
        raise InputError(f"data.cache=device: {fault}; use data.cache=auto")
    return Placement(False, fault)


def _size_fault(dataset: Dataset, size: int | Sequence[int] | None) -> str | None:
    if dataset.uniform or (size is not None and not isinstance(size, int)):
        return None
    return f"the images of data={dataset.name} may differ in size, which data.size=[height,width] would end"


def _memory_fault(task: Task, dataset: Dataset, size: int | Sequence[int] | None, device: torch.device) -> str | None:
    sample = dataset.load("train", 0)
    sample = resize_sample(sample, target_size(sample.image, size))
    maps = kind_of(task.annotation).geometry(sample.annotations[task.annotation]).maps
    need = len(dataset.ids("train")) * sum(array.nbytes for array in (sample.image, *maps.values()))
    have = memory(device)
    if need * SHARE <= have:
        return None
    return f"the images take {need / 1e9:.1f} GB, more than a quarter of the device's {have / 1e9:.1f} GB"


def memory(device: torch.device) -> int:
    """Return the bytes of memory that a device has, used or not."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
