"""A look at runs before any of them starts: what they are, which are finished, what the others need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmark.config.schema import Config
from benchmark.runs.planned_runs import Contestant, gather
from benchmark.runs.speeds import Speeds
from benchmark.runs.teachers import about, plan_all
from benchmark.runs.waves import Cohort, PlannedRun, PlannedTeacher, Words
from benchmark.training.device import build_fabric
from benchmark.training.problem import Problem


class Survey:
    """Looks at configurations; those that share task and data share the look at them."""

    def __init__(self) -> None:
        self._problems: dict[str, Problem] = {}
        self._speeds: dict[Path, Speeds] = {}

    def contestants(self, config: Config) -> list[Contestant]:
        """List the runs of a configuration; raises InputError for one that cannot be run."""
        problem = self._problem(config)
        problem.config = config
        return gather(problem, config, *plan_all(problem, config))

    def cohort(self, words: Words, config: Config) -> Cohort:
        """Say what the words of a command, whose configuration is given, would run."""
        speeds = self.speeds(Path(config.home))
        return Cohort(words, tuple(_planned(contestant, config, speeds) for contestant in self.contestants(config)))

    def speeds(self, home: Path) -> Speeds:
        """Read once how fast the runs of a home were."""
        if home not in self._speeds:
            self._speeds[home] = Speeds.of_home(home)
        return self._speeds[home]

    def _problem(self, config: Config) -> Problem:
        key = repr([config.task, config.data, config.home, config.device, config.precision, _crops(config)])
        if key not in self._problems:
            self._problems[key] = Problem(config, build_fabric(config.device, config.precision))
        return self._problems[key]


def _crops(config: Config) -> list[object]:
    """What of the recipes decides where samples are augmented."""
    return [recipe.crop_share for recipe in (config.recipe, config.teacher.recipe)]


def _planned(contestant: Contestant, config: Config, speeds: Speeds) -> PlannedRun:
    run_id, name = contestant.identity.run_id, contestant.name
    if contestant.finished or contestant.refusal:  # one that has no meaning is recorded, which takes no time
        return PlannedRun(run_id, name, seconds=0.0, finished=contestant.finished)
    return PlannedRun(run_id, name, tuple(missing_teachers([contestant])), speeds.run(config, name))


def missing_teachers(contestants: Iterable[Contestant]) -> Iterator[PlannedTeacher]:
    """List the teachers, each once, that runs learn from and that do not exist yet."""
    wanted = {run.plans[role].id: (run, role) for run in contestants for role in run.roles.values()}
    for key, (contestant, role) in wanted.items():
        plan = contestant.plans[role]
        if about(plan, contestant.home) is None:
            yield PlannedTeacher(key, role, plan.recipe.steps if plan.recipe else 0)
