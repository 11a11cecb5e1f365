"""``benchmark protocol plan``: what a protocol's matrix still lacks, the commands that train it, and how long."""

from __future__ import annotations

import itertools
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from benchmark.commands.faults import show_faults
from benchmark.commands.protocol import choose
from benchmark.commands.sweep import combinations
from benchmark.config import compose, protocols
from benchmark.config.quoting import word
from benchmark.config.schema import Config, Protocol, Stage
from benchmark.runs.planned_runs import DONE, Contestant
from benchmark.runs.speeds import Speeds
from benchmark.runs.survey import Survey, missing_teachers
from benchmark.training.assemble import control
from leaderboards import store
from leaderboards.record import Record
from leaderboards.render import text
from methods.base import Method, methods
from tasks.errors import InputError, nearest

SELECTIONS = {  # words for methods in a stage, beside their names
    "control": lambda cls: cls.control,
    "learners": lambda cls: bool(cls.needs.teachers),
    "regularisers": lambda cls: cls.regulariser,
}


Cell = tuple[str, tuple[str, ...]]  # a task, and a combination of a stage's words


@dataclass
class Lack:
    """What is missing of one stage."""

    runs: int = 0  # that the stage has
    missing: int = 0
    spent: float = 0.0  # seconds of training that the finished ones took, each alone
    seconds: float = 0.0  # that the missing ones take, each alone; those of unknown length left out
    unknown: int = 0  # of the missing ones, without a finished run to tell their length
    teachers: set[str] = field(default_factory=set)  # ids of those to be trained
    cells: dict[Cell, dict[str, list[int]]] = field(default_factory=dict)  # seeds that are missing of each method


def plan(name: str, home: Path, published: Sequence[Path], tasks: Sequence[str], console: Console) -> int:
    """Print what every stage of a protocol's matrix lacks, with the commands that train it; nothing is trained.

    Records of ``published``, whose students need not be at hand, count as those of ``home`` do.

    Raises InputError for an unknown protocol, task or method, RecordError where a path of ``published`` does not exist.
    """
    protocol = protocols.read(name)
    chosen = choose(protocol, tasks)
    if not protocol.matrix:
        raise InputError(f"protocol {name} has no matrix: nothing to plan; expected stages below 'matrix' in its file")
    records, faults = store.read(published)
    show_faults(faults, console)
    total, stock = Lack(), Stock(protocol, home, records)
    for number, stage in enumerate(protocol.matrix, start=1):
        names = select(stage.methods)
        where = [task for task in chosen if task in (stage.tasks or chosen)]
        lack = stock.lack(stage, where, names)
        _add(total, lack)
        console.print(escape(f"{number}. {stage.title}: {_said(lack)}"), highlight=False)
        for words in _commands(stage, lack):
            command = shlex.join([f"protocol={name}", *words, word("home", str(home))])
            console.print(escape(f"   benchmark run -m {command}"), highlight=False)
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


class Stock:
    """The runs that there are already, in a home or as records alone."""

    def __init__(self, protocol: Protocol, home: Path, records: Sequence[Record]) -> None:
        self.protocol, self.home = protocol, home
        self.records = {record.run_id: record for record in records if record.status in DONE}
        self.survey, self.speeds = Survey(), Speeds.of_home(home, records)

    def lack(self, stage: Stage, tasks: Sequence[str], names: Sequence[str]) -> Lack:
        """Count what a stage lacks of these tasks and methods."""
        lack = Lack()
        for task, words in itertools.product(tasks, combinations(stage.words)):
            for config in self._seeded([f"task={task}", _listed(names), *words]):
                for contestant in self.survey.contestants(config):
                    lack.runs += 1
                    record = self._record(contestant)
                    if record is not None:
                        lack.spent += record.training.wall_s or 0.0
                        continue
                    lack.cells.setdefault((task, tuple(words)), {}).setdefault(contestant.name, []).append(config.seed)
                    self._count(lack, contestant, config)
        return lack

    def _seeded(self, words: Sequence[str]) -> Iterator[Config]:
        config = compose.load([f"protocol={self.protocol.name}", *words, word("home", str(self.home)), "control=false"])
        for seed in self.protocol.seeds:
            yield replace(config, seed=seed, teacher=replace(config.teacher, seed=seed % config.teacher.seeds))

    def _record(self, contestant: Contestant) -> Record | None:
        return contestant.record if contestant.finished else self.records.get(contestant.identity.run_id)

    def _count(self, lack: Lack, contestant: Contestant, config: Config) -> None:
        lack.missing += 1
        if contestant.refusal:
            return  # recorded as not applicable, which takes no time
        seconds = self.speeds.run(config, contestant.name)
        lack.seconds += seconds or 0.0
        lack.unknown += seconds is None
        lack.teachers |= {teacher.id for teacher in missing_teachers([contestant]) if teacher.steps}


def _commands(stage: Stage, lack: Lack) -> Iterator[list[str]]:
    """Words of the commands that train what a stage lacks and nothing else: one for all tasks that lack the same."""
    every = [tuple(words) for words in combinations(stage.words)]
    grids: dict[tuple[tuple[str, ...], tuple[int, ...]], dict[str, list[tuple[str, ...]]]] = {}
    for (task, words), absent in lack.cells.items():
        alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for name, lacking in absent.items():
            alike[tuple(lacking)].append(name)
        for seeds, together in alike.items():
            grids.setdefault((tuple(together), seeds), {}).setdefault(task, []).append(words)
    for (names, seeds), tasks in grids.items():
        swept: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for task, several in tasks.items():
            for words in [tuple(stage.words)] if several == every else several:
                swept[words].append(task)
        alone = [] if control().name in names else ["control=false"]  # it is a row of another stage
        for words, where in swept.items():
            heard = [each for each in words if _concerns(each, names)]
            yield [f"task={','.join(where)}", f"seed={','.join(map(str, seeds))}", _listed(names), *alone, *heard]


def _concerns(word: str, names: Sequence[str]) -> bool:
    """Say whether a word is no other method's option, of which a run without that method knows nothing."""
    group, _, option = word.partition(".")
    return group != "methods" or option.split(".")[0] in names


def _listed(names: Sequence[str]) -> str:
    return f"method=[{','.join(names)}]"


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
