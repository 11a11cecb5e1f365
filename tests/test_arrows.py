"""Imports run one way, between the packages and between the rooms of each: what lies below knows nothing of above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ABOVE = {  # what a package or module must not import
    "leaderboards": ("tasks", "methods", "benchmark", "perf", "tests"),
    "tasks": ("methods", "leaderboards", "benchmark", "perf", "tests"),
    "methods": ("leaderboards", "benchmark", "perf", "tests"),
    "benchmark": ("perf", "tests"),
    "benchmark/config": ("benchmark.training", "benchmark.runs", "benchmark.conformance", "benchmark.commands"),
    "benchmark/training": ("benchmark.runs", "benchmark.conformance", "benchmark.commands"),
    "benchmark/runs": ("benchmark.launchers", "benchmark.conformance", "benchmark.commands"),
    "benchmark/launchers": ("benchmark.run", "benchmark.conformance", "benchmark.commands"),
    "benchmark/conformance": ("benchmark.runs", "benchmark.commands"),
    "tasks/annotations": ("tasks.base", "tasks.data", "tasks.outputs", "tasks.networks", "tasks.datasets"),
    "tasks/base.py": ("tasks.data", "tasks.outputs", "tasks.networks", "tasks.datasets", "tasks.metrics"),
    "tasks/dataset.py": ("tasks.base", "tasks.data", "tasks.outputs", "tasks.networks", "tasks.datasets"),
    "tasks/metric.py": ("tasks.base", "tasks.metrics"),
    "tasks/batch.py": ("tasks.base", "tasks.data", "tasks.networks"),
    "tasks/prediction.py": ("tasks.base", "tasks.networks"),
    "tasks/output_space.py": ("tasks.base", "tasks.outputs"),
    "tasks/resizing.py": ("tasks.base", "tasks.outputs"),
    "tasks/outputs": ("tasks.networks", "tasks.datasets", "tasks.metrics"),
    "tasks/networks": ("tasks.outputs", "tasks.datasets", "tasks.metrics"),
    "tasks/data": ("tasks.outputs", "tasks.networks", "tasks.datasets", "tasks.metrics"),
}


def imported(path: Path) -> Iterator[str]:
    """Name every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", ABOVE)
def test_no_arrow_runs_back_up(room: str) -> None:
    place = ROOT / room
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    found = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imported(file)
        if any(f"{name}.".startswith(f"{above}.") for above in ABOVE[room])
    }
    assert found == set()
