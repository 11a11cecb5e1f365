"""The runs of one command: which methods, under which identity, which are finished already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.config.schema import Config
from benchmark.runs.identity import Identity, identify
from benchmark.runs.teachers import Plan, cast_roles
from benchmark.training.problem import Problem
from leaderboards import store
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.values import sha256_of
from methods.base import Method, methods
from tasks.errors import InputError


@dataclass
class Contestant:
    """One method of the command, and the record of its run where there is one."""

    name: str
    identity: Identity
    roles: dict[str, str]  # role that the method asks for -> role of the configuration
    plans: Mapping[str, Plan]  # teachers by role of the configuration
    variant: str  # what sets the row apart beside its options
    home: Path
    record: Record | None

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
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.record is not None and self.record.status == "ok"


def control_name() -> str:
    """Name the control that every method is compared with."""
    found = [name for name, each in methods.items() if each.control]
    if not found:
        raise InputError("no method is registered as control; reinstall densedistill, whose method 'none' is one")
    return found[0]


def gather(problem: Problem, config: Config, track: Mapping[str, Plan], plans: Mapping[str, Plan]) -> list[Contestant]:
    """List the contestants: the methods of the command, with the control first where it is wanted.

    ``track`` holds the teachers that name the track, ``plans`` those that teach: others, for a placebo.
    """
    names = list(config.methods)
    if not names:
        raise InputError("no method given: method=mgd selects one, method=[none,pixel,mgd] several")
    if config.control and control_name() not in names:
        names.insert(0, control_name())
    teachers = {role: plan.id for role, plan in track.items()}
    found = []
    for name in names:
        roles = cast_roles(methods[name].needs.teachers, plans)
        variant = f"{config.teacher.control} teacher" if roles and plans is not track else ""
        identity = identify(problem, config, name, teachers, variant)
        contestant = Contestant(name, identity, roles, plans, variant, Path(config.home), None)
        contestant.refresh()
        found.append(contestant)
    return found
