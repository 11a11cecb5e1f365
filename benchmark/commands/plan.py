"""``benchmark protocol plan``: what a protocol's matrix still lacks, the commands that train it, and how long."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from benchmark.commands.protocol import choose
from benchmark.commands.sweep import combinations
from benchmark.config import compose, protocols
from benchmark.config.quoting import word
from benchmark.config.schema import Config, Stage
from benchmark.runs.planned_runs import Contestant
from benchmark.runs.speeds import Speeds
from benchmark.runs.survey import Survey, missing_teachers
from leaderboards.render import text
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
    spent: float = 0.0  # seconds of training that the finished ones took, each alone
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
    total, survey = Lack(), Survey()
    for number, stage in enumerate(protocol.matrix, start=1):
        names = select(stage.methods)
        where = [task for task in chosen if task in (stage.tasks or chosen)]
        lack = _lack(stage, where, names, name, home, survey)
        _add(total, lack)
        console.print(escape(f"{number}. {stage.title}: {_said(lack)}"), highlight=False)
        if lack.missing:
            words = [f"protocol={name}", f"task={','.join(lack.tasks)}", f"seed={','.join(map(str, lack.seeds))}"]
            words += [f"method=[{','.join(names)}]", *stage.words, word("home", str(home))]
            console.print(escape(f"   benchmark run -m {shlex.join(words)}"), highlight=False)
    console.print(escape(f"all: {_said(total)}"), highlight=False)
    return 0


def select(names: Sequence[str]) -> list[str]:
    """Turn names of methods and of selections into names of methods, built-in ones for a selection, each once."""
    chosen: dict[str, None] = {}
    for name in names:
        if name not in SELECTIONS and name not in methods:
            raise InputError(f"matrix: unknown method '{name}'{nearest(name, [*SELECTIONS, *methods])}")
        chosen |= dict.fromkeys(_selected(name) if name in SELECTIONS else [name])
    return list(chosen)


def _selected(selection: str) -> Iterator[str]:
    chosen: Iterable[tuple[str, type[Method]]] = methods.items()
    return (name for name, cls in chosen if SELECTIONS[selection](cls) and methods.origin(name).built_in)


def _lack(stage: Stage, tasks: Sequence[str], names: Sequence[str], protocol: str, home: Path, survey: Survey) -> Lack:
    lack, seeds = Lack(), protocols.read(protocol).seeds
    for task, words in itertools.product(tasks, combinations(stage.words) if stage.words else [[]]):
        fixed = [
            f"protocol={protocol}",
            f"task={task}",
            f"method=[{','.join(names)}]",
            word("home", str(home)),
            "control=false",
        ]
        config = compose.load([*fixed, *words])
        for seed in seeds:
            seeded = replace(config, seed=seed, teacher=replace(config.teacher, seed=seed % config.teacher.seeds))
            for contestant in survey.contestants(seeded):
                _count(lack, contestant, seeded, survey.speeds(home))
    return lack


def _count(lack: Lack, contestant: Contestant, config: Config, speeds: Speeds) -> None:
    lack.runs += 1
    if contestant.finished and contestant.record is not None:
        lack.spent += contestant.record.training.wall_s or 0.0
        return
    lack.missing += 1
    lack.tasks[config.task["name"]] = lack.seeds[config.seed] = None
    if contestant.refusal:
        return  # recorded as not applicable, which takes no time
    seconds = speeds.run(config, contestant.name)
    lack.seconds += seconds or 0.0
    lack.unknown += seconds is None
    lack.teachers |= {teacher.id for teacher in missing_teachers([contestant]) if teacher.steps}


def _add(total: Lack, lack: Lack) -> None:
    total.runs, total.missing = total.runs + lack.runs, total.missing + lack.missing
    total.spent, total.seconds = total.spent + lack.spent, total.seconds + lack.seconds
    total.unknown += lack.unknown
    total.teachers |= lack.teachers


def _said(lack: Lack) -> str:
    if not lack.runs:
        return "not for these tasks"
    if not lack.missing:
        return f"complete, {lack.runs} runs, took {text.seconds(lack.spent)}, each alone"
    parts = [f"{lack.missing} of {lack.runs} runs missing"]
    parts += [f"{text.seconds(lack.seconds)}, each alone"] if lack.seconds else []
    parts += [f"{lack.unknown} of unknown length: no run of their task has finished"] if lack.unknown else []
    parts += [f"{len(lack.teachers)} teachers to train before"] if lack.teachers else []
    parts += [f"finished ones took {text.seconds(lack.spent)}"] if lack.spent else []
    return ", ".join(parts)
