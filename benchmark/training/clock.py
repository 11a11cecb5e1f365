"""Time spent, without making the GPU wait for the CPU."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch

TeacherPass = tuple[str, str]  # a teacher's prediction, by the names of the teacher and of the batch


class Timer(Protocol):
    """Marks moments, and tells later how far they lie apart."""

    def mark(self) -> Any:
        """Mark this moment in the order of what is computed."""

    def seconds(self, begin: Any, end: Any) -> float:
        """Return the seconds between two moments that lie behind."""

    def wait(self) -> None:
        """Wait until every marked moment lies behind."""


class HostTimer:
    """The processor's time."""

    def mark(self) -> float:
        """Read the clock."""
        return time.perf_counter()

    def seconds(self, begin: float, end: float) -> float:
        """Subtract."""
        return end - begin

    def wait(self) -> None:
        """Return at once: what was called has been done."""


class DeviceTimer:
    """A GPU's time: events on its stream, so that stretches that follow one another never overlap."""

    def mark(self) -> torch.cuda.Event:
        """Put an event behind all that the stream has still to do."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(self, begin: torch.cuda.Event, end: torch.cuda.Event) -> float:
        """Return the time between two events."""
        return begin.elapsed_time(end) / 1000

    def wait(self) -> None:
        """Wait for the device."""
        torch.cuda.synchronize()


class Clock:
    """Puts the durations of blocks into lists, when it is settled.

    The wait for data is measured by the same timer as all else: on a GPU only what the device idled for it counts, not
    what it worked meanwhile.

    Args:
        timer: what measures.
    """

    def __init__(self, timer: Timer) -> None:
        self.teachers: defaultdict[TeacherPass, list[float]] = defaultdict(list)  # seconds of their predictions
        self._timer = timer
        self._pending: list[tuple[Any, Any, tuple[list[float], ...]]] = []

    @classmethod
    def of(cls, device: torch.device) -> Clock:
        """Choose the timer of a device."""
        return cls(DeviceTimer() if device.type == "cuda" else HostTimer())

    @contextmanager
    def measure(self, *seconds: list[float]) -> Iterator[None]:
        """Append the duration of a block to each of the lists, as soon as the clock is settled."""
        begin = self._timer.mark()
        yield
        self._pending.append((begin, self._timer.mark(), seconds))

    def settle(self) -> None:
        """Wait for the device, and append every duration that is still owed."""
        if self._pending:
            self._timer.wait()
        for begin, end, lists in self._pending:
            duration = self._timer.seconds(begin, end)
            for seconds in lists:
                seconds.append(duration)
        self._pending.clear()
