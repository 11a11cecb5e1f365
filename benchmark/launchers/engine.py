"""What the launchers share: a job is sent as words, and its result collected, whatever becomes of the others."""

from __future__ import annotations

import os
import signal
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from benchmark.config import compose
from tasks.errors import InputError

SIGNAL = 128  # as a shell reports an end by a signal: this and its number
STOPPED = SIGNAL + signal.SIGINT
Words = Sequence[str]
Task = Callable[[DictConfig], "Result"]


@dataclass(frozen=True)
class Result:
    """What became of a job: its exit code, what there is to say of it, and whether it was lost on the way."""

    code: int
    said: str = ""
    lost: bool = False

    @property
    def stopped(self) -> bool:
        """Whether somebody asked the job to stop."""
        return self.code > SIGNAL


class Engine(Launcher):
    """A launcher of Hydra that runs every job, and returns a result for each, in the order of the jobs."""

    @property
    def device(self) -> str | None:
        """The kind of device that jobs see, cpu or cuda, where the engine decides; None: that of this machine."""
        return None

    @property
    def places(self) -> int:
        """How many jobs run side by side; 1 where nobody can say so before they are sent."""
        return 1

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take over what a job is: Hydra calls this before it launches."""
        self.task = task_function

    def launch(self, job_overrides: Sequence[Words], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs; the return value of each is a ``Result``, that of one which never started says so."""
        results = dict(self.collect(self.task, [list(words) for words in job_overrides]))
        return [returned(words, results.get(index, Result(STOPPED))) for index, words in enumerate(job_overrides)]

    @abstractmethod
    def collect(self, task: Task, jobs: Sequence[Words]) -> Iterator[tuple[int, Result]]:
        """Run jobs, and give the place of each with its result as soon as it is known."""


def work(task: Task, folder: Path, words: Words) -> Result:
    """Run one job in a process of an engine, in the folder of the command that sent it."""
    os.chdir(folder)
    try:
        return task(compose.composed(words))
    except KeyboardInterrupt:
        return Result(STOPPED)


def returned(words: Words, result: Result) -> JobReturn:
    """Wrap a result as Hydra has it."""
    done = JobReturn(overrides=words, status=JobStatus.COMPLETED)
    done.return_value = result
    return done


def missing(launcher: str, extra: str, error: ImportError) -> InputError:
    """Say which extra a launcher needs."""
    return InputError(f"hydra/launcher={launcher} needs {error.name}: pip install 'densedistill[{extra}]'")
