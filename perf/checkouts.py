"""Steps a second of the full cohort in several checkouts, alternating, so that a noisy machine is noisy for all.

    python perf/checkouts.py NAME=FOLDER NAME=FOLDER... [-- KEY=VALUE...]

The first is what the others are held against: give the commits in between as further worktrees to see what each change
brought. All methods that every checkout has take part, on every task that the words do not narrow down; teachers are
made once a checkout, by two steps. Printed are the medians over ROUNDS, and the medians of the ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 3
DEFAULTS = ("recipe.steps=20", "teacher.recipe.steps=2", "control=false", "device=cpu")

# Runs in a checkout's own process, old ones included: it uses nothing but what they all have.
REGISTERED = """
import json
from benchmark.config import catalog
from methods.base import methods
from tasks.base import tasks
catalog.load()
print(json.dumps([sorted(methods), sorted(tasks)]))
"""
TRAINED = """
import io, sys
from rich.console import Console
from benchmark.config import compose
from benchmark.run import Run
run = Run(compose.load(sys.argv[1:]), Console(file=io.StringIO()))
cohort = run.prepare(run.contestants)
cohort.train()
for member in cohort.members:
    assert member.status == "ok", member.reason
    member.state_file.unlink(missing_ok=True)
print(cohort.recipe.steps / cohort.seconds)
"""


def call(checkout: Path, code: str, *words: str) -> str:
    """Run code in a checkout, and return the last line that it printed."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{checkout}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip().splitlines()[-1]


def compare(task: str, methods: list[str], checkouts: dict[str, Path], words: list[str]) -> None:
    """Alternate the checkouts on one task."""
    everyone = [*DEFAULTS, *words, f"task={task}", f"method=[{','.join(methods)}]"]
    with tempfile.TemporaryDirectory() as folder:
        homes = {name: f"home={folder}/{name}" for name in checkouts}
        for name, checkout in checkouts.items():
            call(checkout, TRAINED, *everyone, homes[name], "recipe.steps=2")  # makes the teachers
        speeds: dict[str, list[float]] = {name: [] for name in checkouts}
        for _ in range(ROUNDS):
            for name, checkout in checkouts.items():
                speeds[name].append(float(call(checkout, TRAINED, *everyone, homes[name])))
    first = next(iter(speeds.values()))
    for name, each in speeds.items():
        ratio = statistics.median(mine / before for mine, before in zip(each, first, strict=True))
        print(f"{task:10} {name:12} {statistics.median(each):6.2f} steps/s  {ratio:5.2f} x", flush=True)


def main(arguments: list[str]) -> None:
    """Compare on every task."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    places, rest = arguments[:at], arguments[at + 1 :]
    checkouts = {name: Path(folder).resolve() for name, _, folder in (each.partition("=") for each in places)}
    known = [json.loads(call(checkout, REGISTERED)) for checkout in checkouts.values()]
    methods, tasks = (sorted(set.intersection(*(set(each[kind]) for each in known))) for kind in (0, 1))
    chosen = [word.removeprefix("task=") for word in rest if word.startswith("task=")]
    named = [word.removeprefix("method=").strip("[]").split(",") for word in rest if word.startswith("method=")]
    words = [word for word in rest if not word.startswith(("task=", "method="))]
    for task in chosen or tasks:
        compare(task, named[0] if named else methods, checkouts, words)


if __name__ == "__main__":
    main(sys.argv[1:])
