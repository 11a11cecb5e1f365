"""The runs of one command: which methods, under which identity, which are finished already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.config import terms
from benchmark.config.schema import Config
from benchmark.runs.identity import Identity, identify
from benchmark.runs.teachers import Plan
from benchmark.training.assemble import cast, control
from benchmark.training.problem import Problem
from leaderboards import store
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.values import sha256_of
from methods.base import Method, methods
from tasks.errors import InputError, nearest

STUDENT, TEACHER = "methods.", "teacher."  # what stands before a name in ``only``
DONE = ("ok", "not_applicable")  # statuses that the same command does not try to better


@dataclass
class Contestant:
    """One method of the command, and the record of its run where there is one."""

    name: str
    identity: Identity
    roles: dict[str, str]  # role that the method asks for -> the configuration's teacher that plays it
    plans: Mapping[str, Plan]  # teachers as the configuration calls them
    variant: str  # what sets the row apart beside its options
    control: bool  # whether that makes it a control
    home: Path
    record: Record | None
    refusal: str = ""  # why the method has no meaning for the task, where it has none

    @property
    def method(self) -> type[Method]:
        """The method's class."""
        return methods[self.name]

    @property
    def folder(self) -> Path:
        """Where the run keeps its files."""
        return self.home / "runs" / self.identity.run_id

    @property
    def student_file(self) -> Path:
        """The trained student."""
        return self.folder / "student.safetensors"

    @property
    def panel_file(self) -> Path:
        """The picture of what it predicts."""
        return self.folder / "panel.png"

    def refresh(self) -> None:
        """Read the run's record afresh; one whose student is gone or changed does not count."""
        path = self.home / store.RECORDS / f"{self.identity.run_id}.json"
        self.record = None
        if not path.exists():
            return
        try:
            record = store.read_one(path)
        except RecordError:
            return  # a damaged record is written again by the run that follows
        fits = self.student_file.exists() and sha256_of(self.student_file) == record.provenance.student_sha256
        self.record = record if record.status != "ok" or fits else None

    @property
    def trained(self) -> bool:
        """Whether there is a student."""
        return self.record is not None and self.record.status == "ok"

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.record is not None and self.record.status in DONE


def gather(problem: Problem, config: Config, track: Mapping[str, Plan], plans: Mapping[str, Plan]) -> list[Contestant]:
    """List the contestants: the methods of the command, with the control first where it is wanted.

    ``track`` holds the teachers that name the track, ``plans`` those that teach: others, for a placebo.
    """
    names = list(config.methods)
    if not names:
        raise InputError("no method given; method=mgd selects one, method=[none,pixel,mgd] several")
    if config.control and control().name not in names:
        names.insert(0, control().name)
    _check_only(config, names, plans)
    contestants = []
    for name in (name for name in names if not config.only or f"{STUDENT}{name}" in config.only):
        roles = cast(methods[name].needs.teachers, list(plans))
        control_of = _control(config, bool(roles) and plans is not track)
        variant = ", ".join(filter(None, (terms.variant(config.methods.get(name, {})), control_of)))
        identity = identify(problem, config, name, track, bool(roles), variant)
        contestant = Contestant(name, identity, roles, plans, variant, bool(control_of), Path(config.home), None)
        contestant.refusal = methods[name].refuses(problem.task.output)
        contestant.refresh()
        contestants.append(contestant)
    return contestants


def only_teachers(config: Config, plans: Mapping[str, Plan]) -> list[str]:
    """Name the teachers that a command makes for themselves: those that ``only`` lists."""
    return [role for role in plans if f"{TEACHER}{role}" in config.only]


def _check_only(config: Config, names: Sequence[str], plans: Mapping[str, Plan]) -> None:
    known = [*(f"{STUDENT}{name}" for name in names), *(f"{TEACHER}{role}" for role in plans)]
    for name in config.only:
        if name not in known:
            raise InputError(f"only=[{name}]: expected {', '.join(known)}{nearest(name, known)}")


def _control(config: Config, stand_ins: bool) -> str:
    """Say what makes a control of a run: what stood in for its teachers, a multiple of the track's steps."""
    recipe = config.recipe
    longer = f"{recipe.factor:g} x steps" if recipe.budget == "steps" and recipe.factor != 1 else ""
    return ", ".join(filter(None, (f"{config.teacher.control} teacher" if stand_ins else "", longer)))
