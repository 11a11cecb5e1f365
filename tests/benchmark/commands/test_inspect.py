"""``benchmark data inspect``: the command that it prints is the one that works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli import app, guarded
from benchmark.config import compose
from benchmark.training.problem import build_dataset
from tasks.datasets.scenes import Scenes
from tests.benchmark.test_cli import command
from tests.tasks.datasets import layouts
from tests.tasks.datasets import test_folder_faults as bad
from tests.tasks.datasets.own_layouts import LAYOUTS
from tests.tasks.datasets.reading.test_survey import masks_and_edges


def inspect(path: Path) -> int:
    return guarded(lambda: app(["data", "inspect", str(path)], standalone_mode=False))


def unwrapped(told: str) -> str:
    """A table as if the screen were wide."""
    return re.sub(r"[\s│]+", " ", told)


def printed(told: str) -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"^  (benchmark run .*)$", told, re.MULTILINE)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where data shall lie, beside the folder in which commands are typed."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "data"


def refused(lines: Iterable[list[str]], message: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hold commands to exit code 2, one clear message, and nothing written to data or to where they were typed."""
    before = sorted(place.parent.rglob("*"))
    for line in lines:
        assert command(*line) == 2, line
        told = "".join(capsys.readouterr())
        assert message in told, (line, told)
        assert "Traceback" not in told
        assert told.count(message.partition(": ")[2] or message) <= 4, "three of like faults"
        assert sorted(place.parent.rglob("*")) == before, line


@pytest.mark.parametrize("name", ["colour masks", "soft masks", "roboflow", "dots", "tum", "kitti"])
def test_the_command_reads_the_folder(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = Scenes(size=48, train=12, val=1, test=1)
    root = tmp_path / "größe, my data=1"
    LAYOUTS[name].write(root, [scenes.load("train", index) for index in range(12)])
    assert inspect(root) == 0
    words = next(each for each in printed(capsys.readouterr().out) if f"task={LAYOUTS[name].task}" in each)
    dataset = build_dataset(compose.load(words[2:]).data)
    assert LAYOUTS[name].kind in dataset.provides
    assert sum(len(dataset.ids(split)) for split in dataset.splits) >= 8


def test_each_of_several_ways_has_a_command_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks_and_edges(tmp_path, tmp_path)
    assert inspect(tmp_path) == 0
    lines = [words[2:] for words in printed(capsys.readouterr().out) if "task=saliency" in words]
    read = [build_dataset(compose.load(words).data).load("train", 0).annotations["mask"] for words in lines]
    assert [int(mask.sum()) for mask in read] == [24 * 32 - 120, 120]


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


@pytest.mark.parametrize(
    ("write", "words", "message"),
    [
        (bad.coco_cut, [], "boxes.json: expected JSON, found"),
        (bad.coco_cut, ["data.format=coco"], "boxes.json: expected COCO's JSON"),
        (bad.link_out, [], "x.png: expected links that stay within data.root="),
        (bad.bare, [], "images without an annotation (binary"),
        (bad.one_stem, [], "expected one file a name, found 1.jpg in the same folder"),
        (lambda root: bad.photo(root / "a" / "1.png"), [], "found 1 .png in a/"),
        (lambda root: root.mkdir(), [], "found no files in nothing"),
    ],
)
def test_a_bad_folder_is_one_clear_line_for_every_command(
    write: Callable[[Path], object], words: list[str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place)
    data = ["data=folder", f"data.root={place}", "data.size=32", *words]
    lines = [["data", "preview", *data], ["data", "verify", *data], ["run", "task=saliency", "device=cpu", *data]]
    refused(lines if words else [["data", "inspect", str(place)], *lines], message, place, capsys)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (bad.deep, "3.png: expected an 8-bit image, found mode I;16"),
        (bad.deep_colours, "3.png: expected an 8-bit image, found mode RGB;16"),
        (bad.dangling, "found no such file"),
        (bad.turned, "found an EXIF entry that turns it; say data.exif=apply"),
        (bad.no_image, "3.png: expected an image, found no image data"),
    ],
)
def test_an_image_of_no_use_is_told_before_any_is_read(
    write: Callable[[Path], object], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By every command: one that trains ends before its first step."""
    write(place)
    data = ["data=folder", f"data.root={place}", "data.size=32"]
    run = ["run", "task=saliency", "device=cpu", *data]
    refused([["data", "inspect", str(place)], ["data", "verify", *data], run], message, place, capsys)


def test_grey_and_transparent_images_are_told_and_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad.pairs(tmp_path, 10)
    bad.picture(tmp_path / "images" / "3.png", np.full((24, 32), 90, np.uint8))
    bad.picture(tmp_path / "images" / "4.png", np.full((24, 32, 4), 90, np.uint8))
    assert inspect(tmp_path) == 0
    assert "8 in colour, 1 grey (repeated), 1 with transparency (dropped)" in unwrapped(capsys.readouterr().out)


def test_few_images_without_an_annotation_are_left_out_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad.pairs(tmp_path, 10)
    bad.photo(tmp_path / "images" / "10.png")
    bad.photo(tmp_path / "extra" / "0.png")
    assert inspect(tmp_path) == 0
    told = capsys.readouterr().out
    assert "images without an annotation: 2, extra/0.png, images/10.png" in unwrapped(told)
    assert all("data.missing=skip" in words for words in printed(told))


def test_a_folder_of_nothing_is_one_clear_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.md").write_text("hello")
    assert inspect(tmp_path) == 2
    told = capsys.readouterr().err
    assert "found 1 .md" in told
    assert "data.images=FOLDER" in told
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]
    assert inspect(tmp_path / "absent") == 2
    assert "expected a folder, found no such folder" in capsys.readouterr().err
