from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from methods.base import Step
from methods.crf import ChainDistillation
from tests.support import student_bytes, tiny_run

FIT = ("method=crf", "methods.crf.fit_steps=3")


def kept(home: Path) -> list[Path]:
    """The files that methods left beside a teacher."""
    return sorted((home / "teachers").glob("*/crf-*.safetensors"))


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the images of every fit."""
    seen: list[int] = []
    calibrate = ChainDistillation.calibrate

    def spy(self: ChainDistillation, steps: list[Step]) -> None:
        taken = list(steps)
        seen.append(sum(len(step.labeled.image) for step in taken))
        calibrate(self, taken)

    monkeypatch.setattr(ChainDistillation, "calibrate", spy)
    return seen


def test_what_is_learned_of_a_teacher_is_kept_with_it_and_learned_once(home: Path, fits: list[int]) -> None:
    first, second = (tiny_run(home, *FIT, f"seed={seed}")[0] for seed in (0, 1))
    assert first.status == second.status == "ok"
    assert fits == [8]  # every labeled image once
    (path,) = kept(home)
    assert path.parent.name == first.teachers[0].id
    table = safetensors.torch.load_file(path)["table"]
    assert table.abs().max() > 0.5
    tiny_run(home, *FIT, "methods.crf.strength=0.5")
    assert len(fits) == 1
    tiny_run(home, "method=crf", "methods.crf.fit_steps=0")
    tiny_run(home, *FIT, "data.labeled=1/2")
    assert fits == [8, 8, 4]


def test_a_run_is_the_same_whether_it_learned_or_read(home: Path) -> None:
    words = (*FIT, "methods.crf.strength=1")
    (learned,) = tiny_run(home, *words)
    first, table = student_bytes(home, learned), kept(home)[0].read_bytes()
    (home / "records" / f"{learned.run_id}.json").unlink()
    (read,) = tiny_run(home, *words)
    assert student_bytes(home, read) == first
    kept(home)[0].unlink()
    (home / "records" / f"{learned.run_id}.json").unlink()
    _, again = tiny_run(home, "method=[pixel,crf]", *words[1:])
    assert student_bytes(home, again) == first
    assert kept(home)[0].read_bytes() == table


def test_what_fails_is_recorded_and_harms_no_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: ChainDistillation, steps: list[Step]) -> None:
        for step in steps:
            step.student(step.labeled)

    monkeypatch.setattr(ChainDistillation, "calibrate", ask)
    pixel, crf = tiny_run(home, "method=[pixel,crf]")
    assert pixel.status == "ok"
    assert crf.status == "failed"
    assert "asked for the student's prediction" in str(crf.status_reason)
    assert not kept(home)


def test_a_changed_file_is_refused(home: Path) -> None:
    assert tiny_run(home, *FIT)[0].status == "ok"
    safetensors.torch.save_file({"table": torch.zeros(2)}, kept(home)[0])
    (record,) = tiny_run(home, *FIT, "seed=5")
    assert record.status == "failed"
    assert kept(home)[0].name in str(record.status_reason)
