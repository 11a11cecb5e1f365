"""A sweep in other processes: the same files as one after the other, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from benchmark.launchers.engine import SIGNAL, Result
from benchmark.launchers.launch import Launch
from benchmark.launchers.submitit import Requeued
from leaderboards import store
from leaderboards.values import sha256_of
from tasks.errors import InputError
from tests.support import SAVING, TINY

ROOT = Path(__file__).parents[3]
DEADLY = '''
"""A control whose process dies."""

import os
import signal
import time
from pathlib import Path
from typing import Literal

from methods.base import SUPERVISED, Method, Needs


class Deadly(Method):
    """A test.

    Args:
        die: when.
    """

    title, paper, needs = "deadly", "none", Needs(teachers=())

    def __init__(self, setting, *, die: Literal["never", "once", "always", "told", "slowly"] = "never"):
        super().__init__(setting)
        self.signal = signal.SIGUSR2 if die == "told" else signal.SIGKILL
        self.died = Path(__file__).with_name("never" if die == "always" else f"died-{die}")
        self.dies, self.seconds = die not in ("never", "slowly"), 1.0 if die == "slowly" else 0.0

    def forward(self, step):
        time.sleep(self.seconds)
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
STEADY = [*(word for word in TINY if not word.startswith(("recipe.steps", "save_every"))), SAVING]


SLURM = {  # what submitit asks of Slurm, on this machine
    "sbatch": """#!/usr/bin/env python3
import os, re, subprocess, sys
quiet, tasks = subprocess.DEVNULL, re.search(r"--array=0-(\\d+)", open(sys.argv[1]).read())
for task in range(int(tasks[1]) + 1 if tasks else 1):
    said = {"SLURM_JOB_ID": f"{os.getpid()}"}
    if tasks:
        said |= {"SLURM_ARRAY_JOB_ID": f"{os.getpid()}", "SLURM_ARRAY_TASK_ID": f"{task}"}
    subprocess.Popen(["bash", sys.argv[1]], env={**os.environ, **said}, stdout=quiet, stderr=quiet)
print(f"Submitted batch job {os.getpid()}")
""",
    "srun": f"""#!/bin/bash
while [ "$1" != "{sys.executable}" ]; do shift; done
exec "$@"
""",
    "sacct": """#!/bin/bash
echo 'JobID|State|NodeList'
""",
}


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start a sweep in a process of its own, the leader of a group."""
    command = [sys.executable, "-m", "benchmark", "run", "-m", *STEADY, "recipe.steps=6", f"home={home}", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, env=environment, cwd=home.parent, text=True, start_new_session=True, **pipes)


def swept(home: Path, *words: str) -> tuple[int, str]:
    """Run a sweep; return its exit code and what it printed."""
    process = started(home, *words)
    printed, _ = process.communicate(timeout=400)
    return process.returncode, printed


def assert_gone(group: int) -> None:
    """Hold that all processes of a sweep end, whichever of them it started."""
    with pytest.raises(ProcessLookupError):
        for _ in range(600):
            os.killpg(group, 0)
            time.sleep(0.1)


def found(home: Path) -> dict[str, Any]:
    """Read what must not depend on where a run ran: scores and weights, by run and by teacher."""
    runs = {
        record.run_id: (record.scores.model_dump(), sha256_of(home / str(record.artifacts.student)))
        for record in store.read([home])[0]
        if record.status == "ok"
    }
    return runs | {str(path.relative_to(home)): sha256_of(path) for path in home.glob("teachers/*/*.safetensors")}


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
    code, printed = swept(home, deadly(True), "methods.deadly.die=never,once,told,slowly")
    assert code == 0, printed
    return found(home)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ENGINES)
def test_a_lost_job_does_not_lose_the_sweep(
    launcher: str, tmp_path: Path, serial: dict[str, Any], deadly: Callable[[bool], str]
) -> None:
    package, words = ENGINES[launcher]
    pytest.importorskip(package)
    home = tmp_path / "runs"
    code, printed = swept(
        home, deadly(False), "methods.deadly.die=never,once,always", f"hydra/launcher={launcher}", *words
    )
    assert code == 1, printed
    (lost,) = (record for record in store.read([home])[0] if record.status != "ok")
    assert lost.method.options["die"] == "always"
    assert lost.status == "failed"
    assert lost.status_reason.startswith("lost: "), lost.status_reason
    same = found(home)
    assert len(same) == len(serial) - 2, "all but the two runs that only the other sweep has"
    assert same.items() <= serial.items()


@pytest.mark.slow
def test_a_job_whose_time_is_over_saves_and_is_requeued(
    tmp_path: Path, serial: dict[str, Any], deadly: Callable[[bool], str]
) -> None:
    pytest.importorskip("submitit")
    home = tmp_path / "runs"
    code, printed = swept(home, deadly(False), "methods.deadly.die=told", "hydra/launcher=submitit_local")
    assert code == 0, printed
    logs = "".join(path.read_text() for path in home.glob("sweep/submitit/*/*.out"))
    assert "resumed at step 3 of 6" in logs
    assert "Requeued job" in "".join(path.read_text() for path in home.glob("sweep/submitit/*/*.err")) + logs
    assert found(home).items() <= serial.items()


