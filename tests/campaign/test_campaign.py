"""A sample of every family of faults; ``python -m perf.campaign`` makes all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.runs import panel
from perf.campaign.__main__ import attempt, prepare, run_family
from perf.campaign.case import Broken, Case, require
from perf.campaign.families import FAMILIES
from perf.campaign.process import aside, benchmark
from tasks.data.cache import ROOT
from tests.support import TILE

SAMPLE = {  # cases of the default seed, five minutes of one core in all
    "kills": 4,
    "nodes": 1,
    "together": 1,
    "disk": 4,
    "images": 12,
    "annotations": 12,
    "configurations": 12,
    "weights": 8,
    "records": 8,
    "strings": 3,
    "numbers": 2,
    "members": 4,
    "surroundings": 2,
}


def test_every_family_has_its_sample() -> None:
    assert SAMPLE.keys() == {family.name for family in FAMILIES}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_sample_holds(family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ROOT, str(tmp_path / "cache"))
    monkeypatch.setattr(panel, "TILE", TILE)  # cases in fresh processes are held against some that are forked
    prepare()
    (tmp_path / "cases").mkdir()
    done, broken = run_family(family, SAMPLE[family.name], 0, tmp_path / "cases")
    assert done == SAMPLE[family.name]
    assert [(case.id, reason) for case, reason in broken] == []


def test_a_case_that_does_not_hold_is_broken(tmp_path: Path) -> None:
    assert attempt(Case("holds", lambda folder: None), tmp_path / "1") == ""
    assert attempt(Case("does not", lambda folder: require(False, "why")), tmp_path / "2") == "why"
    assert "ZeroDivisionError" in attempt(Case("fails", lambda folder: 1 / 0), tmp_path / "3")


def test_a_command_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    found = benchmark(["list", "tasks", "--plain"], tmp_path)
    assert (found.code, "seg" in found.text.split()) == (0, True)
    wrong = benchmark(["list", "taks"], tmp_path)
    assert wrong.code == 2
    assert wrong.tail.startswith("error: cannot list 'taks'; did you mean 'tasks'")


def test_what_breaks_aside_is_broken_here() -> None:
    aside(lambda: None)
    with pytest.raises(Broken, match="why"):
        aside(lambda: require(False, "why"))
    with pytest.raises(Broken, match="ZeroDivisionError"):
        aside(lambda: 1 / 0)
