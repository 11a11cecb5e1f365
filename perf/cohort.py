"""A cohort of methods against the same methods one by one: time, where it goes, and whether the weights are the same.

    python perf/cohort.py [KEY=VALUE...]

Without ``task=`` it goes through all tasks, without ``method=`` all methods take part. Printed are the ratio of
separate to together, the bound that the shares measured in the separate runs allow (data and each teacher's prediction
paid once), and where a step of the cohort spends its time. Data includes rendering or reading the images.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from rich.console import Console

from benchmark.config import compose
from benchmark.run import Run
from benchmark.training.assemble import control
from benchmark.training.clock import TeacherPass
from benchmark.training.cohort import Cohort
from methods.base import methods
from tasks.base import tasks

DEFAULTS = ("recipe.steps=20", "teacher.recipe.steps=2")


@dataclass
class Spent:
    """Seconds of a training by what they were spent on, and the weights that came of it."""

    total: float
    data: float
    teachers: dict[TeacherPass, float]
    critics: float
    weights: dict[str, bytes]

    @property
    def students(self) -> float:
        return self.total - self.data - sum(self.teachers.values()) - self.critics


def train(home: Path, words: Iterable[str]) -> Spent:
    run = Run(compose.load([*words, f"home={home}", "control=false"]), Console(file=io.StringIO()))
    cohort: Cohort = run.prepare(run.contestants)
    cohort.train()
    assert all(member.status == "ok" for member in cohort.members), [member.reason for member in cohort.members]
    weights = {
        each.name: safetensors.torch.save({key: value.contiguous() for key, value in each.network.state_dict().items()})
        for each in cohort.members
    }
    for member in cohort.members:
        member.state_file.unlink(missing_ok=True)
    return Spent(
        cohort.seconds,
        sum(cohort.members[0].timing.data),
        {name: sum(seconds) for name, seconds in cohort.clock.teachers.items()},
        sum(sum(member.timing.critic) for member in cohort.members),
        weights,
    )


def bound(separate: Iterable[Spent]) -> float:
    """Seconds of a cohort that pays for data and each teacher's prediction once, and for everything else in full."""
    separate = list(separate)
    predictions = {name for each in separate for name in each.teachers}
    shared = max(each.data for each in separate) + sum(
        max(each.teachers.get(name, 0.0) for each in separate) for name in predictions
    )
    return shared + sum(each.students + each.critics for each in separate)


def compare(task: str, names: list[str], words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        everyone = [f"task={task}", *words, f"method=[{','.join(names)}]"]
        train(home, [*everyone, "recipe.steps=2"])  # makes the teachers, loads libraries
        together = train(home, everyone)
        separate = {name: train(home, [f"task={task}", *words, f"method={name}"]) for name in names}
    same = all(each.weights[name] == together.weights[name] for name, each in separate.items())
    alone = sum(each.total for each in separate.values())
    print(
        f"{task:9} {len(names)} separate {alone:6.1f} s, together {together.total:6.1f} s: "
        f"{alone / together.total:.2f} x, bound {alone / bound(separate.values()):.2f} x; same bytes: {same}"
    )
    shares = {
        "data": together.data,
        "teachers": sum(together.teachers.values()),
        "students": together.students,
        "critic": together.critics,
    }
    print(" " * 10 + "together: " + ", ".join(f"{name} {each / together.total:.1%}" for name, each in shares.items()))
    for name, each in separate.items():
        print(f"{'':10}{name:11} alone {each.total:5.1f} s, data {each.data / each.total:.0%}", flush=True)


def main(words: list[str]) -> None:
    chosen = compose.load(words)
    given = {word.partition("=")[0] for word in words}
    names = list(chosen.methods) if "method" in given else [control().name, *sorted(set(methods) - {control().name})]
    others = [*DEFAULTS, *(word for word in words if word.partition("=")[0] not in ("task", "method"))]
    for task in [chosen.task["name"]] if "task" in given else sorted(tasks):
        compare(task, names, others)


if __name__ == "__main__":
    main(sys.argv[1:])