@pytest.mark.slow
def test_an_array_of_slurm(
    tmp_path: Path, serial: dict[str, Any], deadly: Callable[[bool], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit")
    for name, script in SLURM.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    home = tmp_path / "runs"
    asked = ["+hydra.launcher.parameters.slurm_partition=gpu", "hydra.launcher.parameters.timeout_min=60"]
    words = [deadly(False), "methods.deadly.die=never,slowly", "hydra/launcher=submitit_slurm", *asked]
    code, printed = swept(home, *words)
    assert code == 0, printed
    teachers, cohorts = sorted(home.glob("sweep/submitit/*.sh"), key=lambda path: path.stat().st_mtime)
    assert "--array" not in teachers.read_text()
    for said in ("--array=0-1%2", "--partition=gpu", "--time=60", "--signal=USR2@300"):
        assert f"#SBATCH {said}\n" in cohorts.read_text()
    assert len(found(home)) == len(serial) - 2
    assert found(home).items() <= serial.items()


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "send", "number"), [("ray", os.kill, "SIGTERM"), ("joblib", os.killpg, "SIGINT")])
def test_a_sweep_that_is_asked_to_stop_saves_and_goes_on(
    launcher: str,
    send: Callable[[int, int], None],
    number: str,
    tmp_path: Path,
    serial: dict[str, Any],
    deadly: Callable[[bool], str],
) -> None:
    """By SIGTERM to its process alone, or by Ctrl-C, which a terminal sends to all of them."""
    package, words = ENGINES[launcher]
    pytest.importorskip(package)
    home = tmp_path / "runs"
    words = [deadly(False), "methods.deadly.die=slowly", f"hydra/launcher={launcher}", *words]
    process = started(home, *words)
    while process.poll() is None and not list(home.glob("runs/seg-deadly-*/resume.pt")):
        time.sleep(0.1)
    send(process.pid, signal.Signals[number])
    printed, _ = process.communicate(timeout=200)
    assert process.returncode == 128 + signal.Signals[number], printed
    assert {record.method.name: record.status for record in store.read([home])[0]}["deadly"] == "interrupted", printed
    assert "stopped after step" in printed
    assert "Traceback" not in printed
    assert_gone(process.pid)
    code, printed = swept(home, *words)
    assert (code, "resumed at step" in printed) == (0, True), printed
    assert found(home).items() <= serial.items()


@pytest.mark.slow
def test_two_jobs_of_ray_share_a_card_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that Ray is told of need not be there: what counts is whom Ray lets run beside whom.

    Nor is the cluster there that the environment names: nobody joins one who did not ask for it.
    """
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    ray = pytest.importorskip("ray")

    def meet(composed: DictConfig) -> Result:
        (tmp_path / f"{composed.seed}").touch()
        for _ in range(1200):
            if len(list(tmp_path.iterdir())) == 2:
                return Result(0, os.environ["CUDA_VISIBLE_DEVICES"])
            time.sleep(0.1)
        return Result(1, "the other job waits for the card")

    there = ["+hydra.launcher.ray.init.num_cpus=2", "+hydra.launcher.ray.init.num_gpus=1"]
    launch = Launch(["hydra/launcher=ray", "hydra.launcher.ray.remote.num_gpus=0.5", *there], tmp_path, meet)
    try:
        assert launch([["seed=0"], ["seed=1"]]) == [Result(0, "0")] * 2
    finally:
        ray.shutdown()
    assert launch.device == "cuda"


def test_a_job_of_slurm_that_sigterm_stopped_goes_on_until_it_is_killed() -> None:
    ended = iter([Result(SIGNAL + signal.SIGTERM), Result(SIGNAL + signal.SIGTERM), Result(0)])
    assert Requeued(lambda composed: next(ended), Path.cwd())(["seed=0"]) == Result(0)
    assert not list(ended)


@pytest.mark.slow
def test_a_cohort_is_parted_among_processes(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    words = ("method=[none,pixel,cwd]", "seed=0")
    code, printed = swept(tmp_path / "one", *words)
    assert code == 0, printed
    assert "sweep: 3 runs in 1 jobs" in printed
    code, printed = swept(tmp_path / "two", *words, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert code == 0, printed
    assert "sweep: 3 runs in 2 jobs" in printed
    assert found(tmp_path / "two") == found(tmp_path / "one")


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, launcher, extra in (
        ("joblib", "joblib", "joblib"),
        ("ray", "ray", "ray"),
        ("submitit", "submitit_slurm", "slurm"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(InputError, match=rf"hydra/launcher={launcher} needs {module}: pip install .*\[{extra}\]"):
            Launch([f"hydra/launcher={launcher}"], tmp_path, lambda composed: None)([["seed=0"]])
