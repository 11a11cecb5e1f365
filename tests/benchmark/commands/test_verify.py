"""Stored students scored again: what is written into the record, and what is refused."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmark.commands.verify import verify_all
from leaderboards import store
from leaderboards.record import Record
from leaderboards.record_outcome import Verification
from leaderboards.write import write_boards
from tasks.base import tasks


@pytest.fixture
def copy(finished_home: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that gives a task's finished run to change: the file of its record."""

    def of(task: str = "seg") -> Path:
        shutil.copytree(finished_home(task), tmp_path / task)
        (file,) = (tmp_path / task / "records").glob("*.json")
        return file

    return of


def verify(*items: object, **options: Any) -> tuple[int, str]:
    """Verify and return the exit code and what was printed."""
    out = io.StringIO()
    code = verify_all([*map(str, items)], Console(file=out, soft_wrap=True), **options)
    return code, out.getvalue()


def change(file: Path, **parts: Any) -> Record:
    """Store the record again with changed parts."""
    made = store.read_one(file).model_copy(update=parts)
    store.write(made, file.parent)
    return made


@pytest.mark.parametrize("task", list(tasks))
def test_every_task_is_reproduced_and_says_so(task: str, copy: Callable[[str], Path]) -> None:
    file = copy(task)
    before = store.read_one(file)
    code, printed = verify(file, "device=cpu", by="a reader")
    assert (code, printed.split()[0]) == (0, "reproduced")
    after = store.read_one(file)
    assert (after.verification.level, after.verification.reproduced, after.verification.by) == ("L3", True, "a reader")
    assert after.verification.metrics == {name: each.value for name, each in before.scores.metrics.items()}
    assert after.model_copy(update={"verification": Verification()}) == before
    home = file.parent.parent
    texts = [path.read_text() for path in write_boards([after], home / "boards", ["md", "html"], sources=[home])]
    assert re.search(r"\| L3 +\|", texts[0])
    assert '<span class="tag">L3</span>' in texts[1]


@pytest.mark.slow
def test_the_command_verifies_in_a_process_of_its_own(copy: Callable[[str], Path]) -> None:
    words = [sys.executable, "-m", "benchmark", "leaderboard", "verify", str(copy("seg")), "device=cpu"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["reproduced"]), done.stdout + done.stderr


def test_a_score_that_is_not_reproduced_is_marked(copy: Callable[..., Path]) -> None:
    file = copy()
    scores = store.read_one(file).scores
    better = {name: each.model_copy(update={"value": 0.9}) for name, each in scores.metrics.items()}
    change(file, scores=scores.model_copy(update={"metrics": better}))
    code, printed = verify(file.parent.parent)
    assert code == 1
    assert printed.startswith("not reproduced")
    assert f"miou: recorded 0.9, measured {scores.metrics['miou'].value}" in printed
    assert store.read_one(file).verification.reproduced is False
    (board,) = write_boards([store.read_one(file)], file.parent.parent / "boards", ["md"])
    assert "not reproduced" in board.read_text()
    assert verify(file, tolerance=1.0)[0] == 0


def test_a_higher_level_stays_unless_it_is_refuted(copy: Callable[..., Path]) -> None:
    file = copy()
    trained_again = Verification(level="L4", by="the maintainers")
    change(file, verification=trained_again)
    assert verify(file)[0] == 0
    assert store.read_one(file).verification == trained_again


def _other_data(file: Path) -> None:
    change(file, dataset=store.read_one(file).dataset.model_copy(update={"manifest_sha256": "1" * 64}))


def _other_labels(file: Path) -> None:
    dataset = store.read_one(file).dataset
    change(file, dataset=dataset.model_copy(update={"labeled": dataset.labeled.model_copy(update={"checksum": "0f"})}))


def _other_student(file: Path) -> None:
    (student,) = file.parent.parent.glob("runs/*/student.safetensors")
    student.write_bytes(b"something else")


def _no_student(file: Path) -> None:
    shutil.rmtree(file.parent.parent / "runs")


def _older(file: Path) -> None:
    provenance = store.read_one(file).provenance
    change(file, provenance=provenance.model_copy(update={"config": {**provenance.config, "revision": 0}}))


def _bare(file: Path) -> None:
    change(file, provenance=store.read_one(file).provenance.model_copy(update={"config": {}}))


def _a_file_of_code(part: str) -> Callable[[Path], None]:
    """Return a fault: a record that names, as its task, data or student, a file that would say that it was run."""

    def fault(file: Path) -> None:
        code = file.parent / "evil.py"
        code.write_text(f"open({str(file.parent / 'executed')!r}, 'w')\n")
        provenance = store.read_one(file).provenance
        key = "network" if part == "student" else "name"
        named = {**provenance.config[part], key: f"{code}:Evil"}  # type: ignore[dict-item]
        change(file, provenance=provenance.model_copy(update={"config": {**provenance.config, part: named}}))

    return fault


def _failed(file: Path) -> None:
    change(file, status="failed")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (_other_data, f"expected manifest {'1' * 64}, found"),
        (_other_labels, "labelled part 'seeded-1/2' is another one: expected checksum 0f, found"),
        (_other_student, "student.safetensors: expected sha256"),
        (_no_student, "there is no student"),
        (_older, "made by revision 0 of the suite"),
        (_bare, "provenance.config lacks revision, task, data"),
        (_failed, "the run is failed, expected ok"),
        (_a_file_of_code("task"), "evil.py:Evil' is no name of a task or dataset"),
        (_a_file_of_code("data"), "evil.py:Evil' is no name of a task or dataset"),
        (_a_file_of_code("student"), "evil.py:Evil' is not registered here"),
    ],
)
def test_what_cannot_be_checked_is_said_and_left_alone(
    fault: Callable[[Path], None], expected: str, copy: Callable[..., Path]
) -> None:
    file = copy()
    fault(file)
    before = file.read_bytes()
    code, printed = verify(file)
    assert code == 2
    assert expected in printed
    assert file.read_bytes() == before
    assert not (file.parent / "executed").exists()


def test_only_the_place_of_the_data_and_the_device_may_be_given(copy: Callable[..., Path]) -> None:
    code, printed = verify(copy(), "recipe.steps=3")
    assert code == 2
    assert "'recipe.steps=3': the record says all but where the data lies; expected data.root, device" in printed


def test_one_record_at_fault_does_not_keep_the_others_from_being_checked(copy: Callable[..., Path]) -> None:
    first, second = copy("seg"), copy("depth")
    _other_student(first)
    code, printed = verify(first, second)
    assert code == 2
    assert "reproduced" in printed
    assert store.read_one(second).verification.level == "L3"
