"""``hydra/launcher=joblib``: the jobs of a sweep in processes of this machine, spread over its cards."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from benchmark.launchers.cards import OnACard
from benchmark.launchers.engine import SIGNAL, Engine, Result, Task, Words, missing, work
from benchmark.training.interrupt import Stop

APART = 2  # the fewest that joblib does not run in this very process


class JoblibLauncher(Engine):
    """Sends jobs to joblib's processes.

    When one of them dies, joblib gives up what all of them run: those jobs are run again, one at a time, and only one
    whose process dies then too is lost.

    Args:
        n_jobs: processes at a time; -1: one a core.
        options: more of ``joblib.Parallel``.
    """

    def __init__(self, n_jobs: int, **options: Any) -> None:
        self.n_jobs, self.options = n_jobs, options

    @property
    def places(self) -> int:
        """One a process, but no more than there are cards."""
        joblib = _joblib()
        return min(joblib.effective_n_jobs(self.n_jobs), torch.cuda.device_count() or sys.maxsize)

    def collect(self, task: Task, jobs: Sequence[Words]) -> Iterator[tuple[int, Result]]:
        """Run jobs side by side, then those that were running when a process died, each alone."""
        waiting, suspects = dict(enumerate(jobs)), dict[int, Words]()
        with Stop() as stop:
            while waiting and not stop.requested:
                sent: dict[int, Words] = {}
                try:
                    for index, result in self._parallel(task, _noted(waiting, sent, stop), self.n_jobs):
                        del waiting[index]
                        if result.stopped:  # whoever told the job need not have told this process
                            stop.requested = result.code - SIGNAL
                        yield index, result
                except BrokenProcessPool:
                    suspects |= {index: waiting.pop(index) for index in sent if index in waiting}
            for index, words in suspects.items():
                if not stop.requested:
                    yield self._alone(task, index, words)

    def _alone(self, task: Task, index: int, words: Words) -> tuple[int, Result]:
        try:
            (done,) = self._parallel(task, [(index, words)], APART)
        except BrokenProcessPool as error:
            return index, Result(1, f"its process died, beside others and alone: {error}", lost=True)
        return done

    def _parallel(self, task: Task, jobs: Iterable[tuple[int, Words]], processes: int) -> Iterator[tuple[int, Result]]:
        joblib = _joblib()
        run = joblib.Parallel(
            **{"batch_size": 1, "pre_dispatch": "n_jobs", **self.options},
            n_jobs=processes,
            backend="loky",
            return_as="generator_unordered",
            initializer=_deaf,
        )
        calls = (joblib.delayed(_numbered)(index, OnACard(task), Path.cwd(), words) for index, words in jobs)
        return run(calls)


def _joblib() -> ModuleType:
    try:
        import joblib
    except ImportError as error:
        raise missing("joblib", "joblib", error) from error
    return joblib


def _deaf() -> None:
    """Have an idle process ignore Ctrl-C: joblib kills all of them when one ends. One that trains listens again."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _noted(waiting: Mapping[int, Words], sent: dict[int, Words], stop: Stop) -> Iterator[tuple[int, Words]]:
    """Give jobs to whoever asks for the next, and note which were given; none when somebody asked to stop."""
    for index, words in list(waiting.items()):
        if stop.requested:
            return
        sent[index] = words
        yield index, words


def _numbered(index: int, task: Task, folder: Path, words: Words) -> tuple[int, Result]:
    return index, work(task, folder, words)
