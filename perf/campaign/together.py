"""The same command in several processes at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from methods.base import methods
from perf.campaign.case import Case, require
from perf.campaign.finished import finished
from perf.campaign.homes import require_same, settled, with_an_earlier_run, words
from perf.campaign.process import Command
from tasks.base import tasks


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield races without end: two to four processes, any task and method."""
    while True:
        count, task = chance.choice((2, 3, 4)), chance.choice(sorted(tasks))
        name = chance.choice(sorted(name for name, cls in methods.items() if not cls.control))
        chosen = (f"task={task}", f"method=[none,{name}]")
        yield Case(f"{count} processes, {' '.join(chosen)}", partial(_race, chosen, count))


def _race(chosen: tuple[str, ...], count: int, folder: Path) -> None:
    """Start all of them; one must do the work, and the home must be that of one alone."""
    whole = settled(finished(*chosen))
    home = with_an_earlier_run(folder / "home")
    running = [Command(words("home", *chosen), folder) for _ in range(count)]
    outcomes = [each.wait() for each in running]
    for outcome in outcomes:
        require(outcome.code in (0, 1), f"exit code {outcome.code}: {outcome.tail}")
        require("Traceback" not in outcome.text, f"traceback: {outcome.tail}")
    lines = [line for outcome in outcomes for line in outcome.text.splitlines()]
    for stage in {line for line in lines if line.startswith(("students ", "teacher ")) and line.endswith(" steps")}:
        require(lines.count(stage) == 1, f"{lines.count(stage)} processes did the work: {stage}")
    require_same(home, whole)
