"""Sweeps: is their cost linear, and what do two processes gain?

    python perf/sweep.py linear [jobs ...]      seconds and memory of sweeps of so many tiny jobs; 50 and 200 by default
    python perf/sweep.py speedup [LAUNCHER]     one after the other against two at a time; ray by default, or joblib

The latter exits with 1 where records or weights differ from those of a serial sweep. One thread a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from leaderboards import store

TINY = "data.size=64 data.train=8 data.val=2 data.test=3 recipe.batch=2 teacher.recipe.batch=2 workers=0 device=cpu"
SHORT = [*TINY.split(), "recipe.steps=2", "teacher.recipe.steps=2", "method=none", "control=false"]
LONG = [*TINY.split(), "recipe.steps=600", "teacher.recipe.steps=20", "method=[none,pixel]", "seed=0,1,2,3,4,5"]
TWO = {"ray": ["+hydra.launcher.ray.init.num_cpus=2"], "joblib": ["hydra.launcher.n_jobs=2"]}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}


def timed(home: Path, *words: str) -> tuple[float, float]:
    """Run a sweep; return its seconds and the most memory of its process, MB."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmark", "run", "-m", f"home={home}", *words]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"exit code {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def found(home: Path) -> dict[str, Any]:
    """Scores and weights of all runs, and the weights of all teachers."""
    records = store.read([home])[0]
    runs = {each.run_id: (each.scores, (home / str(each.artifacts.student)).read_bytes()) for each in records}
    return runs | {str(path.relative_to(home)): path.read_bytes() for path in home.glob("teachers/*/*.safetensors")}


def linear(folder: Path, sizes: list[int]) -> int:
    timed(folder / "first", *SHORT, "seed=0")  # what is rendered once is rendered
    for size in sizes or [50, 200]:
        home = folder / str(size)
        planning, _ = timed(home, *SHORT, f"seed=range(0,{size})", "--dry-run")
        seconds, memory = timed(home, *SHORT, f"seed=range(0,{size})")
        again, _ = timed(home, *SHORT, f"seed=range(0,{size})")
        print(
            f"{size} jobs: {seconds:.0f} s, {seconds / size:.2f} s a job, {memory:.0f} MB at most; the plan alone "
            f"{planning:.0f} s; again, with nothing to do, {again:.0f} s"
        )
    return 0


def speedup(folder: Path, launcher: str) -> int:
    alone, _ = timed(folder / "serial", *LONG)
    beside, _ = timed(folder / launcher, *LONG, f"hydra/launcher={launcher}", *TWO[launcher])
    same = found(folder / "serial") == found(folder / launcher)
    print(f"serial {alone:.0f} s, {launcher} on two cores {beside:.0f} s: {alone / beside:.2f} times as fast")
    print("records and weights equal those of the serial sweep" if same else "records or weights DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    kind, *rest = sys.argv[1:] or [""]
    with tempfile.TemporaryDirectory() as place:
        if kind == "linear":
            sys.exit(linear(Path(place), [int(each) for each in rest]))
        if kind == "speedup":
            sys.exit(speedup(Path(place), rest[0] if rest else "ray"))
    sys.exit(__doc__)
