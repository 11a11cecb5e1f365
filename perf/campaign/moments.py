"""Where a command stands: phases that tell an outsider when they begin and end."""

from __future__ import annotations

import importlib
import os
import select
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.data.cache import ROOT

PHASES = {  # what the command does -> the function that does it
    "training a teacher": "benchmark.runs.teachers:_train",
    "training students": "benchmark.training.cohort:Cohort.train",
    "evaluation": "benchmark.training.problem:Problem.evaluate",
    "rendering": "tasks.datasets.scenes:Scenes.load",
    "saving a resume state": "benchmark.training.member:save_state",
    "writing weights": "benchmark.run:save_weights",
    "writing a record": "leaderboards.store:write",
    "drawing panels": "benchmark.run:draw_panels",
    "writing boards": "benchmark.commands.boards:write_boards",
}


def watched(said: int) -> Callable[[], None]:
    """Return what a command must do first, so that it writes to a pipe, or file, when each phase begins and ends."""

    def prepare() -> None:
        for phase, place in PHASES.items():
            module, _, path = place.partition(":")
            *above, name = path.split(".")
            owner: Any = importlib.import_module(module)
            for each in above:
                owner = getattr(owner, each)
            setattr(owner, name, _telling(getattr(owner, name), phase, said))

    return prepare


def _telling(function: Callable[..., Any], phase: str, said: int) -> Callable[..., Any]:
    def told(*arguments: Any, **named: Any) -> Any:
        os.write(said, f"begin {phase}\n".encode())
        try:
            return function(*arguments, **named)
        finally:
            os.write(said, f"end {phase}\n".encode())

    return told


class Ear:
    """The other end of the pipe: hears phases as they begin and end, with the time."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        os.set_inheritable(self.writer, True)
        self._rest = b""

    def close_writer(self) -> None:
        """Leave the writing end to the command alone, so that its end is heard."""
        os.close(self.writer)

    def lines(self, patience: float) -> list[tuple[str, str]] | None:
        """Return what was said since, waiting a while; None at the end."""
        if not select.select([self._reader], [], [], patience)[0]:
            return []
        content = os.read(self._reader, 65536)
        if not content:
            return None
        *whole, self._rest = (self._rest + content).split(b"\n")
        return [tuple(line.decode().split(" ", 1)) for line in whole]  # type: ignore[misc]

    def close(self) -> None:
        """Stop listening."""
        os.close(self._reader)


def durations(listen: Callable[[], list[tuple[str, str]] | None]) -> dict[str, list[float]]:
    """Follow a command to its end, and return how long each phase took, each time."""
    began: dict[str, float] = {}
    found: dict[str, list[float]] = defaultdict(list)
    while (lines := listen()) is not None:
        for what, phase in lines:
            if what == "begin":
                began[phase] = time.monotonic()
            else:
                found[phase].append(time.monotonic() - began[phase])
    return dict(found)


def cache_of(folder: Path) -> dict[str, str]:
    """Return the environment in which a command renders everything anew."""
    return {ROOT: str(folder / "cache")}
