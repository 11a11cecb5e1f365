"""A sweep in other processes: the same files as one after the other, whatever dies on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaderboards import store
from tests.support import TINY

ROOT = Path(__file__).parents[3]
DEADLY = '''
"""A control whose process dies."""

import os
import signal
from pathlib import Path
from typing import Literal

from methods.base import SUPERVISED, Method, Needs


class Deadly(Method):
    """A test.

    Args:
        die: when.
    """

    title, paper, needs = "deadly", "none", Needs(teachers=())

    def __init__(self, setting, *, die: Literal["never", "once", "always", "told"] = "never"):
        super().__init__(setting)
        self.signal = signal.SIGUSR2 if die == "told" else signal.SIGKILL
        self.died = Path(__file__).with_name("never" if die == "always" else f"died-{die}")
        self.dies = die != "never"

    def forward(self, step):
        if self.dies and step.index == 2 and not self.died.exists():
            if self.died.name != "never":
                self.died.touch()
            os.kill(os.getpid(), self.signal)
        return {SUPERVISED: step.supervised()}
'''
ENGINES = {
    "joblib": ("joblib", ["hydra.launcher.n_jobs=2"]),
    "ray": ("ray", ["hydra.launcher.ray.remote.max_retries=1"]),
    "submitit_local": ("submitit", []),
}
STEADY = [word for word in TINY if not word.startswith("recipe.steps")]


def swept(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a sweep in a process of its own, since engines change the one that they are started in."""
    command = [sys.executable, "-m", "benchmark", "run", "-m", *STEADY, "recipe.steps=6", f"home={home}", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, cwd=home.parent, capture_output=True, text=True, timeout=400)


def found(home: Path) -> dict[str, Any]:
    """Read what must not depend on where a run ran: scores and weights, by run and by teacher."""
    runs = {
        record.run_id: (record.status, record.scores, (home / str(record.artifacts.student)).read_bytes())
        for record in store.read([home])[0]
        if record.status == "ok"
    }
    return runs | {str(path.relative_to(home)): path.read_bytes() for path in home.glob("teachers/*/*.safetensors")}


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], str]:
    """Return a function that gives the word of a method that dies, or has done so."""

    def word(died: bool) -> str:
        path = tmp_path_factory.mktemp("deadly") / "deadly.py"
        path.write_text(DEADLY)
        for die in ("once", "told") if died else ():
            path.with_name(f"died-{die}").touch()
        return f"method={path}:Deadly,pixel"

    return word


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory, deadly: Callable[[bool], str]) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("serial") / "runs"
    done = swept(home, deadly(True), "methods.deadly.die=never,once,told")
    assert done.returncode == 0, done.stdout + done.stderr
    return found(home)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ENGINES)
def test_a_lost_job_does_not_lose_the_sweep(
    launcher: str, tmp_path: Path, serial: dict[str, Any], deadly: Callable[[bool], str]
) -> None:
    package, words = ENGINES[launcher]
    pytest.importorskip(package)
    home = tmp_path / "runs"
    done = swept(home, deadly(False), "methods.deadly.die=never,once,always", f"hydra/launcher={launcher}", *words)
    assert done.returncode == 1, done.stdout + done.stderr
    (lost,) = (record for record in store.read([home])[0] if record.status != "ok")
    assert lost.method.options["die"] == "always"
    assert lost.status == "failed"
    assert lost.status_reason.startswith("lost: "), lost.status_reason
    same = found(home)
    assert len(same) == len(serial) - 1, "all but the run that only the other sweep has"
    assert same.items() <= serial.items()


@pytest.mark.slow
def test_a_job_whose_time_is_over_saves_and_is_requeued(
    tmp_path: Path, serial: dict[str, Any], deadly: Callable[[bool], str]
) -> None:
    pytest.importorskip("submitit")
    home = tmp_path / "runs"
    done = swept(home, deadly(False), "methods.deadly.die=told", "hydra/launcher=submitit_local")
    assert done.returncode == 0, done.stdout + done.stderr
    logs = "".join(path.read_text() for path in home.glob("sweep/submitit/*/*.out"))
    assert "resumed at step 3 of 6" in logs
    assert "Requeued job" in "".join(path.read_text() for path in home.glob("sweep/submitit/*/*.err")) + logs
    assert found(home).items() <= serial.items()


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.launchers.launch import Launch
    from tasks.errors import InputError

    for module, launcher, extra in (("ray", "ray", "ray"), ("submitit", "submitit_slurm", "slurm")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(InputError, match=rf"hydra/launcher={launcher} needs {module}: pip install .*\[{extra}\]"):
            Launch([f"hydra/launcher={launcher}"], tmp_path, lambda composed: None)([["seed=0"]])
