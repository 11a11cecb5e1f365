"""What a run may spend: the steps of the recipe, or the training time that the control takes for them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmark.config.schema import Recipe
from benchmark.training.assemble import Assembly, Lesson
from benchmark.training.conditions import Watch
from benchmark.training.kept import read_kept
from benchmark.training.progress import Progress
from leaderboards.atomic import atomic_write
from tasks.errors import InputError

CALIBRATION = 16  # steps that are timed, each method by itself
WARM = 4  # of which the first do not count
TURNS = 3  # of timing the control and the method, one after the other


def stretched(recipe: Recipe, steps: int) -> Recipe:
    """Give a recipe another number of steps: its decay spans them, its warm-up keeps its share of them."""
    return replace(recipe, steps=steps, warmup=round(recipe.warmup * steps / recipe.steps))


def multiplied(recipe: Recipe) -> Recipe:
    """Return a recipe of equal steps with its multiple of them; one of equal time is timed first."""
    return recipe if recipe.budget == "time" else stretched(recipe, max(1, round(recipe.steps * recipe.factor)))


@dataclass(frozen=True)
class TimeBudget:
    """How many steps of a method fit into the control's training time; seconds a step, each measured alone."""

    steps: int
    own_seconds: float
    control_seconds: float

    def __str__(self) -> str:
        method, control = 1000 * self.own_seconds, 1000 * self.control_seconds
        return f"{self.steps} steps fit, at {method:.1f} ms a step, against {control:.1f} ms of the control"

    @classmethod
    def of(cls, recipe: Recipe, own_seconds: float, control_seconds: float) -> TimeBudget:
        """Convert the control's time for the recipe's steps, times the factor, into steps of a method; at least one."""
        ratio = control_seconds / own_seconds if own_seconds and control_seconds else 1.0
        return cls(max(1, round(recipe.steps * recipe.factor * ratio)), own_seconds, control_seconds)

    def apply(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the steps that fit; its schedule spans them."""
        return stretched(recipe, self.steps)

    def save(self, path: Path) -> None:
        """Keep the measurement, so that a run that was stopped goes on with the same number of steps."""
        atomic_write(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> TimeBudget | None:
        """Read a kept measurement, if there is one."""
        if not path.exists():
            return None
        keys = [entry.name for entry in fields(cls)]
        kept = read_kept(path, keys, "delete it to have the steps timed again")
        return cls(**{key: kept[key] for key in keys})


def time_budget(assembly: Assembly, lesson: Lesson, baseline: Lesson, watch: Watch) -> TimeBudget:
    """Time a few steps of the control and of a method, each alone, and say how many steps the method may make.

    They take turns, and the turn of the median ratio counts: a machine that is busy for a moment slows both. The
    control itself makes the recipe's steps, however long they seem to take.
    """
    recipe = assembly.conditions.recipe
    if lesson == baseline:
        seconds = _step_seconds(assembly, baseline, watch)
        return TimeBudget.of(recipe, seconds, seconds)
    turns = [(_step_seconds(assembly, baseline, watch), _step_seconds(assembly, lesson, watch)) for _ in range(TURNS)]
    budgets = [TimeBudget.of(recipe, own, control) for control, own in turns]
    return sorted(budgets, key=lambda budget: budget.steps)[TURNS // 2]


def _step_seconds(assembly: Assembly, lesson: Lesson, watch: Watch) -> float:
    """Train a copy for a few steps and throw it away; the median seconds of a step, with its wait for data.

    Returns 0 where the method raises, which its run meets again, and records.
    """
    recipe = replace(assembly.conditions.recipe, steps=CALIBRATION, selection="last")
    short = Assembly(assembly.problem, replace(assembly.conditions, recipe=recipe), assembly.teachers)
    with TemporaryDirectory() as folder:
        try:
            member = short.member(lesson.method.name, short.student(), lesson, Path(folder))
        except InputError:
            raise
        except (Exception, SystemExit):
            return 0.0
        short.cohort([member], replace(watch, progress=Progress(Console(quiet=True)))).train()
    return member.timing.typical_step(WARM)
