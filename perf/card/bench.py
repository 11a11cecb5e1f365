"""What the measurements of a card share: the card, trainings on it in one home, and how weights are compared."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from benchmark.config import compose
from benchmark.run import Run
from benchmark.training.assemble import control
from benchmark.training.cohort import Cohort
from methods.base import methods
from tasks.base import tasks

TINY = ("data.size=64", "data.train=8", "data.val=2", "data.test=2", "recipe.batch=2", "teacher.recipe.batch=2")
Row = dict[str, Any]
Rows = Iterator[Callable[[], Row]]  # measurements, each made when it is called


class Bench:
    """A device, and trainings on it in one home, whose teachers are shared."""

    def __init__(self, device: str, tiny: bool, home: Path) -> None:
        self.device, self.tiny, self.home = torch.device(device), tiny, home
        self.steps = 3 if tiny else 12
        self.tasks = ["seg"] if tiny else sorted(tasks)
        self.methods = [control().name, *([] if tiny else sorted(set(methods) - {control().name, "mgd"})), "mgd"]

    @property
    def is_card(self) -> bool:
        return self.device.type == "cuda"

    def words(self, *words: str) -> list[str]:
        small = TINY if self.tiny else ()
        fixed = (f"device={self.device.type}", f"home={self.home}", "control=false", "teacher.recipe.steps=2")
        return [*small, *fixed, f"recipe.steps={self.steps}", *words]

    def run(self, *words: str) -> Run:
        return Run(compose.load(self.words(*words)), Console(file=io.StringIO()))

    def prepare(self, *words: str) -> Cohort:
        """Assemble a cohort of the methods that have a meaning for the task."""
        run = self.run(*words)
        return run.prepare([each for each in run.contestants if not each.refusal])

    def train(self, *words: str) -> Cohort:
        return finish(self.prepare(*words))

    def wait(self) -> None:
        if self.is_card:
            torch.cuda.synchronize()

    def typical(self, step: Callable[[], object]) -> float:
        """Median seconds of a step, warmed up."""
        seconds = []
        for _ in range(3 + (2 if self.tiny else 30)):
            self.wait()
            start = time.perf_counter()
            step()
            self.wait()
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds[3:])


def every(names: Sequence[str]) -> str:
    """Name methods as one cohort."""
    return f"method=[{','.join(names)}]"


def finish(cohort: Cohort) -> Cohort:
    """Train to the end, and leave nothing behind that a next training would take up."""
    cohort.train()
    for member in cohort.members:
        member.state_file.unlink(missing_ok=True)
    return cohort


def weights(cohort: Cohort) -> dict[str, Tensor]:
    """All of a student's weights in one vector, by method; of those that did not fail."""
    return {
        member.name: torch.cat([each.detach().flatten() for each in member.network.parameters()])
        for member in cohort.members
        if member.active
    }


def distance(a: Tensor, b: Tensor) -> float:
    """How far apart two students are, as a share of the first; zero only for equal bits."""
    return 0.0 if torch.equal(a, b) else max(float((a - b).norm() / a.norm()), torch.finfo(a.dtype).tiny)
