"""Time spent by name, without making the GPU wait for the CPU."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Clock:
    """Collects durations by name: wall time on a CPU, CUDA events on a GPU, which are read only in ``collect``."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._events: dict[str, list[tuple[torch.cuda.Event, torch.cuda.Event]]] = defaultdict(list)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the duration of a block under ``name``."""
        if not self._cuda:
            start = time.perf_counter()
            yield
            self._seconds[name].append(time.perf_counter() - start)
            return
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        yield
        end.record()
        self._events[name].append((begin, end))

    def collect(self) -> dict[str, list[float]]:
        """Return the seconds of every block measured since the last call, by name, and start anew."""
        if self._events:
            torch.cuda.synchronize()
        for name, pairs in self._events.items():
            self._seconds[name] += [begin.elapsed_time(end) / 1000 for begin, end in pairs]
        collected = dict(self._seconds)
        self._seconds, self._events = defaultdict(list), defaultdict(list)
        return collected
