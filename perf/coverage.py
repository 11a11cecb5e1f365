"""Intervals of a gain under the null: how often they hold zero, and how often they claim a gain that is not there.

    python perf/coverage.py [--nulls 1000] [FOLDER ...]

Simulates boards of eight methods that are as good as the control on average over all seeds, teachers and images: 5
seeds, 3 teachers (seed modulo 3), 192 images. Cases with the deviations below, and one more a board of the folders
whose runs have per-image values. A line a way of making intervals: the share of 95 % intervals that miss zero (nominal
5 %), its standard error, and the mean width relative to an interval that knows the variance.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from leaderboards import image_values, store
from leaderboards.board import boards
from leaderboards.contrast import Interval, Strata, interval, prior, strata

SEEDS, TEACHERS, IMAGES, METHODS = 5, 3, 192, 8
DRAWS = 500  # of the bootstrap
# standard deviations of the differences, in units of the score: image, teacher, seed, rest
CASES = {
    "teachers alike": (0.05, 0.000, 0.006, 0.06),
    "teachers as seeds": (0.05, 0.006, 0.006, 0.06),
    "teachers twice seeds": (0.05, 0.012, 0.006, 0.06),
    "seeds and teachers quiet": (0.10, 0.002, 0.002, 0.06),
}
TAUGHT = [seed % TEACHERS for seed in range(SEEDS)]


def simulate(draw: np.random.Generator, case: tuple[float, float, float, float]) -> np.ndarray:
    """Draw differences (methods, seeds, images): half of the seeds' variance is the control's, which all share.

    Methods differ in the size of their effects: variances are spread by a factor of two either way.
    """
    image, teacher, seed, rest = case
    size = np.exp(draw.normal(0, 0.35, METHODS))[:, None, None]
    taught = draw.normal(0, teacher, (METHODS, TEACHERS))[:, TAUGHT, None]
    own, shared = (
        draw.normal(0, seed / math.sqrt(2), (METHODS, SEEDS, 1)),
        draw.normal(0, seed / math.sqrt(2), (SEEDS, 1)),
    )
    images = draw.normal(0, image, (METHODS, 1, IMAGES))
    return size * (images + taught + own) + shared + draw.normal(0, rest, (METHODS, SEEDS, IMAGES))


def analytic(
    with_teachers: bool, with_images: bool, moderated: bool
) -> Callable[[np.ndarray, np.random.Generator], list[Interval]]:
    """Make intervals of the mean squares, one of the ways that ``leaderboards.contrast`` can."""

    def made(d: np.ndarray, _: np.random.Generator) -> list[Interval]:
        taught = TAUGHT if with_teachers else [0] * SEEDS
        found: list[Strata] = [strata(each.mean(axis=1), taught, each if with_images else None) for each in d]
        run = prior([each.run for each in found if each.run]) if moderated else None
        teacher = prior([each.teacher for each in found if each.teacher]) if moderated else None
        return [ends for each in found if (ends := interval(each, run, teacher))]

    return made


def bootstrap(d: np.ndarray, draw: np.random.Generator) -> list[Interval]:
    """Resample teachers, seeds within them, and images; percentiles."""
    groups = [np.flatnonzero(np.array(TAUGHT) == teacher) for teacher in range(TEACHERS)]
    means = np.empty((DRAWS, len(d)))
    for number in range(DRAWS):
        chosen = [groups[teacher] for teacher in draw.integers(0, TEACHERS, TEACHERS)]
        rows = np.concatenate([draw.choice(group, len(group)) for group in chosen])
        weight = np.bincount(draw.integers(0, IMAGES, IMAGES), minlength=IMAGES) / IMAGES
        means[number] = d[:, rows].mean(axis=1) @ weight
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return [Interval(float(a), float(b), math.nan, math.nan) for a, b in zip(low, high, strict=True)]


WAYS: dict[str, Callable[[np.ndarray, np.random.Generator], list[Interval]]] = {
    "t over seeds": analytic(False, False, False),
    "seeds, images": analytic(False, True, False),
    "seeds, images, moderated": analytic(False, True, True),
    "seeds, teachers, images": analytic(True, True, False),
    "seeds, teachers, images, moderated": analytic(True, True, True),
    "hierarchical bootstrap": bootstrap,
}


def fitted(folders: list[Path]) -> dict[str, tuple[float, float, float, float]]:
    """Estimate the deviations of every board whose runs have per-image values; teachers as much as seeds."""
    records, _ = store.read(folders)
    values = image_values.read(records, folders)
    cases = {}
    for board in boards(records):
        control = next((row.entry for row in board.rows if row.entry.id == board.control), None)
        parts = defaultdict(list)
        for row in board.rows if control else []:
            assert control is not None
            pairs = [(a, b) for a in row.entry.records for b in control.records if a.seed == b.seed and a is not b]
            known = [(a.run_id, b.run_id) for a, b in pairs if {a.run_id, b.run_id} <= values.runs.keys()]
            if len(known) < 2:
                continue
            d = np.array([values.runs[a][1] - values.runs[b][1] for a, b in known])
            rest = d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + d.mean()
            e = float((rest**2).sum() / (d.shape[0] - 1) / (d.shape[1] - 1))
            parts["rest"].append(e)
            parts["image"].append(max(float(d.mean(axis=0).var(ddof=1)) - e / d.shape[0], 0.0))
            parts["seed"].append(max(float(d.mean(axis=1).var(ddof=1)) - e / d.shape[1], 0.0))
        if parts:
            image, seed, rest_ = (math.sqrt(np.mean(parts[name])) for name in ("image", "seed", "rest"))
            cases[board.track.name] = (image, seed, seed, rest_)
    return cases


def main() -> None:
    """Print the shares of intervals that miss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nulls", type=int, default=1000)
    parser.add_argument("folders", nargs="*", type=Path)
    given = parser.parse_args()
    for name, case in {**CASES, **(fitted(given.folders) if given.folders else {})}.items():
        draw = np.random.default_rng([2026, len(name)])
        rounds = math.ceil(given.nulls / METHODS)
        made = [simulate(draw, case) for _ in range(rounds)]
        known = 2 * stats.norm.ppf(0.975) * np.std([d.mean(axis=(1, 2)) for d in made])
        said = ", ".join(
            f"{what} {value:.4f}" for what, value in zip(("image", "teacher", "seed", "rest"), case, strict=True)
        )
        print(f"{name}: {said}; {rounds * METHODS} nulls")
        for way, make in WAYS.items():
            found = [ends for d in made for ends in make(d, draw)]
            missed = float(np.mean([ends.low > 0 or ends.high < 0 for ends in found]))
            width = float(np.mean([ends.high - ends.low for ends in found])) / known
            error = math.sqrt(missed * (1 - missed) / len(found))
            print(f"  {way:36s} misses {100 * missed:5.1f} % +- {100 * error:.1f}   width {width:.2f}")


if __name__ == "__main__":
    main()
