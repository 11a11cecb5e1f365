"""Real images, whose adapter nobody names: inspect, then the command that it prints, verify, preview, ten steps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.config import compose
from leaderboards import store
from tasks.base import Dataset, Sample
from tasks.datasets.camvid import CamVid
from tasks.datasets.rgbd import RGBD
from tasks.datasets.saliency import Saliency
from tasks.datasets.shanghaitech import ShanghaiTech
from tasks.datasets.voc_det import VOCDetection
from tests.benchmark.test_cli import command
from tests.tasks.datasets.own_layouts import LAYOUTS

pytestmark = [pytest.mark.realdata, pytest.mark.slow]  # each reads a set whole, and trains on it

SMALL = ("method=none", "data.size=64", "recipe.steps=10", "recipe.batch=2", "recipe.crop=null", "save_every=60")
FAULTY = {"bccd": 2}  # boxes without an area, which are left out
COUNT = 12  # samples of a layout
SETS = {"camvid": "seg", "bccd": "det", "crowd": "count", "rgbd": "depth", "people_masks": "saliency"}
SOURCES: dict[str, tuple[str, Callable[[str], Dataset]]] = {
    "classes": ("camvid", lambda root: CamVid(root=root)),
    "boxes": ("bccd", lambda root: VOCDetection(root=root)),
    "points": ("crowd", lambda root: ShanghaiTech(root=root, part="B", holdout=0.0)),
    "depth": ("rgbd", lambda root: RGBD(root=root)),
    "mask": ("people_masks", lambda root: Saliency(root=root, images="Training_Images", masks="Ground_Truth")),
    "fixations": ("people_masks", lambda root: Saliency(root=root, images="Training_Images", masks="Ground_Truth")),
}


def chain(root: Path, task: str, home: Path, capsys: pytest.CaptureFixture[str], faults: int = 0) -> None:
    """Do what a user would, and nothing else: the words are those that ``inspect`` printed."""
    before = sorted(root.rglob("*"))
    assert command("data", "inspect", str(root)) == 0
    lines = re.findall(r"^  benchmark (run .*)$", capsys.readouterr().out, re.MULTILINE)
    printed = next(words for line in lines if f"task={task}" in (words := shlex.split(line)))
    data = [word for word in printed if word.startswith("data")]
    code, told = command("data", "verify", *data), capsys.readouterr().out
    assert (code, told.count("fault:")) == ((2 if faults else 0), faults), told
    assert command("data", "preview", *data, "--out", str(home / "sheet.png")) == 0
    assert (home / "sheet.png").stat().st_size > 1000
    assert command(*printed, *SMALL, f"home={home}", "device=cpu", "workers=0") == 0, capsys.readouterr()
    (record,) = store.read([home])[0]
    assert (record.status, record.provenance.config["recipe"]["steps"]) == ("ok", 10)
    assert record.dataset.name == compose.load(printed[1:]).data["name"]
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("name", SETS)
def test_a_real_set(
    name: str, realdata: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain(Path(realdata(name)), SETS[name], tmp_path, capsys, faults=FAULTY.get(name, 0))


@pytest.mark.parametrize("name", LAYOUTS)
def test_real_images_in_a_layout_of_ones_own(
    name: str, realdata: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = LAYOUTS[name]
    folder, build = SOURCES[layout.kind]
    source = build(realdata(folder))
    samples: list[Sample] = [source.load("train", index) for index in range(COUNT)]
    layout.write(tmp_path / "mine", samples)
    chain(tmp_path / "mine", layout.task, tmp_path / "runs", capsys)
