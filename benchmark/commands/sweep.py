"""``benchmark run``: one configuration, or every combination of comma lists on any launcher of Hydra."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from rich.markup import escape

from benchmark.commands.boards import write_home
from benchmark.commands.execute import Job, execute
from benchmark.config import catalog, compose
from benchmark.config.file_words import read_files
from benchmark.console import Console
from benchmark.launchers.engine import Result
from benchmark.launchers.launch import Launch, is_of_hydra
from benchmark.run import Run
from benchmark.runs.survey import Survey
from benchmark.runs.waves import Cohort, Sweep, Words, joined, parted, planned
from leaderboards import store
from leaderboards.render import text
from methods.base import methods
from tasks.errors import InputError


def run_all(words: Sequence[str], multirun: bool, console: Console, dry: bool = False) -> int:
    """Run one configuration, or a sweep that is checked whole before any of it starts; return the exit code.

    ``dry`` prints what would be done, and does nothing.
    """
    if not multirun and not dry:
        config = compose.load(words)
        code = execute(config, console).code
        write_home(Path(config.home), console)
        return code
    words = read_files(words)
    compose.check_words(words)
    catalog.load()
    asked = [word for word in words if not is_of_hydra(word)]
    jobs = joined(combinations(asked), methods) if multirun else [tuple(asked)]
    cohorts, homes = _looked_at(jobs)
    launch = Launch([word for word in words if is_of_hydra(word)], homes[0], Job(tuple(sys.argv), os.getpid()))
    sweep = parted(planned(cohorts), launch.places)
    for line in told(sweep, jobs):
        console.print(escape(line), highlight=False)
    if dry:
        return 0
    try:
        return _run(sweep, launch, console)
    finally:  # once for all jobs, which may have run side by side; also for those before a stop
        for home in sorted(set(homes)):
            if (home / store.RECORDS).is_dir():
                write_home(home, console)


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


def _looked_at(jobs: Iterable[Words]) -> tuple[list[Cohort], list[Path]]:
    """Compose every job, and say what it would run, and in which home; raises InputError for one that cannot be."""
    survey, cohorts, homes = Survey(), [], []
    for words in jobs:
        config = compose.load(words)
        cohorts.append(survey.cohort(words, config))
        homes.append(Path(config.home))
    return cohorts, homes


def told(sweep: Sweep, jobs: Sequence[Words]) -> list[str]:
    """Say what a sweep will do: how many runs, how long, what is finished; then a line a job, in order."""
    runs = [run for cohort in sweep.cohorts for run in cohort.runs]
    known = [run.seconds for run in runs if run.seconds is not None]
    unknown = len(runs) - len(known)
    parts = [f"{len(runs)} runs in {len(sweep.cohorts)} jobs"]
    parts += [f"{len(sweep.teachers)} teachers first"] if sweep.teachers else []
    parts += [f"{len(sweep.finished)} finished already"] if sweep.finished else []
    parts += [f"{text.seconds(sum(known))}, each alone"] if known else []
    parts += [f"{unknown} of unknown length, since no run of their task has finished"] if unknown else []
    common = set.intersection(*(set(job) for job in jobs))
    return [
        f"sweep: {', '.join(parts)}",
        *(_line(job.words, common, [f"teacher {job.teacher.role} {job.teacher.id}"]) for job in sweep.teachers),
        *(_line(cohort.words, common, [run.method for run in cohort.runs]) for cohort in sweep.cohorts),
    ]


def _line(words: Words, common: Collection[str], what: Sequence[str]) -> str:
    special = [word for word in words if word not in common and word.partition("=")[0] not in ("method", "only")]
    return f"  {' '.join([*special, ', '.join(what)])}"


def _run(sweep: Sweep, launch: Launch, console: Console) -> int:
    """Make the teachers, then run the cohorts; whoever lacks a teacher, or was lost for good, gets a record of it."""
    if not sweep.cohorts:
        return 0
    made = launch([job.words for job in sweep.teachers])
    missing = {job.teacher.id: result.said for job, result in zip(sweep.teachers, made, strict=True) if result.code}
    results = list(made)
    if not any(result.stopped for result in made):
        sweep, hopeless = sweep.without(missing)
        for cohort in hopeless:
            lacks = {teacher.id for run in cohort.runs for teacher in run.teachers} & missing.keys()
            _give_up(cohort, "; ".join(missing[teacher] for teacher in sorted(lacks)), launch.device, console)
        done = launch([cohort.words for cohort in sweep.cohorts])
        for cohort, result in zip(sweep.cohorts, done, strict=True):
            if result.lost:
                _give_up(cohort, f"lost: {result.said}", launch.device, console)
        results += done
    return _code(results, console)


def _give_up(cohort: Cohort, reason: str, device: str | None, console: Console) -> None:
    """Record that the runs of a cohort failed, where this machine can tell their names: the device is part of them."""
    config = compose.load(cohort.words)
    run = Run(config, console)
    if config.device == "auto" and device not in (None, run.problem.fabric.device.type):
        names = ", ".join(run.method for run in cohort.runs)
        console.print(escape(f"{names}: {reason}; no record, which takes a node with {device}"), highlight=False)
    else:
        run.give_up(reason)


def _code(results: Iterable[Result], console: Console) -> int:
    """Tell what went wrong, once each, and return the exit code of the worst: stopped, bad input, failed."""
    results = list(results)
    for said in dict.fromkeys(result.said for result in results if result.code and result.said):
        console.print(f"[bold red]error:[/] {escape(said)}", highlight=False)
    return max((result.code for result in results), default=0)
