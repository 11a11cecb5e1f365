"""``benchmark tune``: the same trials for every method, over the strength of its terms, on images held out for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState
from rich.console import Console
from rich.markup import escape

from benchmark.config import compose
from benchmark.config.strength import STRENGTH
from benchmark.run import Run
from leaderboards import tuning
from leaderboards.record import Record
from leaderboards.tuning import Trial, TuningRecord
from tasks.errors import InputError

SHARE = "1/4"  # of the training split
FOLDER = "tuning"  # under home: the trials' own home, and the records of tuning


def strengths(trials: int, span: float) -> list[float]:
    """Space ``trials`` factors evenly in their logarithm from ``1/span`` to ``span``; 1 is always among them.

    Raises InputError for an even number of trials and for a span of at most 1.
    """
    if trials < 1 or trials % 2 == 0:
        raise InputError(f"--trials {trials}: expected an odd number, so that the method's own weights are among them")
    if span <= 1:
        raise InputError(f"--span {span}: expected a number above 1")
    exponents = np.linspace(-1, 1, trials) if trials > 1 else np.zeros(1)
    return [float(f"{span**exponent:.6g}") for exponent in exponents]


def tune(words: Sequence[str], trials: int, span: float, console: Console) -> int:
    """Tune the methods of a configuration and write one record of tuning each; return 1 where a method has no score.

    Every method gets the same strengths, seed, steps and teachers. Trials are runs like all others, so a repeated
    command finds the finished ones.
    """
    space = strengths(trials, span)
    base = compose.load(words)
    home = Path(base.home) / FOLDER
    fixed = [*words, f"home={home}", "control=false"]
    if base.data["tuning_split"] is None:
        fixed.append(f"data.tuning_split={SHARE}")
    studies = {name: _study(name, space) for name in base.methods if STRENGTH in base.methods[name]}
    if not studies:
        raise InputError("nothing to tune: no method of the command learns from a teacher")
    runs: dict[str, list[Record]] = {name: [] for name in studies}
    for _ in space:
        for name, record in _round(studies, space, fixed, console).items():
            runs[name].append(record)
    outcomes = [_conclude(name, study, runs[name], space, home, console) for name, study in studies.items()]
    return 0 if all(outcomes) else 1


def _study(name: str, space: Sequence[float]) -> optuna.Study:
    """Open a study whose trials are laid out beforehand, the same for every method, the gentlest first."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name=name)
    for strength in space:
        study.enqueue_trial({STRENGTH: strength})
    return study


def _round(
    studies: Mapping[str, optuna.Study], space: Sequence[float], fixed: Sequence[str], console: Console
) -> dict[str, Record]:
    """Run one trial of every method, side by side."""
    asked = {name: study.ask() for name, study in studies.items()}
    chosen = {name: trial.suggest_float(STRENGTH, min(space), max(space)) for name, trial in asked.items()}
    words = [f"method=[{','.join(studies)}]", *(f"methods.{name}.{STRENGTH}={each}" for name, each in chosen.items())]
    others = [word for word in fixed if not word.startswith("method=")]
    records = {record.method.name: record for record in Run(compose.load([*others, *words]), console).execute()}
    for name, trial in asked.items():
        goodness = _goodness(records[name])
        if goodness is None:
            studies[name].tell(trial, state=TrialState.FAIL)
        else:
            studies[name].tell(trial, -goodness)
        console.print(escape(f"{name}: {STRENGTH} {chosen[name]:g}: {_shown(records[name])}"), highlight=False)
    return records


def _goodness(record: Record) -> float | None:
    """The score, signed so that higher is better."""
    if record.status != "ok" or record.score is None:
        return None
    return record.score if record.scores.metrics[record.scores.primary_metric].higher_is_better else -record.score


def _shown(record: Record) -> str:
    return record.status if record.score is None else f"{record.scores.primary_metric} {record.score:.4f}"


def _conclude(
    name: str, study: optuna.Study, runs: Sequence[Record], space: Sequence[float], home: Path, console: Console
) -> bool:
    """Write what was tried and what was chosen; say which option uses it."""
    if not study.get_trials(states=[TrialState.COMPLETE]):
        console.print(escape(f"{name}: no trial ended with a score; nothing was chosen"), highlight=False)
        return False
    first = runs[0]
    record = TuningRecord(
        task=first.task.name,
        dataset=first.dataset.name,
        method=name,
        chosen=study.best_params[STRENGTH],
        primary_metric=first.scores.primary_metric,
        higher_is_better=_higher(runs),
        split=f"train: {first.dataset.options['tuning_split']} of it, held out, {first.dataset.n_test} images",
        manifest_sha256=first.dataset.manifest_sha256 or "",
        track_id=first.track_id,
        seed=first.seed,
        steps=int(first.protocol.recipe["steps"]),  # type: ignore[arg-type]  # a JSON value that is a number
        sampler=f"optuna {optuna.__version__}, strengths laid out beforehand",
        space={STRENGTH: list(space)},
        trials=[
            Trial(strength=run.method.options[STRENGTH], score=run.score, status=run.status, run_id=run.run_id)  # type: ignore[arg-type]
            for run in runs
        ],
    )
    path = tuning.write(record, home)
    edge = ", at the edge of what was tried" if record.at_the_edge else ""
    console.print(escape(f"{name}: chosen methods.{name}.{STRENGTH}={record.chosen:g}{edge}; {path}"), highlight=False)
    return True


def _higher(runs: Sequence[Record]) -> bool:
    scored = next(run for run in runs if run.score is not None)
    return scored.scores.metrics[scored.scores.primary_metric].higher_is_better
