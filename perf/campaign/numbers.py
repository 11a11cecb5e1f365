"""Extreme numbers in every numeric field of a record: boards are written all the same, or the record is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from leaderboards import store
from perf.campaign.case import Case, require
from perf.campaign.finished import COHORT, finished, record_of
from perf.campaign.homes import snapshot
from perf.campaign.process import benchmark
from perf.campaign.strings import Place, with_value

EXTREME: tuple[float, ...] = (0, -1, 1.5, 1e308, -1e308, 5e-324, 2**53, 10**30, 10**400)


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every number, put into every numeric field of a record."""
    for value in EXTREME:
        yield Case(f"{value:.3g}" if abs(value) < 10**100 else "a number of 400 digits", partial(_counted, value))


def _counted(value: float, folder: Path) -> None:
    """Make two records for every field, of two seeds and one track, and have every format written."""
    record = record_of(finished(*COHORT), "mgd").model_dump(mode="json")
    fields = list(numbers(record))
    require(len(fields) > 40, f"only {len(fields)} numeric fields were found")
    for number, field in enumerate(fields):
        for seed in (0, 1):
            if (made := with_value({**record, "seed": seed}, field, value, 2 * number + seed, number)) is not None:
                store.write(made, folder / "home" / store.RECORDS)
    formats = [word for name in ("md", "csv", "json", "html", "svg") for word in ("--format", name)]
    before = snapshot(folder)
    for words in (["write", *formats], ["validate"], ["statements"]):
        outcome = benchmark(["leaderboard", words[0], "home", *words[1:]], folder)
        require("Traceback" not in outcome.text, f"{words[0]}: {outcome.tail}")
        require(outcome.code in (0, 1), f"{words[0]}: exit code {outcome.code}: {outcome.tail}")
    after = snapshot(folder)
    require(all(after[name] == before[name] for name in before), "a record was changed")
    board = (folder / "home/leaderboards/leaderboard.json").read_text()
    json.loads(board, parse_constant=lambda name: require(False, f"{name} in JSON"))


def numbers(value: Any, path: Place = ()) -> Iterator[Place]:
    """List the places of a JSON value that hold numbers."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:1]):
            yield from numbers(item, (*path, index))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path
