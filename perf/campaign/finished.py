"""Homes of tiny runs that ended well, made once a campaign: what cases are copied from and held against."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from leaderboards import store
from leaderboards.record import Record
from perf.campaign.homes import with_an_earlier_run, words
from perf.campaign.process import benchmark

CHEAP = "task=count"
COHORT = (CHEAP, "method=[none,mgd]")


@functools.cache
def place() -> Path:
    """Return the folder of all of them."""
    folder = Path(tempfile.mkdtemp(prefix="finished "))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def finished(*chosen: str) -> Path:
    """Return a home in which the words were run to their end, beside an earlier record; not to be changed."""
    home = place() / f"{len(list(place().iterdir())):03d}"
    with_an_earlier_run(home)
    outcome = benchmark(words(home, *chosen), place())
    assert outcome.code in (0, 1), outcome.text  # 1: a method that has no meaning, or diverges, for the task
    return home


def copied(home: Path, *chosen: str) -> Path:
    """Copy a finished home, and return the copy."""
    shutil.copytree(finished(*chosen), home)
    return home


def record_of(home: Path, method: str) -> Record:
    """Return the record of a method's run."""
    (found,) = (each for each in store.read([home])[0] if each.method.name == method and each.provenance.config)
    return found


def unfinished(home: Path, method: str) -> Path:
    """Take a method's record out of a home, so that its run begins anew; return the run's folder."""
    run_id = record_of(home, method).run_id
    (home / store.RECORDS / f"{run_id}.json").unlink()
    return home / "runs" / run_id


def main_teacher(home: Path) -> Path:
    """Return the folder of the main teacher."""
    return home / "teachers" / record_of(home, "mgd").teachers[0].id
