"""Tiny runs for tests."""

from __future__ import annotations

import io
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from benchmark.config import compose
from benchmark.config.schema import Config
from benchmark.run import Run
from benchmark.runs import panel
from benchmark.runs.teachers import Teacher
from leaderboards import store
from leaderboards.record import Record
from tasks.registry import Registry

TINY = (
    "data.size=64",
    "data.train=8",
    "data.val=2",
    "data.test=3",
    "recipe.steps=4",
    "recipe.batch=2",
    "teacher.recipe.steps=2",
    "teacher.recipe.batch=2",
    "save_every=60",
    "workers=0",
    "device=cpu",
    "control=false",
)
SAVING = "save_every=0"
"""Save the state after every step, for a run that is to be killed."""

TILE = panel.TILE
"""Of panels as users get them: the suite draws smaller ones, which processes of their own do not."""

ROUNDING = 1e-4
"""The share of a float32 number that sums in another order, or another processor's functions, may move."""


def assert_alike(found: Tensor, expected: Tensor) -> None:
    """Hold two ways to the same float32 numbers against each other, to ``ROUNDING`` of the largest of them."""
    torch.testing.assert_close(found, expected, rtol=0, atol=ROUNDING * float(expected.detach().abs().max()))


def tiny_config(home: Path, *words: str) -> Config:
    """Compose the configuration of a run that takes a second."""
    return compose.load([*TINY, f"home={home}", *words])


def tiny_run(home: Path, *words: str) -> list[Record]:
    """Run a tiny configuration and return its records."""
    return Run(tiny_config(home, *words), Console(file=io.StringIO())).execute()


def tiny_teachers(home: Path, *words: str) -> dict[str, Teacher]:
    """Train the teachers of a tiny configuration, by role, and no student."""
    run = Run(tiny_config(home, "method=mgd", *words), Console(file=io.StringIO()))
    for member in run.prepare(run.contestants).members:
        member.log.close()
    return run.teachers


@dataclass(frozen=True)
class Finished:
    """A home of finished runs, one a method; not to be changed."""

    home: Path

    def record(self, method: str) -> Record:
        """Read the record of a method's run."""
        (found,) = (each for each in store.read([self.home])[0] if each.method.name == method)
        return found

    def student(self, method: str) -> bytes:
        """Read the student that a method trained."""
        return student_bytes(self.home, self.record(method))


def student_bytes(home: Path, record: Record) -> bytes:
    """Read a trained student's file."""
    assert record.artifacts.student is not None, record.status_reason
    return (home / record.artifacts.student).read_bytes()


def in_turn(first: Sequence[str], second: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each of the first with one of the second, whose turns come round, the last one's first."""
    return [(each, second[(number - 1) % len(second)]) for number, each in enumerate(first)]


def mostly_slow(every: Iterable[Any], chosen: Container[Any]) -> list[Any]:
    """Make parameters of all: the default suite takes those that are chosen, the slow tests the rest."""
    return [
        pytest.param(
            *(each if isinstance(each, tuple) else (each,)), marks=[] if each in chosen else [pytest.mark.slow]
        )
        for each in every
    ]


def built_in(registry: Registry[Any]) -> list[str]:
    """Name what this distribution registers itself; an installed plugin answers to its own tests."""
    return sorted(name for name in registry if registry.origin(name).built_in)


def install(folder: Path, name: str, version: str, source: str, groups: Mapping[str, Mapping[str, str]]) -> Path:
    """Lay out a distribution with one module as pip would, and return its folder, which belongs on ``sys.path``.

    ``groups`` maps an entry-point group to the points in it, name to ``module:Class``.
    """
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "top_level.txt").write_text(f"{module}\n")
    points = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in each.items()) for group, each in groups.items()]
    (about / "entry_points.txt").write_text("\n".join(points))
    return folder
