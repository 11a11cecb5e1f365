from __future__ import annotations

import shlex
import sys

import pytest

from benchmark.runs import environment


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        (["run", "task=seg", "method=[none,mgd]"], "benchmark run task=seg 'method=[none,mgd]'"),
        (["run", "-m", "seed=0,1"], "benchmark run -m seed=0,1"),
    ],
)
def test_the_recorded_command_can_be_pasted(typed: list[str], recorded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/benchmark", *typed])
    assert environment.command() == recorded
    assert shlex.split(recorded)[0] == "benchmark"
