from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.commands import plan as planning
from benchmark.commands import protocol as checking
from benchmark.config import plugin_configs
from leaderboards.errors import RecordError
from methods.base import methods
from tasks.errors import InputError
from tests.support import built_in, tiny_run

SMALL = """
name: small
seeds: [0, 1]
multiples: [1, 2]
matrix:
  - {title: first, methods: [control, pixel]}
  - {title: longer, methods: [control], words: [recipe.factor=2]}
  - {title: elsewhere, methods: [control], tasks: [depth]}
  - {title: weaker, methods: [pixel, cwd], words: [methods.pixel.strength=0.5, methods.cwd.strength=0.5], tasks: [seg]}
every:
  data: {size: 64, train: 8, val: 2, test: 3}
  recipe: {steps: 4, batch: 2}
  teacher: {seeds: 2, recipe: {steps: 2, batch: 2}}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring a protocol ``small``, as a plugin would; Hydra finds it where it looks for ours."""
    ours = list(plugin_configs.folders("protocol"))
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "small.yaml").write_text(SMALL)
    monkeypatch.setattr(plugin_configs, "folders", lambda group: [*ours, tmp_path / "conf"])
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    ConfigStore.instance().store(group="protocol", name="small", node=OmegaConf.create(SMALL))


def said(command: Callable[..., int], *arguments: object) -> tuple[int, str]:
    out = io.StringIO()
    return command(*arguments, Console(file=out, width=400)), out.getvalue()


@pytest.mark.usefixtures("small")
def test_a_plan_names_what_is_missing_the_commands_and_the_time(tmp_path: Path) -> None:
    home = tmp_path / "runs"
    code, text = said(planning.plan, "small", home, [], ["seg"])
    assert code == 0
    first, command, *_, total = text.splitlines()
    assert first.startswith("1. first: 4 of 4 runs missing, 4 of unknown length")
    assert first.endswith("2 teachers to train before")
    assert f"benchmark run -m protocol=small task=seg seed=0,1 'method=[none,pixel]' home={home}" in command
    assert "3. elsewhere: not for these tasks" in text
    assert total.startswith("all: 10 of 10 runs missing")
    for seed in (0, 1):  # a tiny run has the protocol's own values
        tiny_run(home, "protocol=small", "method=[none,pixel]", f"seed={seed}")
    _, text = said(planning.plan, "small", home, [], ["seg"])
    assert re.search(r"1. first: complete, 4 runs, took [\d.]+ s, each alone", text)
    assert re.search(r"2. longer: 2 of 2 runs missing, [\d.]+ s, each alone", text)


@pytest.mark.usefixtures("small")
def test_records_without_their_students_need_not_be_made_again(tmp_path: Path) -> None:
    home, published = tmp_path / "runs", tmp_path / "published"
    tiny_run(home, "protocol=small", "method=[none,pixel]", "seed=0")
    tiny_run(home, "protocol=small", "method=none", "seed=1")
    shutil.copytree(home / "records", published / "records")
    _, text = said(planning.plan, "small", tmp_path / "more", [published], ["seg", "depth"])
    lines = text.splitlines()
    assert re.match(r"1. first: 5 of 8 runs missing, [\d.]+ s, each alone, 4 of unknown length", lines[0])
    more = f"home={tmp_path / 'more'}"
    assert lines[1:3] == [
        f"   benchmark run -m protocol=small task=seg seed=1 'method=[pixel]' control=false {more}",
        f"   benchmark run -m protocol=small task=depth seed=0,1 'method=[none,pixel]' {more}",
    ]
    assert "-m protocol=small task=seg,depth seed=0,1 'method=[none]' recipe.factor=2" in text
    assert "3. elsewhere: 2 of 2 runs missing" in text
    weaker = "methods.pixel.strength=0.5 methods.cwd.strength=0.5"
    assert f"-m protocol=small task=seg seed=0,1 'method=[pixel,cwd]' control=false {weaker}" in text
    with pytest.raises(RecordError, match="nowhere"):
        said(planning.plan, "small", home, [tmp_path / "nowhere"], ["seg"])


@pytest.mark.usefixtures("small")
def test_a_command_names_the_options_of_its_methods_alone(tmp_path: Path) -> None:
    home = tmp_path / "runs"
    for seed in (0, 1):
        tiny_run(home, "protocol=small", "method=[pixel]", "methods.pixel.strength=0.5", f"seed={seed}")
    _, text = said(planning.plan, "small", home, [], ["seg"])
    assert "4. weaker: 2 of 4 runs missing" in text
    assert f"seed=0,1 'method=[cwd]' control=false methods.cwd.strength=0.5 home={home}" in text


@pytest.mark.usefixtures("small")
def test_the_check_prints_every_criterion_and_fails_where_one_is_unknown(home: Path) -> None:
    for words in (["seed=0"], ["seed=1"], ["seed=0", "recipe.factor=2"]):
        tiny_run(home, "protocol=small", "method=none", *words)
    code, text = said(checking.check, "small", [home], ["seg"])
    assert code == 1
    for name in ("control at its plateau", "teacher leads", "control beats trivial", "control tuned first"):
        assert name in text
    assert "2 seeds of 2" in text
    assert "0 of 1 tasks meet all criteria" in text
    assert "no finished run of protocol small" in said(checking.check, "small", [home], ["depth"])[1]


def test_selections_name_methods() -> None:
    assert planning.select(["control"]) == ["none"]
    learners = planning.select(["learners"])
    assert {"pixel", "mgd"} <= set(learners)
    assert set(planning.select(["regularisers"])) & set(learners) == set()
    assert set(planning.select(["control", "learners", "regularisers"])) == set(built_in(methods))
    assert planning.select(["pixel", "pixel", "none"]) == ["pixel", "none"]
    with pytest.raises(InputError, match="unknown method 'pixl'; did you mean 'pixel'"):
        planning.select(["pixl"])


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown protocol 'standrd'; did you mean 'standard'"):
        said(checking.check, "standrd", [tmp_path], [])
    with pytest.raises(InputError, match="unknown task 'sge'"):
        said(checking.check, "standard", [tmp_path], ["sge"])
    with pytest.raises(InputError, match="protocol quick has no matrix"):
        said(planning.plan, "quick", tmp_path, [], [])
