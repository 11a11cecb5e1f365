"""One configuration, or every combination of comma lists on whatever launcher Hydra is told to use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig
from rich.console import Console

from benchmark import config as configuration
from benchmark.execute import execute
from benchmark.files import read_files


class SweepError(Exception):
    """A job of a sweep did not end well; its records say why."""


def run_all(words: Sequence[str], multirun: bool, console: Console) -> int:
    """Run one configuration, or a sweep that is checked whole before any of it starts; return the exit code."""
    if not multirun:
        return execute(configuration.load(words), console)
    words = read_files(words)
    configuration.check_words(words)
    for combination in combinations(words):
        configuration.load(combination)
    with _command_line(["--multirun", *words]):
        try:
            hydra.main(version_base="1.3", config_path="conf", config_name="config")(_job)()
        except SweepError as error:
            console.print(str(error), markup=False, highlight=False)
            return 1
    return 0


def combinations(words: Sequence[str]) -> list[list[str]]:
    """Expand comma lists and ranges into one list of words a job."""
    overrides = OverridesParser.create().parse_overrides(list(words))
    batches = BasicSweeper.split_arguments(overrides, None)
    return [list(job) for batch in batches for job in batch]


def _job(composed: DictConfig) -> None:
    """Run one job of a sweep, perhaps in another process."""
    console = Console(soft_wrap=not sys.stdout.isatty())
    config = configuration.typed(composed)
    code = execute(config, console)
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise SweepError(f"at least one job of the sweep did not end well; see the records in {config.home}/records")


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
