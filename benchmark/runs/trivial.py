"""Scores of predictors that look at no image: learned and scored once for task, data and labels, then kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmark.runs.folders import held
from benchmark.runs.identity import SHORT, problem_facts
from benchmark.training.conditions import Watch
from benchmark.training.kept import read_kept
from benchmark.training.problem import Problem
from leaderboards.atomic import atomic_write
from leaderboards.values import digest, finite
from tasks.base import Sample

Scores = dict[str, dict[str, float | None]]  # predictor -> metric -> score on the test split
MOST = 512  # labeled images to learn from, evenly spread over them: more would not change a median


def scores(problem: Problem) -> Scores | None:
    """Read what is kept; None where nothing was scored yet."""
    path = _path(problem)
    if not path.exists():
        return None
    kept: Scores = read_kept(path, ("scores",), "delete it to have these predictors scored again")["scores"]
    return kept


def ensure_scored(problem: Problem, watch: Watch) -> None:
    """Learn the task's trivial predictors and score them on the test split, where nobody has."""
    path = _path(problem)
    with held(path.parent, lambda: watch.progress.message("another process scores trivial predictors; waiting")):
        if not path.exists():
            watch.progress.message(f"scoring predictors that look at no image, {path.name}")
            content = {"facts": _facts(problem), "scores": _score(problem)}
            atomic_write(path, json.dumps(content, indent=2) + "\n")


def _facts(problem: Problem) -> dict[str, object]:
    return {key: value for key, value in problem_facts(problem).items() if key != "numerics"}


def _path(problem: Problem) -> Path:
    name = f"{problem.task.name}-{digest(_facts(problem))[:SHORT]}.json"
    return Path(problem.config.home) / "trivial" / name


def _score(problem: Problem) -> Scores:
    task = problem.task
    predictors = task.trivial(_samples(problem))
    metrics = {name: task.metric() for name in predictors}
    if not predictors:
        return {}
    for index in range(len(problem.dataset.ids("test"))):
        sample = problem.dataset.load("test", index)
        size, truth = task.truth_size(sample), task.truth(sample)
        for name, predict in predictors.items():
            metrics[name].update(predict(size), truth)
    return {name: finite(metric.compute()) for name, metric in metrics.items()}


def _samples(problem: Problem) -> Iterator[Sample]:
    """Load labeled training images, one after the other."""
    labeled = problem.partition.labeled
    step = max(1, -(-len(labeled) // MOST))
    return (problem.dataset.load("train", index) for index in labeled[::step])
