from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.commands import sweep
from benchmark.commands.sweep import combinations
from leaderboards import store
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


def test_the_boards_of_a_sweep_are_written_once_at_its_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(sweep, "write_home", lambda folder, console: written.append(len(store.read([folder])[0])))
    words = [*TINY, f"home={home}", "task=seg", "method=none", "recipe.steps=1", "seed=0,1"]
    assert sweep.run_all(words, True, Console(file=io.StringIO())) == 0
    assert written == [2]
