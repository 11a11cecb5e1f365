"""What all tests share: everything registered, and tiny teachers."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings

from benchmark.config import catalog
from benchmark.config.catalog import REGISTRIES
from benchmark.runs import panel
from benchmark.training import budget, cost
from methods.base import methods
from tasks.data.cache import ROOT
from tests.support import Finished, tiny_run, tiny_teachers

catalog.load()
METHODS = sorted(methods)  # now: tests register others
# Tests run side by side, and tiny networks gain nothing from threads: one, unless the environment asks for more.
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
# A busy machine is no failure. Fewer examples than Hypothesis takes; `.ci/run` asks for its own hundred.
settings.register_profile("suite", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def brief() -> Iterator[None]:
    """Time few steps and passes, and draw small panels, in this process: no test asks for more."""
    with pytest.MonkeyPatch.context() as patch:
        for name, few in {"WARM_UP": 0, "REPEATS": 2, "MANY": 2, "BATCHES": 1}.items():
            patch.setattr(cost, name, few)
        for name, few in {"WARM": 1, "CALIBRATION": 3}.items():
            patch.setattr(budget, name, few)
        patch.setattr(panel, "TILE", 64)
        yield


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that gives a folder of that name, filled once a session however many workers xdist has."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder, full = root / f"once-{name}", root / f"once-{name}.full"
        with FileLock(f"{folder}.lock"):
            if not full.exists():
                folder.mkdir(exist_ok=True)
                fill(folder)
                full.touch()
        return folder

    return made


@pytest.fixture(scope="session", autouse=True)
def kept(once: Callable[[str, Callable[[Path], object]], Path]) -> Iterator[None]:
    """Keep what is rendered for the session, and read nothing that was rendered before it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROOT, str(once("cache", lambda _: None)))
        yield


@pytest.fixture(scope="session")
def teachers_home(once: Callable[[str, Callable[[Path], object]], Path]) -> Callable[[str], Path]:
    """Return a function that gives a folder with the tiny teachers of a task, trained once a session."""
    return lambda task: once(f"teachers-{task}", lambda home: tiny_teachers(home, f"task={task}")) / "teachers"


@pytest.fixture(scope="session")
def finished_home(once: Callable[[str, Callable[[Path], object]], Path]) -> Callable[[str], Path]:
    """Return a function that gives a home with one finished tiny run of a task, made once a session; copy to change."""
    return lambda task: once(
        f"finished-{task}", lambda home: tiny_run(home, f"task={task}", "method=none", "data.labeled=1/2")
    )


@pytest.fixture(scope="session")
def together(
    once: Callable[[str, Callable[[Path], object]], Path], teachers_home: Callable[[str], Path]
) -> Callable[[str], Finished]:
    """Return a function that gives the tiny runs of all methods on a task, one cohort, made once a session."""

    def fill(task: str, home: Path) -> None:
        (home / "teachers").symlink_to(teachers_home(task))
        tiny_run(home, f"task={task}", f"method=[{','.join(METHODS)}]")

    return lambda task: Finished(once(f"together-{task}", lambda home: fill(task, home)))


@pytest.fixture
def home_of(tmp_path: Path, teachers_home: Callable[[str], Path]) -> Callable[[str], Path]:
    """Return a function that gives a new home that has the tiny teachers of a task, and no run."""
    numbers = itertools.count()

    def new(task: str) -> Path:
        home = tmp_path / f"runs{next(numbers)}"
        learned = shutil.ignore_patterns(
            "*-*.safetensors"
        )  # what methods learned of them, in tests that share the folder
        shutil.copytree(teachers_home(task), home / "teachers", copy_function=os.link, ignore=learned)
        return home

    return new


@pytest.fixture
def home(home_of: Callable[[str], Path]) -> Path:
    """Return a home that has the tiny teachers of segmentation, and no run."""
    return home_of("seg")


@pytest.fixture(autouse=True)
def nothing_left_registered() -> Iterator[None]:
    """Fail where a test leaves something registered behind: what follows in the same process would meet it."""
    before = {kind: set(registry) for kind, registry in REGISTRIES.items()}
    yield
    assert {kind: set(registry) for kind, registry in REGISTRIES.items()} == before, "use the fixture `registries`"


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


@pytest.fixture
def realdata() -> Callable[[str], str]:
    """Give the folder of a small real dataset, or skip."""

    def folder(name: str) -> str:
        root = os.environ.get("DENSEDISTILL_DATA")
        if root is None or not (Path(root) / name).is_dir():
            pytest.skip(f"DENSEDISTILL_DATA holds no {name}")
        return str(Path(root) / name)

    return folder
