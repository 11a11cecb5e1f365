from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.commands import sweep
from benchmark.commands.sweep import combinations
from leaderboards import store
from leaderboards.record import Record
from tasks.base import Sample
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tests.support import TINY


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (["task=seg"], [["task=seg"]]),
        (["seed=0,1", "method=[none,mgd]"], [["seed=0", "method=[none,mgd]"], ["seed=1", "method=[none,mgd]"]]),
        (["seed=range(0,2)", "~teacher.wide"], [["seed=0", "~teacher.wide"], ["seed=1", "~teacher.wide"]]),
        (["seed=0,1", "seed=3"], [["seed=3"]]),
        (
            ["task=seg,depth", "recipe.lr=choice(0.1,0.2)"],
            [[f"task={task}", f"recipe.lr={rate}"] for task in ("seg", "depth") for rate in ("0.1", "0.2")],
        ),
    ],
)
def test_comma_lists_ranges_and_choices_expand_to_every_combination(words: list[str], jobs: list[list[str]]) -> None:
    assert combinations(words) == jobs


def swept(home: Path, *words: str, dry: bool = False) -> tuple[int, str]:
    """Run a sweep of tiny jobs, and return its exit code and what it printed."""
    out = io.StringIO()
    code = sweep.run_all([*TINY, f"home={home}", "recipe.steps=1", *words], True, Console(file=out, width=200), dry)
    return code, out.getvalue()


def records(home: Path) -> dict[str, Record]:
    return {record.run_id.rpartition("-")[0]: record for record in store.read([home])[0]}


def test_a_dry_run_prints_the_plan_alone(tmp_path: Path) -> None:
    code, printed = swept(tmp_path / "runs", "method=none,pixel", "seed=0,1", dry=True)
    assert code == 0
    first, teacher, *cohorts = printed.splitlines()
    assert first == (
        "sweep: 4 runs in 2 jobs, 1 teachers first, 4 of unknown length, since no run of their task has finished"
    )
    assert teacher.startswith("  seed=0 teacher deep ")
    assert cohorts == ["  seed=0 none, pixel", "  seed=1 none, pixel"]
    assert not (tmp_path / "runs").exists()


def test_methods_join_into_cohorts_and_each_run_has_one_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("control=true", "method=pixel,mixup", "methods.pixel.strength=1,2")
    code, printed = swept(home, *words)
    assert (code, len(records(home)), len(store.read([home])[0])) == (0, 3, 4)
    assert printed.splitlines()[1:3] == [
        "  methods.pixel.strength=1 none, pixel, mixup",
        "  methods.pixel.strength=2 pixel",
    ]
    code, printed = swept(home, *words)
    assert (code, printed.splitlines()[0]) == (0, "sweep: 0 runs in 0 jobs, 4 finished already")
    told = swept(home, *words, "seed=1", dry=True)[1]
    assert re.match(r"sweep: 4 runs in 2 jobs, [\d.]+ s, each alone", told)


def test_who_lacks_a_teacher_says_so_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = swept(tmp_path / "runs", "method=none,pixel", "teacher.recipe.lr=1e30", "teacher.recipe.warmup=0")
    found = records(tmp_path / "runs")
    assert (code, found["seg-none-s0"].status, found["seg-pixel-s0"].status) == (1, "ok", "failed")
    assert found["seg-pixel-s0"].status_reason.startswith("teacher deep diverged: not finite at step")
    assert found["seg-pixel-s0"].status_reason in printed.replace("\n", " ")


def test_a_job_that_fails_stops_no_other(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = swept(home, "method=none", "recipe.lr=1e30,0.001", "recipe.warmup=0", "recipe.steps=3")
    assert code == 1
    assert sorted(record.status for record in store.read([home])[0]) == ["diverged", "ok"]
    assert "error: none diverged: not finite at step" in printed


def test_bad_data_met_by_one_job_is_in_its_record_and_in_the_exit_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, faults = Scenes.load, iter([InputError("image 3 of train: cut off; fetch it again")])

    def load(self: Scenes, split: str, index: int) -> Sample:
        for fault in faults if (split, index) == ("train", 3) else ():
            raise fault
        return whole(self, split, index)

    monkeypatch.setattr(Scenes, "load", load)
    code, printed = swept(home, "method=none", "seed=0,1", "recipe.steps=4", "data.cache=none")
    assert code == 2
    found = records(home)
    assert (found["seg-none-s0"].status, found["seg-none-s1"].status) == ("failed", "ok")
    assert "image 3 of train: cut off; fetch it again" in found["seg-none-s0"].status_reason
    assert "error: image 3 of train: cut off; fetch it again" in printed


def test_another_launcher_of_hydra_and_one_that_there_is_not(home: Path) -> None:
    assert swept(home, "method=none", "hydra/launcher=basic")[0] == 0
    with pytest.raises(InputError, match="hydra/launcher=rya"):
        swept(home, "method=none", "seed=1", "hydra/launcher=rya")


def test_the_boards_of_a_sweep_are_written_once_at_its_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(sweep, "write_home", lambda folder, console: written.append(len(store.read([folder])[0])))
    words = [*TINY, f"home={home}", "task=seg", "method=none", "recipe.steps=1", "seed=0,1"]
    assert sweep.run_all(words, True, Console(file=io.StringIO())) == 0
    assert written == [2]
