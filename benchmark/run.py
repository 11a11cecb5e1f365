"""A run told top to bottom: config -> task, data -> teachers -> cohort -> evaluation -> records."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock, Timeout
from rich.console import Console
from torch import nn

from benchmark.config.schema import Config, Recipe, construct
from benchmark.config.strength import build_method
from benchmark.runs import planned_runs
from benchmark.runs.panel import draw_panel
from benchmark.runs.planned_runs import Contestant
from benchmark.runs.report import Outcome, build_record, now
from benchmark.runs.teachers import Plan, Teacher, TeacherError, obtain, plan_teachers, plan_untrained
from benchmark.training.budget import TimeBudget, calibration, step_seconds
from benchmark.training.checkpoint import save_weights
from benchmark.training.cohort import Cohort
from benchmark.training.cost import inference_cost
from benchmark.training.device import build_fabric
from benchmark.training.interrupt import Interrupted, Stop
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from benchmark.training.progress import Progress
from benchmark.training.randomness import Randomness
from leaderboards import store
from leaderboards.record import Record
from methods.base import Setting, methods
from tasks.errors import InputError
from tasks.networks.weights import load_weights


@dataclass
class Run:
    """One command: its contestants, and what they share.

    Args:
        config: everything that was asked for.
        console: where a person is told.
    """

    config: Config
    console: Console
    started: datetime = field(default_factory=now)

    def __post_init__(self) -> None:
        self.home = Path(self.config.home)
        _check_writable(self.home)
        self.fabric = build_fabric(self.config.device, self.config.precision)
        self.problem = Problem(self.config, self.fabric)
        self.progress = Progress(self.console)
        self.stop = Stop()
        self.draws = Randomness(self.config.seed)
        self.track: dict[str, Plan] = plan_teachers(self.problem, self.config.teacher)
        self.plans = self._plans()
        self.contestants = planned_runs.gather(self.problem, self.config, self.track, self.plans)
        self.teachers: dict[str, Teacher] = {}

    def _plans(self) -> dict[str, Plan]:
        """Choose who teaches: the track's teachers, or placebos of random weights in their place."""
        control = self.config.teacher.control
        if control not in ("trained", "untrained"):
            raise InputError(f"teacher.control={control}: expected trained or untrained")
        return self.track if control == "trained" else plan_untrained(self.problem, self.config.teacher)

    def execute(self) -> list[Record]:
        """Train what is not finished, and return the records of all contestants.

        Raises InputError for bad data met on the way and Interrupted when asked to stop; both after recording it.
        """
        with ExitStack() as locks:
            for contestant in sorted(self.contestants, key=lambda each: each.identity.run_id):
                locks.callback(_lock(contestant, self.progress).release)
                contestant.refresh()
            pending = [each for each in self.contestants if not each.finished]
            for contestant in self.contestants:
                if contestant.finished:
                    self.progress.message(f"{contestant.name}: already finished, {contestant.identity.run_id}")
            if pending:
                with self.stop:
                    self._train(pending)
                self._panel(pending)
        return [each.record for each in self.contestants if each.record is not None]

    def _train(self, pending: list[Contestant]) -> None:
        """Train and score; whatever happens, every pending contestant gets a record."""
        for contestant in pending:
            self._record(contestant, Outcome("interrupted", "not finished: killed, or still running", self.started))
        try:
            self._get_teachers(pending)
            if self.config.recipe.budget == "time":  # each method has its own number of steps, so nothing to share
                for contestant in pending:
                    self._train_cohort([contestant], self._time_budget(contestant))
            else:
                self._train_cohort(pending, None)
        except (Interrupted, KeyboardInterrupt) as stopped:
            self._record_rest(pending, "interrupted", str(stopped) or "stopped by hand")
            raise
        except Exception as error:
            self._record_rest(pending, "failed", f"{type(error).__name__}: {error}")
            raise
        finally:
            self.progress.end()

    def _train_cohort(self, group: list[Contestant], budget: TimeBudget | None) -> None:
        """Train contestants side by side, then score and record each."""
        recipe = self.config.recipe if budget is None else budget.apply(self.config.recipe)
        cohort = self._cohort(group, [self._member(each, recipe, each.folder) for each in group])
        self.progress.begin(_names(group), recipe.steps, min(each.start for each in cohort.members))
        cohort.train()
        self.progress.end()
        for contestant, member in zip(group, cohort.members, strict=True):
            self._finish(contestant, Outcome(member.status, member.reason, self.started, member, cohort, budget))

    def prepare(self, group: list[Contestant]) -> Cohort:
        """Get the teachers of some contestants, and assemble their cohort without training it."""
        self._get_teachers(group)
        return self._cohort(group, [self._member(each, self.config.recipe, each.folder) for each in group])

    def _record(self, contestant: Contestant, outcome: Outcome) -> None:
        contestant.record = build_record(self.problem, self.config, contestant, self.track, outcome)
        store.write(contestant.record, self.home / store.RECORDS)

    def _record_rest(self, pending: Iterable[Contestant], status: str, reason: str) -> None:
        """Record what happened for those that have no end yet."""
        for contestant in pending:
            if contestant.record is None or contestant.record.status == "interrupted":
                self._record(contestant, Outcome(status, reason, self.started))

    # teachers

    def _get_teachers(self, pending: Iterable[Contestant]) -> None:
        for role in sorted({actual for each in pending for actual in each.roles.values()}, key=list(self.plans).index):
            plan = self.plans[role]
            teacher = obtain(plan, self.problem, self.config, self._train_teacher, self.progress.message)
            self.teachers[role] = teacher
            score = teacher.about["metrics"][self.problem.primary]
            self.progress.message(f"teacher {role} {plan.id}: {self.problem.primary} {score:.4f}")

    def _train_teacher(self, role: str, network: nn.Module, config: Config, folder: Path) -> None:
        """Train a teacher as the control is trained: alone, on labels."""
        recipe, draws = config.teacher.recipe, Randomness(config.teacher.seed)
        setting = Setting(self.problem.task.output, self.problem.example(network, recipe), {})
        method = construct(methods[planned_runs.control_name()], "methods", {}, setting)
        member = Member(role, network, method, recipe, folder)
        self.progress.begin(f"teacher {role}", recipe.steps, member.start)
        self._assemble([member], {}, config, draws, unlabeled=False).train()
        self.progress.end()
        if not member.active:
            raise TeacherError(f"teacher {role} {member.status}: {member.reason}; lower teacher.recipe.lr")
        _use_best(member)

    # students

    def _time_budget(self, contestant: Contestant) -> TimeBudget:
        """Time a few steps of the control and of a method, each alone, and say how many steps the method may make."""
        path = contestant.folder / "budget.json"
        if (kept := TimeBudget.load(path)) is not None:
            return kept
        control = replace(contestant, name=planned_runs.control_name(), roles={})
        seconds = {each.name: self._step_seconds(each) for each in (control, contestant)}
        budget = TimeBudget.of(self.config.recipe, seconds[contestant.name], seconds[control.name])
        budget.save(path)
        self.progress.message(f"{contestant.name}: {budget}")
        return budget

    def _step_seconds(self, contestant: Contestant) -> float:
        """Train a copy for a few steps and throw it away; 0 where it raises, which its run meets again, and records."""
        with TemporaryDirectory() as folder:
            member = self._member(contestant, calibration(self.config.recipe), Path(folder))
            replace(self._cohort([contestant], [member]), progress=Progress(Console(quiet=True))).train()
        return step_seconds(member)

    def _cohort(self, group: list[Contestant], members: list[Member]) -> Cohort:
        networks = {role: teacher.network for role, teacher in self.teachers.items()}
        main = next(iter(self.plans))
        for contestant in group:  # a missing role is played by the main teacher
            networks |= {role: networks[actual] for role, actual in contestant.roles.items()}
        unlabeled = any(contestant.method.needs.unlabeled for contestant in group)
        ordered = {role: networks[role] for role in sorted(networks, key=lambda role: role != main)}
        return self._assemble(members, ordered, self.config, self.draws, unlabeled)

    def _member(self, contestant: Contestant, recipe: Recipe, folder: Path) -> Member:
        network = self.problem.build_network(self.config.student, self.draws)
        teachers = {
            role: self.problem.example(self.teachers[actual].network, recipe)
            for role, actual in contestant.roles.items()
        }
        setting = Setting(self.problem.task.output, self.problem.example(network, recipe), teachers)
        options = self.config.methods.get(contestant.name, {})
        method = build_method(contestant.method, contestant.name, options, setting, self.draws)
        self.fabric.to_device(method)
        return Member(
            contestant.name,
            network,
            method,
            recipe,
            folder,
            compiled=self.config.compile,
            tensorboard=self.config.tensorboard,
        )

    def _assemble(
        self,
        members: list[Member],
        teachers: dict[str, nn.Module],
        config: Config,
        draws: Randomness,
        unlabeled: bool,
    ) -> Cohort:
        recipe = members[0].recipe
        return Cohort(
            members=members,
            teachers=teachers,
            output=self.problem.task.output,
            recipe=recipe,
            draws=draws,
            fabric=self.fabric,
            batches=lambda start: self.problem.batches(recipe, draws, start, unlabeled),
            validate=lambda network: self.problem.goodness(self.problem.evaluate(network, "val")),
            progress=self.progress,
            stop=self.stop,
            channels_last=config.channels_last,
            save_every=config.save_every,
        )

    def _finish(self, contestant: Contestant, outcome: Outcome) -> None:
        """Score and store a trained student, then its record, then drop the resume state."""
        member = outcome.member
        assert member is not None
        if member.active:
            _use_best(member)
            outcome.validation = self.problem.evaluate(member.network, "val")
            outcome.test = self.problem.evaluate(member.network, "test")
            outcome.cost = inference_cost(
                member.network, self.problem.first_size, self.fabric, self.problem.task.frames
            )
            outcome.student_sha256 = save_weights(member.network.state_dict(), contestant.student_file)
        self._record(contestant, outcome)
        member.state_file.unlink(missing_ok=True)

    # what a person looks at

    def _panel(self, pending: Iterable[Contestant]) -> None:
        """Draw the panel of everything that is there into the folder of each new run."""
        shown = [each for each in self.contestants if each.finished]
        new = [each for each in pending if each.finished]
        if not new:
            return
        networks: dict[str, nn.Module] = {}
        for teacher in self.teachers.values():
            networks[f"teacher ({teacher.plan.role})"] = teacher.network
        for contestant in shown:
            network = self.problem.build_network(self.config.student, self.draws)
            load_weights(network, contestant.student_file)
            networks["student alone" if contestant.method.control else f"student, {contestant.name}"] = network
        for contestant in new:
            draw_panel(self.problem, networks, contestant.folder / "panel.png")


def _use_best(member: Member) -> None:
    if member.recipe.selection == "best" and member.best is not None:
        member.network.load_state_dict(member.best[2])


def _names(pending: Iterable[Contestant]) -> str:
    return "students " + ", ".join(each.name for each in pending)


def _lock(contestant: Contestant, progress: Progress) -> FileLock:
    """Take the lock of a run, which the operating system frees when its holder dies."""
    contestant.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(contestant.folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.message(f"{contestant.name}: another process trains {contestant.identity.run_id}; waiting")
        lock.acquire()
    return lock


def _check_writable(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"home={home}: cannot be written ({error.strerror}); choose another folder") from error
