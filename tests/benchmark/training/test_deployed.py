"""What a method deploys behind the student: scored, stored, counted, verified and exported with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console

from benchmark.commands.export import FORMATS, export
from benchmark.commands.verify import verify_all
from benchmark.runs.finished_run import open_stored
from benchmark.training.deployed import Decoded, rebuilt
from leaderboards import store
from leaderboards.record import Record
from tasks.base import tasks
from tasks.errors import InputError
from tasks.networks.weights import load_weights, read_weights
from tests.benchmark.training.test_resume import Killed, kill_at
from tests.support import SAVING, in_turn, mostly_slow, student_bytes, tiny_run

DECODING = ("method=crf", "methods.crf.decoding=true", "methods.crf.fit_steps=2")
SILENT = Console(file=io.StringIO())


def file_of(home: Path, record: Record) -> Path:
    return home / store.RECORDS / f"{record.run_id}.json"


@pytest.mark.parametrize("task", mostly_slow(sorted(tasks), {"seg"}))
def test_a_decoded_student_is_what_the_record_says_and_can_be_verified(
    task: str, home_of: Callable[[str], Path]
) -> None:
    home = home_of(task)
    (record,) = tiny_run(home, f"task={task}", *DECODING)
    assert record.status == "ok", record.status_reason
    assert record.method.options["decoding"] is True
    assert any("deployed with a decoder" in note for note in record.method.notes)
    weights = read_weights(home / str(record.artifacts.student)).tensors
    decoder = {name: each for name, each in weights.items() if name.startswith("decoder.")}
    assert list(decoder) == ["decoder.transitions"]

    stored = open_stored(file_of(home, record))
    made = stored.task([])
    student = made.network(stored.spec)
    parameters = sum(each.numel() for each in student.parameters())
    assert record.inference.params == parameters + decoder["decoder.transitions"].numel()
    assert isinstance(stored.load(student, made, (64, 64)), Decoded)
    assert verify_all([str(file_of(home, record)), "device=cpu"], SILENT) == 0
    with pytest.raises(InputError, match="another architecture"):
        load_weights(made.network(stored.spec), stored.student_file)


def test_the_decoder_changes_what_is_scored_and_its_products_are_counted(home: Path) -> None:
    (plain,) = tiny_run(home, "method=crf", "methods.crf.fit_steps=2")
    (decoded,) = tiny_run(home, *DECODING)
    own = read_weights(home / str(plain.artifacts.student)).tensors
    same = read_weights(home / str(decoded.artifacts.student)).tensors
    assert all(torch.equal(each, same[f"student.{name}"]) for name, each in own.items()), "decoding is not training"
    assert decoded.scores.metrics["miou"].value != plain.scores.metrics["miou"].value
    classes, side = 12, 64 // 4
    products = 2 * 2 * classes**2 * side * (side - 1)  # two directions, both ways, a side of chains, steps along them
    assert decoded.inference.macs - plain.inference.macs == products
    assert not plain.method.notes


@pytest.mark.slow  # exporters
@pytest.mark.parametrize(("task", "kind"), in_turn(sorted(tasks), list(FORMATS)))
def test_a_decoded_student_is_exported_whole(
    task: str, kind: str, home_of: Callable[[str], Path], tmp_path: Path
) -> None:
    home = home_of(task)
    (record,) = tiny_run(home, f"task={task}", *DECODING)
    out = tmp_path / f"student{FORMATS[kind].suffix}"
    assert export(file_of(home, record), kind, out, "32x48", [], SILENT) == 0
    stored = open_stored(file_of(home, record))
    made = stored.task([])
    network = stored.load(made.network(stored.spec), made, (32, 48)).eval()
    image = torch.randn(2, 3 * made.frames, 32, 48, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(FORMATS[kind].load(out)(image)[0], network(image).maps[0], rtol=1e-4, atol=1e-4)


def test_selection_by_validation_keeps_the_decoder_and_survives_a_kill(
    home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*DECODING, "recipe.selection=best", "recipe.validations=4")
    whole, cut = home_of("seg"), home_of("seg")
    (expected,) = tiny_run(whole, *words)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 3, 0)
        tiny_run(cut, *words, SAVING)
    (found,) = tiny_run(cut, *words)
    assert student_bytes(cut, found) == student_bytes(whole, expected)
    assert found.scores == expected.scores


def test_a_cohort_changes_nothing_for_a_decoded_student(home_of: Callable[[str], Path]) -> None:
    alone, beside = home_of("seg"), home_of("seg")
    (expected,) = tiny_run(alone, *DECODING)
    records = tiny_run(beside, "method=[none,crf]", *DECODING[1:])
    (found,) = (each for each in records if each.method.name == "crf")
    assert student_bytes(beside, found) == student_bytes(alone, expected)
    assert found.scores == expected.scores


def test_a_method_that_is_not_installed_deploys_the_student_alone(home: Path) -> None:
    (record,) = tiny_run(home, "method=none")
    stored = open_stored(file_of(home, record))
    task = stored.task([])
    student = task.network(stored.spec)
    assert rebuilt(student, task, (64, 64), "gone", {}) is student
