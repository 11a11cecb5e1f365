"""How long a run will take, as far as finished runs tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from benchmark.config.schema import Config
from benchmark.training.assemble import control
from benchmark.training.budget import multiplied
from leaderboards import store
from leaderboards.record import Record


class Speeds:
    """Seconds of a training step, alone, from finished runs."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        for record in records:
            if record.status == "ok" and record.training.wall_s and record.training.steps:
                seconds = record.training.wall_s / record.training.steps
                self._seconds[record.task.name, record.method.name].append(seconds)

    @classmethod
    def of_home(cls, home: Path, more: Iterable[Record] = ()) -> Speeds:
        """Read them from the records of a home, which need not exist, and from more records."""
        return cls([*(store.read([home])[0] if (home / store.RECORDS).is_dir() else []), *more])

    def step(self, task: str, method: str) -> float | None:
        """Mean of the method on the task, else of all methods on the task; None where nothing has run."""
        known = self._seconds.get((task, method))
        on_task = [fmean(seconds) for (where, _), seconds in self._seconds.items() if where == task]
        return fmean(known) if known else fmean(on_task) if on_task else None

    def run(self, config: Config, method: str) -> float | None:
        """Seconds of a whole run; None where they are unknown."""
        timed = method if config.recipe.budget == "steps" else control().name  # whose time every method gets
        step = self.step(config.task["name"], timed)
        factor = config.recipe.factor if config.recipe.budget == "time" else 1.0
        return None if step is None else step * multiplied(config.recipe).steps * factor
