"""The peak memory of training: on a GPU a member's own, beside others; on a CPU that of the process."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch

MIB = 2**20
OWN = (
    "peak of the device in the run's own updates, every tenth of them, less the networks, gradients and optimisers of "
    "the other {others} runs; with what the cohort shared in that step, images that live on the device among it"
)
PROCESS = "peak of the whole process since it started, {size} runs side by side"


class Holder(Protocol):
    """Who trains: it knows what it holds between two updates, and keeps its peak."""

    peak_bytes: int

    def held_bytes(self) -> int:
        """Count the bytes of networks, gradients and optimisers."""


class Allocator:
    """What torch knows of the memory of a GPU; kept on the host, so that asking waits for nothing."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def reset(self) -> None:
        """Let the peak begin anew."""
        torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """Return the largest number of bytes that were allocated since."""
        return torch.cuda.max_memory_allocated(self.device)


class PeakMemory:
    """Peak memory of the members of a cohort.

    Args:
        allocator: of the GPU that they train on; None on a CPU, where a process has no other figure than its own.
    """

    def __init__(self, allocator: Allocator | None) -> None:
        self._allocator = allocator

    @classmethod
    def of(cls, device: torch.device) -> PeakMemory:
        """Choose what a device can tell."""
        return cls(Allocator(device) if device.type == "cuda" else None)

    @contextmanager
    def watch(self, member: Holder, others: Sequence[Holder]) -> Iterator[None]:
        """Raise a member's peak to what an update of its took, less what the others hold meanwhile."""
        if self._allocator is None:
            yield
            return
        self._allocator.reset()
        yield
        held = sum(holder.held_bytes() for holder in others)
        member.peak_bytes = max(member.peak_bytes, self._allocator.peak() - held)

    def figure(self, member: Holder, size: int) -> tuple[float, str]:
        """Return a member's peak in MiB, and what that is, in a cohort of ``size``."""
        if self._allocator is None:
            unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, else kilobytes
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB, PROCESS.format(size=size)
        return member.peak_bytes / MIB, OWN.format(others=size - 1)
