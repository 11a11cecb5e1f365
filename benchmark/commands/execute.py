"""One configuration run, and a job of a sweep, which is the same in whatever process a launcher has it run."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig
from rich.markup import escape

from benchmark.commands import table
from benchmark.config import compose
from benchmark.config.schema import Config
from benchmark.console import Console
from benchmark.launchers.engine import SIGNAL, Result
from benchmark.run import Run
from benchmark.runs.planned_runs import DONE
from benchmark.runs.teachers import TeacherError
from benchmark.training.device import DeviceLost
from benchmark.training.interrupt import Interrupted
from benchmark.training.ranks import RankLost
from leaderboards import store
from leaderboards.errors import RecordError
from leaderboards.record import Record
from tasks.errors import InputError


def execute(config: Config, console: Console) -> Result:
    """Run a configuration; the code is 0 when all went well, 1 when a run failed, 128 plus a signal that stopped it."""
    run = Run(config, console)
    try:
        records = run.execute()
    except Exception as error:
        if (result := ended(error)) is None:
            raise
        console.print(escape(result.said), highlight=False)
        return result
    if records:
        table.show(records, console)
        _show_paths(records, Path(config.home), console)
    if run.stop.requested:  # too late for this run, which is done, but not for those after it
        said = "stopped once this run was done"
        console.print(said)
        return Result(SIGNAL + run.stop.requested, said)
    failed = [record for record in records if record.status not in DONE]
    return Result(min(1, len(failed)), "; ".join(f"{record.method.name} {_why(record)}" for record in failed))


def ended(error: Exception) -> Result | None:
    """Turn what ended a run, and is no fault of the program, into a result; None for any other error."""
    if isinstance(error, Interrupted):
        return Result(SIGNAL + error.number, f"{error}; the same command goes on from there")
    if isinstance(error, TeacherError | DeviceLost | RankLost):
        return Result(1, str(error))
    return None


@dataclass(frozen=True)
class Job:
    """What Hydra's launchers run for each job of a sweep: nothing that goes wrong in it leaves it but as a result.

    Args:
        argv: the command line of the sweep, for the records.
        process: that of the sweep; a job that was stopped in it stops the sweep.
    """

    argv: tuple[str, ...]
    process: int

    def __call__(self, composed: DictConfig) -> Result:
        """Run a job; raises KeyboardInterrupt where it was stopped in the process of the sweep."""
        sys.argv = list(self.argv)
        try:
            result = execute(compose.typed(composed), Console(soft_wrap=not sys.stdout.isatty()))
        except (InputError, RecordError) as error:
            return Result(2, str(error))
        except Exception as error:
            traceback.print_exc()
            return Result(1, f"{type(error).__name__}: {error}")
        if result.stopped and os.getpid() == self.process:
            raise KeyboardInterrupt
        return result


def _why(record: Record) -> str:
    return f"{record.status}: {record.status_reason}"


def _show_paths(records: Sequence[Record], home: Path, console: Console) -> None:
    for record in records:
        console.print(escape(f"record   {home / store.RECORDS / record.run_id}.json"), highlight=False)
        for name in ("student", "panel"):
            path = getattr(record.artifacts, name)
            if path is not None:
                console.print(escape(f"{name:8} {home / path}"), highlight=False)
