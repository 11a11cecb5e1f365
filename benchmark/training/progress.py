"""What a person sees while a run works: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_EVERY = 10.0  # seconds between two plain lines


class Progress:
    """Shows stage, step, terms, images a second and the time that is left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bar: Bar | None = None
        self._stage, self._steps = "", 0
        self._began = self._spoke = time.monotonic()
        self._first = 0

    def message(self, text: str) -> None:
        """Say one thing."""
        self.console.print(escape(text), highlight=False)

    def begin(self, stage: str, steps: int, start: int = 0) -> None:
        """Open a stage of training."""
        self.end()
        self._stage, self._steps, self._first = stage, steps, start
        self._began = self._spoke = time.monotonic()
        if start:
            self.message(f"{stage}: resumed at step {start} of {steps}")
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, TextColumn("{task.fields[detail]}"), console=self.console, transient=True)
            self._task = self._bar.add_task(escape(stage), total=steps, completed=start, detail="")
            self._bar.start()
        else:
            self.message(f"{stage}: {steps - start} steps")

    def advance(self, reached: int, terms: Mapping[str, Mapping[str, float]], batch: int) -> None:
        """Show how far training is, and the last terms of each member."""
        now = time.monotonic()
        rate = (reached - self._first) / max(now - self._began, 1e-9)
        values = " | ".join(f"{name} {_terms(last)}" for name, last in terms.items())
        if self._bar is not None:
            detail = escape(f"{rate * batch:.0f} images/s  {values}")
            self._bar.update(self._task, completed=reached, detail=detail)
        elif now - self._spoke >= LINE_EVERY or reached == self._steps:
            self._spoke = now
            left = (self._steps - reached) / max(rate, 1e-9)
            self.message(
                f"{self._stage}: step {reached}/{self._steps}, {rate * batch:.0f} images/s, {left:.0f} s left; {values}"
            )

    def end(self) -> None:
        """Close the stage."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _terms(last: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:.3g}" for name, value in last.items())
