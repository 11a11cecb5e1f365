"""A run told top to bottom: config -> task, data -> teachers -> cohort -> evaluation -> records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from lightning_fabric import Fabric
from rich.console import Console

from benchmark.config.schema import Config
from benchmark.runs import planned_runs
from benchmark.runs.calibrations import ensure_calibrated
from benchmark.runs.environment import git_state
from benchmark.runs.folders import check_writable, held, held_now
from benchmark.runs.helpers import helped
from benchmark.runs.outcome import Outcome, now
from benchmark.runs.panel import draw_panels
from benchmark.runs.planned_runs import Contestant
from benchmark.runs.report import build_record
from benchmark.runs.teachers import Teacher, cohort_beside, obtain, plan_all
from benchmark.runs.trivial import ensure_scored
from benchmark.training.assemble import Assembly, Lesson, control
from benchmark.training.budget import TimeBudget, multiplied, time_budget
from benchmark.training.checkpoint import STATE, save_weights
from benchmark.training.cohort import Cohort
from benchmark.training.conditions import Watch
from benchmark.training.cost import inference_cost
from benchmark.training.device import Place, build_fabric, choose
from benchmark.training.evaluate import Evaluation
from benchmark.training.interrupt import Interrupted, Stop
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from benchmark.training.progress import Progress
from benchmark.training.randomness import Randomness
from benchmark.training.ranks import Order
from leaderboards import image_values, store
from leaderboards.atomic import discard
from leaderboards.record import Record
from tasks.errors import InputError


class Run:
    """One command: its contestants, and what they share.

    Args:
        config: everything that was asked for.
        console: where a person is told.
        place: of this process among those that share each batch; the first by default.
    """

    def __init__(self, config: Config, console: Console, place: Place | None = None) -> None:
        self.config, self.home, self.started = config, Path(config.home), now()
        self.place = place or Place()
        check_writable(self.home)
        git_state()  # now, not when a record is written, perhaps hours later
        self.progress, self.stop = Progress(console), Stop()
        self.problem = Problem(config, self._fabric())
        self.draws = Randomness(config.seed)
        self.watch = Watch(self.progress, self.stop, config.save_every)
        self.track, self.plans = plan_all(self.problem, config)
        self.contestants = planned_runs.gather(self.problem, config, self.track, self.plans)
        self.teachers: dict[str, Teacher] = {}

    def _fabric(self) -> Fabric:
        """Build what computes, and say what that is and why where the command left it open."""
        config = self.config
        fabric = build_fabric(
            config.device,
            config.precision,
            tf32=config.tf32,
            deterministic=config.deterministic,
            devices=config.devices,
            place=self.place,
        )
        if config.device == "auto":
            self.progress.message(f"device {fabric.device.type}: {choose(config.device)[1]}")
        return fabric

    def execute(self) -> list[Record]:
        """Train what is not finished, and return the records of all contestants.

        Raises InputError for bad data met on the way and Interrupted when asked to stop; both after recording it.
        """
        if roles := planned_runs.only_teachers(self.config, self.plans):
            with self.stop:
                self._prepare(roles)
        with ExitStack() as locks:
            for contestant in sorted(self.contestants, key=lambda contestant: contestant.identity.run_id):
                waiting = f"{contestant.name}: another process trains {contestant.identity.run_id}; waiting"
                lock = locks.enter_context(ExitStack())
                lock.enter_context(held(contestant.folder, partial(self.progress.message, waiting)))
                contestant.refresh()
                if contestant.finished:  # others need not wait for what is trained beside it
                    lock.close()
            for contestant in self.contestants:
                if contestant.refusal and not contestant.finished:
                    self._record(contestant, Outcome("not_applicable", contestant.refusal, self.started))
            pending = [contestant for contestant in self.contestants if not contestant.finished]
            for contestant in self.contestants:
                if contestant.finished:
                    self.progress.message(f"{contestant.name}: already finished, {contestant.identity.run_id}")
                    discard(contestant.folder / STATE)  # of a run that was killed once its record was written
            if pending:
                with self.stop:
                    self._train(pending)
            self._draw(pending)
        return [contestant.record for contestant in self.contestants if contestant.record is not None]

    def _draw(self, pending: Sequence[Contestant]) -> None:
        """Draw the panels of what was trained, and of earlier runs that were killed before theirs was drawn."""
        trained = [contestant for contestant in self.contestants if contestant.trained]
        files = [run.panel_file for run in trained if run in pending or not run.panel_file.is_file()]
        if files:
            self._get_teachers(trained)
            draw_panels(self.problem, self.teachers, trained, files)

    def _train(self, pending: list[Contestant]) -> None:
        """Train and score; whatever happens, every pending contestant gets a record."""
        for contestant in pending:
            self._record(contestant, Outcome("interrupted", "not finished: killed, or still running", self.started))
        try:
            self.problem.build_network(self.config.student, self.draws)  # one that cannot be had costs no teacher
            with self._helped():
                self._get_teachers(pending)
                ensure_scored(self.problem, self.watch)
                if self.config.recipe.budget == "time":  # each method has its own number of steps, so nothing to share
                    for contestant in pending:
                        self._train_cohort([contestant], self._time_budget(contestant))
                else:
                    self._train_cohort(pending)
        except (Interrupted, KeyboardInterrupt) as stopped:
            self._record_rest(pending, "interrupted", str(stopped) or "stopped by hand")
            raise
        except Exception as error:
            self._record_rest(pending, "failed", f"{type(error).__name__}: {error}")
            raise
        finally:
            self.progress.end()

    def _prepare(self, roles: Iterable[str]) -> None:
        """Make what many runs share before any of them starts: some teachers, and the scores of trivial predictors."""
        ensure_scored(self.problem, self.watch)
        try:
            with self._helped():
                for role in roles:
                    self.teachers[role] = obtain(self.plans[role], self.problem, self.watch)
        finally:
            self.progress.end()

    def give_up(self, reason: str) -> list[Record]:
        """Record of what is not finished that it failed, and why; leave alone what another process trains."""
        given_up = []
        for contestant in self.contestants:
            with held_now(contestant.folder) as free:
                contestant.refresh()
                if free and not contestant.finished:
                    self._record(contestant, Outcome("failed", reason, self.started))
                    given_up.append(contestant)
        return [contestant.record for contestant in given_up if contestant.record is not None]

    def _get_teachers(self, contestants: Iterable[Contestant]) -> None:
        """Load the teachers of some contestants, beside those that are there already, in the order of the plans."""
        wanted = self.teachers.keys() | {teacher for run in contestants for teacher in run.roles.values()}
        self.teachers = {
            name: self.teachers.get(name) or obtain(plan, self.problem, self.watch)
            for name, plan in self.plans.items()
            if name in wanted
        }

    def _train_cohort(self, group: list[Contestant], budget: TimeBudget | None = None) -> None:
        """Train contestants side by side, then score and record each."""
        assembly = self._assembly(budget)
        built = self._members(group, assembly)
        cohort = assembly.cohort([member for _, member in built], self.watch)
        names = tuple(contestant.name for contestant, _ in built)
        self.progress.begin(f"students {', '.join(names)}", cohort.recipe.steps, cohort.start)
        self.problem.ranks.told(Order("students", names))
        cohort.train()
        self.progress.end()
        for contestant, member in built:
            self._finish(contestant, Outcome(member.status, member.reason, self.started, member, cohort, budget))

    def _members(self, group: Iterable[Contestant], assembly: Assembly) -> list[tuple[Contestant, Member]]:
        """Build the members of contestants; one whose method raises, but for InputError, is recorded and left out."""
        built = []
        for contestant in group:
            try:
                lesson = self._lesson(contestant)
                member = assembly.member(contestant.name, assembly.student(), lesson, contestant.folder)
            except InputError:
                raise
            except (Exception, SystemExit) as error:
                reason = f"{type(error).__name__} when it was built: {error}"
                self.progress.message(f"{contestant.name} failed: {reason}")
                if self.problem.ranks.first:
                    self._record(contestant, Outcome("failed", reason, self.started))
            else:
                built.append((contestant, member))
        for _, member in built:
            ensure_calibrated(member, self.problem, self.teachers, self.watch)
        return built

    def _assembly(self, budget: TimeBudget | None = None) -> Assembly:
        recipe = multiplied(self.config.recipe) if budget is None else budget.apply(self.config.recipe)
        conditions = self.problem.conditions(recipe, self.draws)
        networks = {name: teacher.network for name, teacher in self.teachers.items()}
        return Assembly(self.problem, conditions, networks)

    def _lesson(self, contestant: Contestant) -> Lesson:
        return Lesson(contestant.method, self.config.methods.get(contestant.name, {}), contestant.roles)

    def prepare(self, group: list[Contestant]) -> Cohort:
        """Get the teachers of some contestants, and assemble their cohort without training it."""
        self._get_teachers(group)
        assembly = self._assembly()
        return assembly.cohort([member for _, member in self._members(group, assembly)], self.watch)

    def _helped(self) -> AbstractContextManager[None]:
        """Have the others of the processes that share batches, where there are any, assist as long as a block lasts."""
        return helped(help_along, self.config, self.problem.fabric, self.problem.ranks, self.place)

    def assist(self, ready: Connection) -> None:
        """Train what the first process trains, in one of those that share its batches, until it needs nobody."""
        ranks = self.problem.ranks
        ready.send(True)
        ranks.meet(self.problem.fabric)
        while (order := ranks.told(None)) is not None:
            try:
                cohort = self._ordered(order)
            except Exception as error:
                ranks.agree(str(error))  # with the first process, which is about to begin
                raise
            cohort.train()

    def _ordered(self, order: Order) -> Cohort:
        if order.what == "teacher":
            return cohort_beside(self.plans[order.names[0]], self.problem, self.watch)
        return self.prepare([run for run in self.contestants if run.name in order.names])

    def _time_budget(self, contestant: Contestant) -> TimeBudget:
        """Say how many steps of a method take as long as the control's; measured once a run."""
        path = contestant.folder / "budget.json"
        if (kept := TimeBudget.load(path)) is not None:
            return kept
        budget = time_budget(self._assembly(), self._lesson(contestant), self._baseline(), self.watch)
        if budget.own_seconds:  # else its method raises, and is timed when it no longer does
            budget.save(path)
        self.progress.message(f"{contestant.name}: {budget}")
        return budget

    def _baseline(self) -> Lesson:
        return Lesson(control(), self.config.methods.get(control().name, {}))

    def _finish(self, contestant: Contestant, outcome: Outcome) -> None:
        """Score and store a trained student, then its record, then drop the resume state."""
        member = outcome.member
        assert member is not None
        if member.active:
            member.use_best()
            validation, test = (self.problem.evaluate(member.scored, split) for split in ("val", "test"))
            outcome = replace(
                outcome,
                validation=validation,
                test=test,
                images_sha256=self._write_images(contestant, test),
                cost=inference_cost(
                    member.deployed, self.problem.first_size, self.problem.fabric, self.problem.task.frames
                ),
                student_sha256=save_weights(member.deployed.state_dict(), contestant.student_file),
            )
        self._record(contestant, outcome)
        discard(member.state_file)

    def _write_images(self, contestant: Contestant, test: Evaluation) -> str:
        """Store what a student scores on each test image; return the file's hash."""
        ids, records = self.problem.dataset.ids(test.split), self.home / store.RECORDS
        return image_values.write(self.problem.primary, ids, test.images, contestant.identity.run_id, records)

    def _record(self, contestant: Contestant, outcome: Outcome) -> None:
        contestant.record = build_record(self.problem, self.config, contestant, self.track, outcome)
        store.write(contestant.record, self.home / store.RECORDS)

    def _record_rest(self, pending: Iterable[Contestant], status: str, reason: str) -> None:
        """Record what happened for those that have no end yet."""
        for contestant in pending:
            if contestant.record is None or contestant.record.status == "interrupted":
                self._record(contestant, Outcome(status, reason, self.started))


def help_along(config: Config, place: Place, ready: Connection) -> None:
    """Assist a run from a process of its own; what the first process meets as well, it alone reports."""
    run = Run(config, Console(quiet=True), place)
    with suppress(Interrupted, InputError):
        run.assist(ready)
