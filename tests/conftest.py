"""What all tests share: everything registered, and tiny teachers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from benchmark.config import catalog
from benchmark.config.catalog import REGISTRIES
from tests.support import tiny_run

catalog.load()
torch.set_num_threads(1)  # tiny networks gain nothing from threads, and tests run side by side


@pytest.fixture(scope="session")
def teachers_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives a folder with the tiny teachers of a task, trained once a session."""
    made: dict[str, Path] = {}

    def of(task: str) -> Path:
        if task not in made:
            made[task] = tmp_path_factory.mktemp(f"teachers-{task}")
            tiny_run(made[task], f"task={task}", "method=mgd")
        return made[task] / "teachers"

    return of


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives a home with one finished tiny run of a task, made once a session; copy to change."""
    made: dict[str, Path] = {}

    def of(task: str) -> Path:
        if task not in made:
            made[task] = tmp_path_factory.mktemp(f"finished-{task}")
            tiny_run(made[task], f"task={task}", "method=none", "data.labeled=1/2")
        return made[task]

    return of


@pytest.fixture
def home(tmp_path: Path, teachers_home: Callable[[str], Path]) -> Path:
    """Return a home that has the tiny teachers of segmentation, and no run."""
    shutil.copytree(teachers_home("seg"), tmp_path / "runs" / "teachers", copy_function=os.link)
    return tmp_path / "runs"


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[None]:
    """Take back what a test registers, and forget the modules that it wrote."""
    with ExitStack() as stack:
        for registry in REGISTRIES.values():
            stack.enter_context(registry.restored())
        yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]
