"""What methods know of their teachers: learned once, kept in the teacher's folder, reused by every run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from benchmark.config.strength import SHARED
from benchmark.runs.folders import held
from benchmark.runs.identity import SHORT, problem_facts, source_of
from benchmark.runs.teachers import Teacher
from benchmark.training.calibrate import calibrate, stream_facts
from benchmark.training.checkpoint import save_weights
from benchmark.training.conditions import Watch
from benchmark.training.member import Member
from benchmark.training.problem import Problem
from leaderboards.values import digest
from methods.base import methods
from tasks.networks.weights import load_weights


def ensure_calibrated(member: Member, problem: Problem, teachers: Mapping[str, Teacher], watch: Watch) -> None:
    """Load a member's calibration from the folder of its first teacher, learning it where nobody has.

    A member whose method has none is left as it is; one for which this fails is dropped, and harms no other.
    """
    if member.method.calibration is None:
        return
    try:
        _ensure(member.method.calibration, member, problem, teachers, watch)
    except (Exception, SystemExit) as error:  # a method may raise anything
        member.drop("failed", f"{type(error).__name__} before the first step: {error}")
        watch.progress.message(f"{member.name} failed: {member.reason}")


def _ensure(
    calibration: nn.Module, member: Member, problem: Problem, teachers: Mapping[str, Teacher], watch: Watch
) -> None:
    path = _path(member, problem, teachers)
    waiting = f"{member.name}: another process learns what it must know of its teacher; waiting"
    with held(path.parent, lambda: watch.progress.message(waiting)):
        if not path.exists():
            watch.progress.message(f"{member.name}: learning what it must know of its teacher, {path.name}")
            calibrate(member, problem, {name: teacher.network for name, teacher in teachers.items()})
            save_weights(calibration.state_dict(), path)
        load_weights(calibration, path)


def _path(member: Member, problem: Problem, teachers: Mapping[str, Teacher]) -> Path:
    """Name the file by the hash of all that it depends on."""
    name = member.method.name
    options = problem.config.methods.get(name, {})
    plans = [teachers[teacher].plan for teacher in member.roles.values()]
    facts = {
        **problem_facts(problem),
        "method": {"name": name, "source": source_of(methods, name)},
        "options": {key: value for key, value in options.items() if key not in SHARED},
        "teachers": [plan.id for plan in plans],
        "stream": stream_facts(member.recipe),
    }
    return Path(problem.config.home) / "teachers" / plans[0].id / f"{name}-{digest(facts)[:SHORT]}.safetensors"
