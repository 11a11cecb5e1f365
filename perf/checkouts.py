"""Steps a second of the full cohort in several checkouts, alternating, so that a noisy machine is noisy for all.

    python perf/checkouts.py NAME=FOLDER NAME/PROCESSES=FOLDER... [-- KEY=VALUE...]

The first is what the others are held against: give the commits in between as further worktrees to see what each change
brought. All methods that every checkout has take part, on every task that the words do not narrow down; teachers are
made once a checkout, by two steps. With PROCESSES the cohort is parted among so many, as a sweep on joblib does, which
share the cores: the slowest counts. Printed are the medians over ROUNDS, and the medians of the ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.runs.waves import dealt

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
import io, json, sys
from rich.console import Console
from benchmark.config import compose
from benchmark.run import Run
run = Run(compose.load(sys.argv[1:]), Console(file=io.StringIO()))
cohort = run.prepare(run.contestants)
cohort.train()
for member in cohort.members:
    assert member.status == "ok", member.reason
    member.state_file.unlink(missing_ok=True)
print(json.dumps(cohort.recipe.steps / cohort.seconds))
"""
ALONE = f"""{TRAINED}
print(json.dumps({{each.name: each.timing.alone(cohort.clock.teachers).total for each in cohort.members}}))
"""


@dataclass(frozen=True)
class Checkout:
    """Where it lies, and how many processes share the cores."""

    folder: Path
    processes: int = 1

    def start(self, code: str, *words: str, processes: int = 1) -> subprocess.Popen[str]:
        """Run code in a process with its part of the cores."""
        threads = str(max(1, len(os.sched_getaffinity(0)) // processes))
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        if processes > 1:
            environment |= {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        command = [sys.executable, "-c", code, *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env=environment, text=True, **pipes)

    def ended(self, process: subprocess.Popen[str]) -> Any:
        """Read the last line that a process printed."""
        printed, said = process.communicate()
        if process.returncode:
            raise SystemExit(f"{self.folder}: {said.strip().splitlines()[-1]}")
        return json.loads(printed.strip().splitlines()[-1])

    def speed(self, words: list[str], methods: list[str], seconds: dict[str, float]) -> float:
        """Steps a second of the cohort; ``seconds`` of each method decide how it is parted."""
        hands = dealt([seconds[name] for name in methods], self.processes)
        parts = [f"method=[{','.join(methods[place] for place in hand)}]" for hand in hands]
        beside = [self.start(TRAINED, *words, part, processes=self.processes) for part in parts]
        return min(self.ended(process) for process in beside)


def compare(task: str, methods: list[str], checkouts: dict[str, Checkout], words: list[str]) -> None:
    """Alternate the checkouts on one task."""
    common = [*DEFAULTS, *words, f"task={task}"]
    everyone = f"method=[{','.join(methods)}]"
    with tempfile.TemporaryDirectory() as folder:
        homes = {name: f"home={folder}/{name.replace('/', '-')}" for name in checkouts}
        seconds: dict[str, dict[str, float]] = {}
        for name, checkout in checkouts.items():  # makes the teachers; old checkouts do not know what each would take
            code = ALONE if checkout.processes > 1 else TRAINED
            made = checkout.ended(checkout.start(code, *common, everyone, homes[name], "recipe.steps=4"))
            seconds[name] = made if checkout.processes > 1 else dict.fromkeys(methods, 1.0)
        speeds: dict[str, list[float]] = {name: [] for name in checkouts}
        for _ in range(ROUNDS):
            for name, checkout in checkouts.items():
                speeds[name].append(checkout.speed([*common, homes[name]], methods, seconds[name]))
    first = next(iter(speeds.values()))
    for name, each in speeds.items():
        ratio = statistics.median(mine / before for mine, before in zip(each, first, strict=True))
        print(f"{task:10} {name:12} {statistics.median(each):6.2f} steps/s  {ratio:5.2f} x", flush=True)


def main(arguments: list[str]) -> None:
    """Compare on every task."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    places, rest = arguments[:at], arguments[at + 1 :]
    checkouts = {}
    for name, _, folder in (place.partition("=") for place in places):
        checkouts[name] = Checkout(Path(folder).resolve(), int(name.partition("/")[2] or 1))
    known = [checkout.ended(checkout.start(REGISTERED)) for checkout in checkouts.values()]
    methods, tasks = (sorted(set.intersection(*(set(each[kind]) for each in known))) for kind in (0, 1))
    chosen = [word.removeprefix("task=") for word in rest if word.startswith("task=")]
    named = [word.removeprefix("method=").strip("[]").split(",") for word in rest if word.startswith("method=")]
    words = [word for word in rest if not word.startswith(("task=", "method="))]
    for task in chosen or tasks:
        compare(task, named[0] if named else methods, checkouts, words)


if __name__ == "__main__":
    main(sys.argv[1:])
