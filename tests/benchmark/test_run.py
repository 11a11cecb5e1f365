from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from PIL import Image
from rich.console import Console

from benchmark.run import Run
from benchmark.runs import outcome
from benchmark.runs import panel as panel_of
from benchmark.runs.identity import Identity
from benchmark.runs.outcome import now
from leaderboards import image_values, validate
from leaderboards.record import Record
from leaderboards.values import sha256_of
from tasks.data.sheet import GAP, TITLE
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tests.support import Finished, tiny_config, tiny_run


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Record every sample that is read."""
    seen: list[tuple[str, int]] = []
    load = Scenes.load

    def spy(self: Scenes, split: str, index: int) -> object:
        seen.append((split, index))
        return load(self, split, index)

    monkeypatch.setattr(Scenes, "load", spy)
    return seen


def test_the_test_split_is_read_once_a_student_after_training(home: Path, loads: list[tuple[str, int]]) -> None:
    tiny_run(home, "method=[none,pixel]", "recipe.selection=best", "recipe.validations=2", "data.cache=none")
    tests = [position for position, (split, _) in enumerate(loads) if split == "test"]
    trains = [position for position, (split, _) in enumerate(loads) if split == "train"]
    assert [loads[position][1] for position in tests[:3]] == [0, 1, 2]  # trivial predictors, which need no student
    students = tests[3:]
    assert Counter(loads[position] for position in students) == {("test", index): 2 for index in range(3)}
    assert min(students) > max(position for position in trains if loads[position] != ("train", 0))


def test_the_best_weights_are_chosen_on_validation(home: Path) -> None:
    (record,) = tiny_run(home, "method=none", "recipe.selection=best", "recipe.validations=4")
    assert record.protocol.selection.rule == "best"
    assert record.protocol.selection.split == "val"
    assert record.protocol.selection.step in (1, 2, 3, 4)


def test_a_record_is_complete(home: Path) -> None:
    (record,) = tiny_run(home, "method=mgd", "data.labeled=1/4", "methods.mgd.strength=1")
    assert record == Record.parse(record.dump())
    assert record.status == "ok"
    assert record.scores.primary_metric == "miou"
    assert record.scores.metrics["miou"].n == 3
    assert 0 <= record.score <= 1
    assert (record.dataset.labeled.count, record.dataset.labeled.total) == (2, 8)
    assert record.inference.params == sum(
        each.numel() for each in _student(home, record).values() if each.ndim
    ) - _buffers(home, record)
    assert record.inference.macs > 0
    assert record.training.wall_s > 0
    assert 0 < record.training.teacher_share < 1
    values = image_values.read_one(image_values.place(home / "records", record.run_id), record)
    assert len(values.values) == 3
    assert record.provenance.student_sha256 == sha256_of(home / record.artifacts.student)
    assert record.method.weights == {
        "supervised": 1.0,
        "pixel_labeled": 1.0,
        "pixel_unlabeled": 1.0,
        "image": 0.084,
        "region": 20.0,
    }


def _student(home: Path, record: Record) -> dict:
    return safetensors.torch.load_file(home / record.artifacts.student)


def _buffers(home: Path, record: Record) -> int:
    return sum(each.numel() for name, each in _student(home, record).items() if "running_" in name)


def test_a_clock_that_is_set_back_while_a_run_lasts_ends_it_when_it_began(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "now", lambda: now() - timedelta(days=1))
    (record,) = tiny_run(home, "method=none")
    assert record.status == "ok"
    assert record.provenance.started is not None
    assert record.provenance.finished == record.provenance.started
    assert validate.validate([home])[1] == []


def test_images_too_small_for_a_network_are_told_before_it_is_trained(tmp_path: Path) -> None:
    """One pixel is left of 32, which the teacher cannot normalise: what torch says of that becomes a line."""
    with pytest.raises(InputError, match=r"cannot take one image of 32x32 pixels \(.+\); give it larger ones by data"):
        tiny_run(tmp_path, "task=seg", "method=pixel", "data.size=32")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_student_that_cannot_be_built_costs_no_teacher(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shrink=0: expected a whole number"):
        tiny_run(tmp_path, "task=seg", "method=pixel", "student.shrink=0")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_the_student_file_holds_the_student_alone(together: Callable[[str], Finished]) -> None:
    runs = together("seg")
    none, mgd = (_student(runs.home, runs.record(name)) for name in ("none", "mgd"))
    assert none.keys() == mgd.keys()


def test_the_panel_shows_every_network(home: Path) -> None:
    (record,) = tiny_run(home, "method=mgd", "control=true")[1:]
    with Image.open(home / record.artifacts.panel) as panel:
        pixels = np.asarray(panel)
    columns, lines = 2 + 2 + 2, 2  # image, truth, two teachers, two students; two images
    assert panel.size == (GAP + columns * (panel_of.TILE + GAP), TITLE + GAP + lines * (panel_of.TILE + GAP))
    assert pixels.std() > 20


def identities(home: Path, *words: str) -> dict[str, Identity]:
    """Name the runs that words ask for, by their method, without running them."""
    run = Run(tiny_config(home, *words), Console(file=io.StringIO()))
    return {each.name: each.identity for each in run.contestants}


def test_the_control_joins_unless_it_is_told_not_to(home: Path) -> None:
    assert list(identities(home, "method=pixel", "control=true")) == ["none", "pixel"]
    assert list(identities(home, "method=pixel", "control=false")) == ["pixel"]


def test_runs_of_one_track_differ_in_method_and_seed_alone(home: Path) -> None:
    none, pixel = identities(home, "method=[none,pixel]").values()
    (other,) = identities(home, "method=pixel", "seed=1").values()
    (warmer,) = identities(home, "method=pixel", "methods.pixel.temperature=2").values()
    assert len({none.track_id, pixel.track_id, other.track_id, warmer.track_id}) == 1
    assert pixel.entry_id == other.entry_id
    assert len({pixel.entry_id, none.entry_id, warmer.entry_id}) == 3
    (longer,) = identities(home, "method=none", "recipe.steps=3").values()
    assert longer.track_id != none.track_id
    assert longer.setting_id == none.setting_id
