"""``benchmark protocol plan``: what a protocol's matrix still lacks, the commands that train it, and how long."""

from __future__ import annotations

import itertools
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

from lightning_fabric import Fabric
from rich.console import Console
from rich.markup import escape

from benchmark.commands.protocol import choose
from benchmark.commands.sweep import combinations
from benchmark.config import compose, protocols
from benchmark.config.schema import Config, Stage
from benchmark.runs import planned_runs
from benchmark.runs.planned_runs import Contestant
from benchmark.runs.teachers import about, plan_stand_ins, plan_teachers
from benchmark.training.assemble import control
from benchmark.training.budget import multiplied
from benchmark.training.device import build_fabric
from benchmark.training.problem import Problem
from leaderboards import store
from leaderboards.record import Record
from methods.base import Method, methods
from tasks.errors import InputError, nearest

SELECTIONS = {  # words for methods in a stage, beside their names
    "control": lambda cls: cls.control,
    "learners": lambda cls: bool(cls.needs.teachers),
    "regularisers": lambda cls: cls.regulariser,
}


@dataclass
class Lack:
    """What is missing of one stage."""

    runs: int = 0  # that the stage has
    missing: int = 0
    seconds: float = 0.0  # that the missing ones take, each alone; those of unknown length left out
    unknown: int = 0  # of the missing ones, without a finished run to tell their length
    teachers: set[str] = field(default_factory=set)  # ids of those to be trained
    tasks: dict[str, None] = field(default_factory=dict)  # where runs are missing, in order
    seeds: dict[int, None] = field(default_factory=dict)


def plan(name: str, home: Path, tasks: Sequence[str], console: Console) -> int:
    """Print what every stage of a protocol's matrix lacks, with the command that trains it; nothing is trained.

    Raises InputError for an unknown protocol, task or method.
    """
    protocol = protocols.read(name)
    chosen = choose(protocol, tasks)
    if not protocol.matrix:
        raise InputError(f"protocol {name} has no matrix: nothing to plan; expected stages below 'matrix' in its file")
    speeds = Speeds(store.read([home])[0] if (home / store.RECORDS).is_dir() else [])
    total, fabric = Lack(), build_fabric("cpu", "32")
    for number, stage in enumerate(protocol.matrix, start=1):
        names = select(stage.methods)
        where = [task for task in chosen if task in (stage.tasks or chosen)]
        lack = _lack(stage, where, names, name, home, fabric, speeds)
        _add(total, lack)
        console.print(escape(f"{number}. {stage.title}: {_said(lack)}"), highlight=False)
        if lack.missing:
            words = [f"protocol={name}", f"task={','.join(lack.tasks)}", f"seed={','.join(map(str, lack.seeds))}"]
            words += [f"method=[{','.join(names)}]", *stage.words, f"home={home}"]
            console.print(escape(f"   benchmark run -m {shlex.join(words)}"), highlight=False)
    console.print(escape(f"all: {_said(total)}"), highlight=False)
    return 0


def select(names: Sequence[str]) -> list[str]:
    """Turn names of methods and of selections into names of methods, built-in ones for a selection, each once."""
    found: dict[str, None] = {}
    for name in names:
        if name not in SELECTIONS and name not in methods:
            raise InputError(f"matrix: unknown method '{name}'{nearest(name, [*SELECTIONS, *methods])}")
        found |= dict.fromkeys(_selected(name) if name in SELECTIONS else [name])
    return list(found)


def _selected(selection: str) -> Iterator[str]:
    chosen: Iterable[tuple[str, type[Method]]] = methods.items()
    return (name for name, cls in chosen if SELECTIONS[selection](cls) and methods.origin(name).built_in)


class Speeds:
    """Seconds of a training step, alone, from finished runs."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        for record in records:
            if record.status == "ok" and record.training.wall_s and record.training.steps:
                each = record.training.wall_s / record.training.steps
                self._seconds[record.task.name, record.method.name].append(each)

    def step(self, task: str, method: str) -> float | None:
        """Mean of the method on the task, else of all methods on the task; None where nothing has run."""
        own = self._seconds.get((task, method))
        others = [fmean(each) for (where, _), each in self._seconds.items() if where == task]
        return fmean(own) if own else fmean(others) if others else None


def _lack(
    stage: Stage,
    tasks: Sequence[str],
    names: Sequence[str],
    protocol: str,
    home: Path,
    fabric: Fabric,
    speeds: Speeds,
) -> Lack:
    lack, seeds = Lack(), protocols.read(protocol).seeds
    for task, words in itertools.product(tasks, combinations(stage.words) if stage.words else [[]]):
        fixed = [f"protocol={protocol}", f"task={task}", f"method=[{','.join(names)}]", f"home={home}", "control=false"]
        config = compose.load([*fixed, *words])
        problem = Problem(config, fabric)
        for seed in seeds:
            own = replace(config, seed=seed, teacher=replace(config.teacher, seed=seed % config.teacher.seeds))
            for contestant in _contestants(problem, own):
                _count(lack, contestant, own, speeds)
    return lack


def _contestants(problem: Problem, config: Config) -> list[Contestant]:
    problem.config = config
    track = plan_teachers(problem, config.teacher)
    plans = track if config.teacher.control == "trained" else plan_stand_ins(problem, config)
    return planned_runs.gather(problem, config, track, plans)


def _count(lack: Lack, contestant: Contestant, config: Config, speeds: Speeds) -> None:
    lack.runs += 1
    if contestant.finished:
        return
    lack.missing += 1
    lack.tasks[config.task["name"]] = lack.seeds[config.seed] = None
    if contestant.refusal:
        return  # recorded as not applicable, which takes no time
    timed = contestant.name if config.recipe.budget == "steps" else control().name  # whose time every method gets
    step = speeds.step(config.task["name"], timed)
    if step is None:
        lack.unknown += 1
    else:
        lack.seconds += step * multiplied(config.recipe).steps
    taught = {contestant.plans[teacher].id: contestant.plans[teacher] for teacher in contestant.roles.values()}
    lack.teachers |= {key for key, each in taught.items() if each.recipe and about(each, contestant.home) is None}


def _add(total: Lack, lack: Lack) -> None:
    total.runs, total.missing = total.runs + lack.runs, total.missing + lack.missing
    total.seconds, total.unknown = total.seconds + lack.seconds, total.unknown + lack.unknown
    total.teachers |= lack.teachers


def _said(lack: Lack) -> str:
    if not lack.missing:
        return f"complete, {lack.runs} runs"
    parts = [f"{lack.missing} of {lack.runs} runs missing"]
    parts += [f"{lack.seconds / 3600:.1f} hours, each alone"] if lack.seconds else []
    parts += [f"{lack.unknown} of unknown length: no run of their task has finished"] if lack.unknown else []
    parts += [f"{len(lack.teachers)} teachers to train before"] if lack.teachers else []
    return ", ".join(parts)
