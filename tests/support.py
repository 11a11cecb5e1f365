"""Tiny runs for tests."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmark.config import compose
from benchmark.config.schema import Config
from benchmark.run import Run
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
    "save_every=2",
    "workers=0",
    "device=cpu",
    "control=false",
)


def tiny_config(home: Path, *words: str) -> Config:
    """Compose the configuration of a run that takes a second."""
    return compose.load([*TINY, f"home={home}", *words])


def tiny_run(home: Path, *words: str) -> list[Record]:
    """Run a tiny configuration and return its records."""
    return Run(tiny_config(home, *words), Console(file=io.StringIO())).execute()


def student_bytes(home: Path, record: Record) -> bytes:
    """Read a trained student's file."""
    assert record.artifacts.student is not None, record.status_reason
    return (home / record.artifacts.student).read_bytes()


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
