"""Time spent, without making the GPU wait for the CPU."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch

Events = tuple[torch.cuda.Event, torch.cuda.Event]
TeacherPass = tuple[str, str]  # a teacher's prediction, by the names of the teacher and of the batch


class Clock:
    """Puts durations into lists: wall time on a CPU, CUDA events on a GPU, which are read only in ``settle``."""

    def __init__(self, device: torch.device) -> None:
        self.teachers: defaultdict[TeacherPass, list[float]] = defaultdict(list)  # seconds of their predictions
        self._cuda = device.type == "cuda"
        self._pending: list[tuple[Events, list[float]]] = []

    @contextmanager
    def measure(self, seconds: list[float]) -> Iterator[None]:
        """Append the duration of a block to ``seconds``, on a GPU when the clock is settled."""
        if not self._cuda:
            start = time.perf_counter()
            yield
            seconds.append(time.perf_counter() - start)
            return
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        yield
        end.record()
        self._pending.append(((begin, end), seconds))

    def settle(self) -> None:
        """Wait for the GPU, and append every duration that it still owes."""
        if self._pending:
            torch.cuda.synchronize()
        for (begin, end), seconds in self._pending:
            seconds.append(begin.elapsed_time(end) / 1000)
        self._pending.clear()
