"""``hydra/launcher=submitit_slurm``: the jobs of a sweep as an array of Slurm; ``submitit_local``: here."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.launchers.engine import SIGNAL, Engine, Result, Task, Words, missing, work
from tasks.errors import InputError

LOOK = 5.0  # seconds between two looks at what is done
TIMEOUTS = "max_num_timeout"


class SubmititLauncher(Engine):
    """Submits jobs through submitit, which requeues them when their time is over.

    Args:
        cluster: slurm or local.
        folder: of submitit's scripts, logs and results, shared by all nodes.
        max_num_timeout: how often a job may run into its time limit, save, and go on in a new one.
        parameters: of a job, as ``submitit.AutoExecutor.update_parameters`` has them.
    """

    def __init__(self, cluster: str, folder: str, max_num_timeout: int, parameters: dict[str, Any]) -> None:
        self.cluster, self.folder, self.timeouts, self.parameters = cluster, folder, max_num_timeout, parameters

    @property
    def device(self) -> str | None:
        """A job of Slurm has a card where it asked for one."""
        asks = any("gpu" in key or "gres" in key for key, value in self.parameters.items() if value)
        return None if self.cluster == "local" else "cuda" if asks else "cpu"

    def collect(self, task: Task, jobs: Sequence[Words]) -> Iterator[tuple[int, Result]]:
        """Submit all jobs, then those that were lost once more."""
        try:
            import submitit
        except ImportError as error:
            raise missing(f"submitit_{self.cluster}", "slurm", error) from error
        options = {f"{self.cluster}_{TIMEOUTS}": self.timeouts}
        try:
            executor = submitit.AutoExecutor(folder=self.folder, cluster=self.cluster, **options)
            executor.update_parameters(**self.parameters)
        except (RuntimeError, NameError, ValueError, AssertionError) as error:
            raise InputError(f"hydra/launcher=submitit_{self.cluster}: {error}") from error
        waiting = dict(enumerate(jobs))
        for last in (False, True):
            for index, result in self._submitted(executor, task, waiting):
                if last or not result.lost:
                    del waiting[index]
                    yield index, result

    def _submitted(self, executor: Any, task: Task, jobs: Mapping[int, Words]) -> Iterator[tuple[int, Result]]:
        """Submit jobs as one array, and give results as they come."""
        from submitit.helpers import as_completed

        if not jobs:
            return
        sent = executor.map_array(Requeued(task, Path.cwd()), [list(words) for words in jobs.values()])
        places = dict(zip((job.job_id for job in sent), jobs, strict=True))
        for job in as_completed(sent, poll_frequency=LOOK):
            yield places[job.job_id], _result(job)


class Requeued:
    """A job that submitit may start again: it goes on from what it saved.

    When the time is nearly over, Slurm sends the signal that submitit listens to: training saves and stops, and
    submitit requeues the job. After SIGTERM, by which a preemption begins, it saves and goes on until it is killed, and
    Slurm itself requeues it.
    """

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.folder = task, folder

    def __call__(self, words: Words) -> Result:
        """Run the job."""
        while (result := work(self.task, self.folder, words)).code == SIGNAL + signal.SIGTERM:
            pass
        return result

    def checkpoint(self, words: Words) -> Any:
        """Say what is to be run after a requeue: the same."""
        import submitit

        return submitit.helpers.DelayedSubmission(self, words)


def _result(job: Any) -> Result:
    error = job.exception()
    if error is None:
        result: Result = job.result()
        return result
    return Result(1, f"job {job.job_id}: {str(error).strip().splitlines()[-1]}", lost=True)
