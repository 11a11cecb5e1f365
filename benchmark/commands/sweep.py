"""``benchmark run``: one configuration, or every combination of comma lists on any launcher of Hydra."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape

from benchmark.commands import table
from benchmark.commands.boards import write_home
from benchmark.config import compose
from benchmark.config.file_words import read_files
from benchmark.config.schema import Config
from benchmark.run import Run
from benchmark.runs.planned_runs import DONE
from benchmark.runs.teachers import TeacherError
from benchmark.training.device import DeviceLost
from benchmark.training.interrupt import Interrupted
from benchmark.training.ranks import RankLost
from leaderboards import store
from leaderboards.record import Record
from tasks.errors import InputError

STOPPED = 130  # as a shell reports SIGINT


class SweepError(Exception):
    """A job of a sweep did not end well; its records say why."""


def run_all(words: Sequence[str], multirun: bool, console: Console) -> int:
    """Run one configuration, or a sweep that is checked whole before any of it starts; return the exit code."""
    if not multirun:
        config = compose.load(words)
        code = execute(config, console)
        write_home(Path(config.home), console)
        return code
    words = read_files(words)
    compose.check_words(words)
    homes = {compose.load(job).home for job in combinations(words)}
    try:
        return _launch(words, console)
    finally:  # once for all jobs, which may have run side by side; also for those before a stop
        for home in sorted(homes):
            if (Path(home) / store.RECORDS).is_dir():
                write_home(Path(home), console)


def _launch(words: Sequence[str], console: Console) -> int:
    """Have Hydra run every job of a sweep on its launcher."""
    with _command_line(["--multirun", *words]):
        try:
            hydra.main(version_base="1.3", config_path="pkg://benchmark.conf", config_name="config")(_job)()
        except SweepError as error:
            console.print(str(error), markup=False, highlight=False)
            return 1
    return 0


def combinations(words: Sequence[str]) -> list[list[str]]:
    """Expand comma lists and ranges into one list of words a job; raises InputError for a sweep without steps."""
    choices: dict[str, list[str]] = {}  # a key that is given twice counts once, as Hydra's own sweeper has it
    for override in OverridesParser.create().parse_overrides(list(words)):
        key = override.get_key_element()
        if not override.is_sweep_override():
            choices[key] = [str(override.input_line)]
        elif override.is_discrete_sweep():
            choices[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise InputError(f"'{override.input_line}': expected a list or a range of values, such as {key}=0,1,2")
    return [list(job) for job in itertools.product(*choices.values())]


def _job(composed: DictConfig) -> None:
    """Run one job of a sweep, perhaps in another process."""
    console = Console(soft_wrap=not sys.stdout.isatty())
    config = compose.typed(composed)
    code = execute(config, console)
    if code == STOPPED:
        raise KeyboardInterrupt
    if code:
        raise SweepError(f"at least one job of the sweep did not end well; see the records in {config.home}/records")


def execute(config: Config, console: Console) -> int:
    """Run a configuration; return 0 when all went well, 1 when a run failed, 130 when it was stopped."""
    run = Run(config, console)
    try:
        records = run.execute()
    except Interrupted as stopped:
        console.print(escape(f"{stopped}; the same command goes on from there"), highlight=False)
        return STOPPED
    except (TeacherError, DeviceLost, RankLost) as error:
        console.print(escape(str(error)), highlight=False)
        return 1
    table.show(records, console)
    _show_paths(records, Path(config.home), console)
    return 0 if all(record.status in DONE for record in records) else 1


def _show_paths(records: Sequence[Record], home: Path, console: Console) -> None:
    for record in records:
        console.print(escape(f"record   {home / store.RECORDS / record.run_id}.json"), highlight=False)
        for name in ("student", "panel"):
            path = getattr(record.artifacts, name)
            if path is not None:
                console.print(escape(f"{name:8} {home / path}"), highlight=False)


@contextmanager
def _command_line(arguments: list[str]) -> Iterator[None]:
    """Give Hydra, which reads sys.argv, the words of the sweep, and have it raise errors instead of exiting."""
    argv, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = [argv[0], *arguments], "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
