"""What a command does not need it does not import: a start is waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BUILDERS = {"timm", "segmentation_models_pytorch"}
SCORES = {"pycocotools", "py_sod_metrics", "sklearn"}  # each of one task
REST = {"torchvision", "albumentations", "scipy", "lightning_fabric"}
CODE = """
import contextlib, io, json, sys
from benchmark.cli import app

with contextlib.redirect_stdout(io.StringIO()):
    for what in ("methods", "tasks", "data"):
        app(["list", what], standalone_mode=False)
listing = sorted(sys.modules)
import benchmark.commands.sweep
from benchmark.config import compose
compose.load(["task=seg", "method=[none,mgd]"])
print(json.dumps([listing, sorted(sys.modules)]))
"""


@pytest.mark.slow  # a process that imports all
def test_a_start_imports_what_it_needs() -> None:
    found = subprocess.run(
        [sys.executable, "-c", CODE], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    listing, running = map(set, json.loads(found.stdout))
    assert "torch" in listing
    assert not listing & (BUILDERS | SCORES | REST)
    assert not running & (BUILDERS | SCORES)
