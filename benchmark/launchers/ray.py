"""``hydra/launcher=ray``: the jobs of a sweep as tasks of Ray, on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmark.launchers.engine import SIGNAL, STOPPED, Engine, Result, Task, Words, missing, work
from benchmark.training.interrupt import Stop

LOOK = 1.0  # seconds between two looks at whether somebody asked to stop


class RayLauncher(Engine):
    """Makes each job a task of Ray, which starts it again elsewhere when its process or its node dies.

    Args:
        ray: ``init``, what ``ray.init`` is given; ``remote``, what ``ray.remote`` is given: ``num_gpus`` may be a
            fraction, ``max_retries`` says how often a lost job is started again.
    """

    def __init__(self, ray: Mapping[str, Mapping[str, Any]]) -> None:
        self.init, self.remote = dict(ray["init"]), dict(ray["remote"])

    @property
    def device(self) -> str | None:
        """A job has a card where it asked for one; else it sees what its node has."""
        return "cuda" if self.remote.get("num_gpus") else None

    def collect(self, task: Task, jobs: Sequence[Words]) -> Iterator[tuple[int, Result]]:
        """Give all jobs to Ray, and results as they come; when asked to stop, have the jobs save and return."""
        try:
            import ray
        except ImportError as error:
            raise missing("ray", "ray", error) from error
        if not ray.is_initialized():
            ray.init(**self.init)
        job = ray.remote(**self.remote)(work)
        places = {job.remote(task, Path.cwd(), list(words)): index for index, words in enumerate(jobs)}
        told = False
        with Stop() as stop:
            while places:
                if stop.requested and not told:
                    told = True
                    for reference in places:
                        ray.cancel(reference)
                for reference in ray.wait(list(places), timeout=LOOK)[0]:
                    result = _result(reference)
                    if told and result.stopped:  # Ray asks a job in its own way, whatever asked this process
                        result = replace(result, code=SIGNAL + stop.requested)
                    yield places.pop(reference), result


def _result(reference: Any) -> Result:
    import ray

    try:
        result: Result = ray.get(reference)
    except ray.exceptions.TaskCancelledError:
        return Result(STOPPED)
    except ray.exceptions.RayError as error:
        return Result(1, f"{type(error).__name__}: {str(error).splitlines()[0]}", lost=True)
    return result
