"""Tiny runs for tests."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from benchmark import config
from benchmark.run import Run
from benchmark.schema import Config
from leaderboards.record import Record

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
    return config.load([*TINY, f"home={home}", *words])


def tiny_run(home: Path, *words: str) -> list[Record]:
    """Run a tiny configuration and return its records."""
    return Run(tiny_config(home, *words), Console(file=io.StringIO())).execute()


def student_bytes(home: Path, record: Record) -> bytes:
    """Read a trained student's file."""
    assert record.artifacts.student is not None, record.status_reason
    return (home / record.artifacts.student).read_bytes()
