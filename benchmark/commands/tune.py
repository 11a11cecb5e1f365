"""``benchmark tune``: the same trials for every method, or for the control, on images held out for it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape

from benchmark.config import compose
from benchmark.config.file_words import read_files
from benchmark.config.quoting import word
from benchmark.config.schema import Config
from benchmark.config.strength import STRENGTH
from benchmark.run import Run
from benchmark.runs.planned_runs import STUDENT
from benchmark.training.assemble import control
from benchmark.training.interrupt import Interrupted
from leaderboards import tuning
from leaderboards.record import Record
from leaderboards.tuning import Parameter, Trial, TuningRecord
from tasks.errors import InputError

SHARE = "1/4"  # of the training split
FOLDER = "tuning"  # under home: the trials' own home, and the records of tuning
WIDER = 4  # times that a space is extended by one value, at most


@dataclass(frozen=True)
class Tried:
    """One value and its runs, one a seed; ``goodness`` is signed so that higher is better."""

    value: float
    runs: tuple[Record, ...]

    @property
    def goodness(self) -> tuple[float, ...]:
        """Scores of the runs; none where any of them did not end well."""
        scores = [_goodness(run) for run in self.runs]
        return tuple(score for score in scores if score is not None) if None not in scores else ()


def grid(usual: float, trials: int, span: float) -> list[float]:
    """Space ``trials`` values evenly in their logarithm from ``usual / span`` to ``usual * span``, itself among them.

    Raises InputError for an even number of trials and for a span of at most 1.
    """
    if trials < 1 or trials % 2 == 0:
        raise InputError(f"--trials {trials}: expected an odd number, so that the own value is among them")
    if span <= 1:
        raise InputError(f"--span {span}: expected a number above 1")
    exponents = np.linspace(-1, 1, trials) if trials > 1 else np.zeros(1)
    return [float(f"{usual * span**exponent:.6g}") for exponent in exponents]


def wider(values: Sequence[float], upwards: bool) -> float:
    """Continue a grid by one value."""
    first, second = (values[-2], values[-1]) if upwards else (values[1], values[0])
    return float(f"{second * second / first:.6g}")


def choose(tried: Sequence[Tried], usual: float) -> float | None:
    """Choose by the one-standard-error rule: of the values as good as the best, the nearest to the usual one.

    As good is what lies within one standard error of the best mean (Breiman et al., Classification and Regression
    Trees, 1984); one seed has no error, so the best is chosen. None where no value was scored.
    """
    scored = {point.value: point.goodness for point in tried if point.goodness}
    if not scored:
        return None
    best = max(scored.values(), key=statistics.fmean)
    error = statistics.stdev(best) / math.sqrt(len(best)) if len(best) > 1 else 0.0
    good = [value for value, scores in scored.items() if statistics.fmean(scores) >= statistics.fmean(best) - error]
    return min(good, key=lambda value: (abs(math.log(value / usual)), value))


def tune(words: Sequence[str], trials: int, span: float, seeds: int, console: Console) -> int:
    """Tune the methods of a configuration and write one record of tuning each; return 1 where a method has no score.

    The parameter of a method is its strength, that of the control alone is the learning rate, which all methods share.
    Every method gets the same values, seeds, steps and teachers; while any choice lies at an edge, all get one value
    more. Trials are runs like all others, so a repeated command finds the finished ones.
    """
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: expected at least one seed")
    words = read_files(words)
    base = compose.load(words)
    methods, parameter, usual = _what(base)
    space = grid(usual, trials, span)
    home = Path(base.home) / FOLDER
    only = ",".join(f"{STUDENT}{name}" for name in methods)
    fixed = [*words, f"only=[{only}]", word("home", str(home)), "control=false"]
    if base.data["tuning_split"] is None:
        fixed.append(f"data.tuning_split={SHARE}")
    tried: dict[str, list[Tried]] = {name: [] for name in methods}
    untried = list(space)
    numbers = range(base.seed, base.seed + seeds)
    for _ in range(WIDER + 1):
        for value in untried:
            for name, runs in _try(methods, parameter, value, fixed, numbers, console).items():
                tried[name].append(Tried(value, runs))
        choices = [choice for name in methods if (choice := choose(tried[name], usual)) is not None]
        untried = _extension(space, choices)
        space = sorted([*space, *untried])
        if not untried:
            break
    done = [_conclude(name, tried[name], parameter, usual, base, home, console) for name in methods]
    return 0 if all(done) else 1


def _what(base: Config) -> tuple[list[str], Parameter, float]:
    """Say which methods are tuned, in what, and what their own value is."""
    learners = [name for name in base.methods if STRENGTH in base.methods[name]]
    if learners:
        return learners, "strength", 1.0
    if control().name in base.methods:
        return [control().name], "lr", base.recipe.lr
    raise InputError("nothing to tune: expected methods that learn from a teacher, or the control alone")


def _extension(space: Sequence[float], choices: Sequence[float]) -> list[float]:
    """List the values beyond the edges at which a choice lies; a space of one value has none."""
    if len(space) < 2:
        return []
    low = [wider(space, upwards=False)] if space[0] in choices else []
    return low + ([wider(space, upwards=True)] if space[-1] in choices else [])


def _try(
    methods: Sequence[str],
    parameter: Parameter,
    value: float,
    fixed: Sequence[str],
    seeds: Sequence[int],
    console: Console,
) -> dict[str, tuple[Record, ...]]:
    """Run one value of every method, side by side, for every seed."""
    keys = ["recipe.lr"] if parameter == "lr" else [f"methods.{name}.{STRENGTH}" for name in methods]
    words = [*fixed, *(f"{key}={value}" for key in keys)]
    rounds = [_run(compose.load([*words, f"seed={seed}"]), console) for seed in seeds]
    runs = {name: tuple(r for records in rounds for r in records if r.method.name == name) for name in methods}
    for name, records in runs.items():
        said = ", ".join(map(_shown, records))
        console.print(escape(f"{name}: {parameter} {value:g}: {said}"), highlight=False)
    return runs


def _run(config: Config, console: Console) -> list[Record]:
    """Run one trial; raises Interrupted where it was asked to stop too late for itself, but not for those after it."""
    run = Run(config, console)
    records = run.execute()
    if run.stop.requested:
        raise Interrupted("stopped between two trials", run.stop.requested)
    return records


def _goodness(record: Record) -> float | None:
    """The score, signed so that higher is better."""
    if record.status != "ok" or record.score is None:
        return None
    return record.score if record.scores.metrics[record.scores.primary_metric].higher_is_better else -record.score


def _shown(record: Record) -> str:
    return record.status if record.score is None else f"{record.scores.primary_metric} {record.score:.4f}"


def _conclude(
    name: str,
    tried: Sequence[Tried],
    parameter: Parameter,
    usual: float,
    base: Config,
    home: Path,
    console: Console,
) -> bool:
    """Write what was tried and what was chosen; say which option uses it."""
    chosen = choose(tried, usual)
    if chosen is None:
        console.print(escape(f"{name}: no trial ended with a score; nothing was chosen"), highlight=False)
        return False
    tried = sorted(tried, key=lambda point: point.value)
    runs = [run for point in tried for run in point.runs]
    first = next(run for run in runs if run.score is not None)
    values: list[JsonValue] = [point.value for point in tried]
    record = TuningRecord(
        task=first.task.name,
        dataset=first.dataset.name,
        method=name,
        protocol=base.protocol.name,
        parameter=parameter,
        chosen=chosen,
        own=usual,
        primary_metric=first.scores.primary_metric,
        higher_is_better=first.scores.metrics[first.scores.primary_metric].higher_is_better,
        split=f"train: {first.dataset.options['tuning_split']} of it, held out, {first.dataset.n_test} images",
        manifest_sha256=first.dataset.manifest_sha256 or "",
        track_id=first.track_id,
        seed=base.seed,
        steps=int(first.protocol.recipe["steps"]),  # type: ignore[arg-type]  # a JSON value that is a number
        sampler="a grid, laid out beforehand, one standard error towards the own value",
        space={parameter: values},
        trials=[
            Trial(value=point.value, seed=run.seed, score=run.score, status=run.status, run_id=run.run_id)
            for point in tried
            for run in point.runs
        ],
    )
    path = tuning.write(record, home)
    key = "recipe.lr" if parameter == "lr" else f"methods.{name}.{STRENGTH}"
    edge = ", at the edge of what was tried" if record.at_the_edge else ""
    console.print(escape(f"{name}: chosen {key}={record.chosen:g}{edge}; {path}"), highlight=False)
    return True
