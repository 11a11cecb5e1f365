"""``benchmark data inspect``: the command that it prints is the one that works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from benchmark.cli import app, guarded
from benchmark.config import compose
from benchmark.training.problem import build_dataset
from tasks.datasets.scenes import Scenes
from tests.tasks.datasets import layouts
from tests.tasks.datasets.own_layouts import LAYOUTS


def inspect(path: Path) -> int:
    return guarded(lambda: app(["data", "inspect", str(path)], standalone_mode=False))


def printed(told: str) -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"^  (benchmark run .*)$", told, re.MULTILINE)]


@pytest.mark.parametrize("name", ["colour masks", "soft masks", "roboflow", "dots", "tum"])
def test_the_command_reads_the_folder(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = Scenes(size=48, train=12, val=1, test=1)
    root = tmp_path / "größe, my data=1"
    LAYOUTS[name].write(root, [scenes.load("train", index) for index in range(12)])
    assert inspect(root) == 0
    words = next(each for each in printed(capsys.readouterr().out) if f"task={LAYOUTS[name].task}" in each)
    dataset = build_dataset(compose.load(words[2:]).data)
    assert LAYOUTS[name].kind in dataset.provides
    assert sum(len(dataset.ids(split)) for split in dataset.splits) >= 8


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("camvid", layouts.camvid, []),
        ("shanghaitech", lambda root: layouts.shanghaitech(root, part="B", folder="part_{}"), ["data.part=B"]),
        ("mit1003", layouts.mit1003, []),
        ("salicon", layouts.salicon, []),
    ],
)
def test_adapters_of_published_sets_go_first(
    name: str, write: object, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(write)
    write(tmp_path)
    assert inspect(tmp_path) == 0
    first = printed(capsys.readouterr().out)[0]
    assert {f"data={name}", *words} <= set(first)


def test_a_folder_of_nothing_is_one_clear_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.md").write_text("hello")
    assert inspect(tmp_path) == 2
    told = capsys.readouterr().err
    assert "found 1 .md" in told
    assert "data.images=FOLDER" in told
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]
    assert inspect(tmp_path / "absent") == 2
    assert "expected a folder, found no such folder" in capsys.readouterr().err
