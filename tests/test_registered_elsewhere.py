"""A method and a task from elsewhere turn no test red: what the suite expects follows from what it ships."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "examples" / "plugin"
REGISTER = ("-p", "densedistill_example.attention", "-p", "densedistill_example.normals")
REGISTRY_WIDE = (
    "tests/benchmark/commands/test_list.py",
    "tests/benchmark/config/test_compose.py",
    "tests/leaderboards/test_published.py::test_whoever_is_published_has_every_seed_of_a_protocol_that_proves",
    "tests/methods/test_every_method.py",
    "tests/tasks/test_tasks.py",
    "tests/tasks/test_registry.py",
)


@pytest.mark.slow  # a minute of one core
def test_a_ninth_method_and_a_sixth_task_turn_nothing_red() -> None:
    """The example plugin's modules register themselves as pytest imports them, before any test is collected."""
    path = os.pathsep.join([str(PLUGIN), str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *REGISTER]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}  # not its worker
    done = subprocess.run(
        [*command, *REGISTRY_WIDE], cwd=ROOT, env={**ours, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
