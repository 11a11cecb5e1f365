"""Exported students: the file computes what the student computes, for every task and format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from benchmark.commands import export as module
from benchmark.commands.export import FORMATS, Format, export
from benchmark.runs.finished_run import open_stored
from leaderboards.values import sha256_of
from tasks.base import tasks
from tasks.errors import InputError
from tasks.networks.weights import load_weights
from tests.support import mostly_slow


def run(record: Path, kind: str, out: Path | None = None, size: str | None = None) -> tuple[int, str]:
    """Export and return the exit code and what was printed."""
    printed = io.StringIO()
    code = export(record, kind, out, size, [], Console(file=printed, soft_wrap=True))
    return code, printed.getvalue()


def record_of(home: Path) -> Path:
    (file,) = (home / "records").glob("*.json")
    return file


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that puts in the place of all formats one that only says it writes, and is so much wrong."""

    def use(wrong: float) -> None:
        written: list[nn.Module] = []

        def save(network: nn.Module, example: Tensor, path: Path) -> None:
            written.append(network)
            path.write_bytes(b"a file")

        def load(path: Path) -> Callable[[Tensor], list[Tensor]]:
            return lambda image: [level + wrong for level in written[-1](image)]

        monkeypatch.setattr(module, "FORMATS", {"light": Format(".light", (), save, load)})

    return use


# Each format once: of several maps, and of several frames.
@pytest.mark.parametrize(
    ("task", "kind"), mostly_slow(product(tasks, FORMATS), {("det", "onnx"), ("attention", "torch-export")})
)
def test_every_task_and_format(task: str, kind: str, finished_home: Callable[[str], Path], tmp_path: Path) -> None:
    file = record_of(finished_home(task))
    out = tmp_path / f"student{FORMATS[kind].suffix}"
    code, printed = run(file, kind, out, "40x72")
    assert code == 0
    assert "max abs difference" in printed
    assert "tolerance" in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name, f"{out.name}.json"]

    stored = open_stored(file)
    made = stored.task([])
    network = made.network(stored.spec)
    load_weights(network, stored.student_file)
    image = torch.randn(4, 3 * made.frames, 40, 72, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        expected = network.eval()(image).maps
        found = FORMATS[kind].load(out)(image)
    for mine, theirs in zip(expected, found, strict=True):
        torch.testing.assert_close(theirs, mine, rtol=1e-4, atol=1e-4)

    about = json.loads((tmp_path / f"{out.name}.json").read_text())
    assert about["sha256"] == sha256_of(out)
    assert about["student_sha256"] == stored.record.provenance.student_sha256
    assert [each["shape"] for each in about["outputs"]] == [["N", *each.shape[1:]] for each in expected]
    assert about["image"] == [40, 72]
    assert about["input"]["mean"] == [0.485, 0.456, 0.406]
    assert about["check"]["max_abs_difference"] <= about["check"]["tolerance"]


def test_size_and_place_have_defaults(finished_home: Callable[[str], Path], light: Callable[[float], None]) -> None:
    file = record_of(finished_home("seg"))
    light(0.0)
    assert run(file, "light")[0] == 0
    (about,) = file.parent.parent.glob("runs/*/student.light.json")
    assert json.loads(about.read_text())["image"] == [64, 64]


@pytest.mark.parametrize("size", ["64", "64x", "0x64", "64,64"])
def test_a_wrong_size_is_named(size: str, finished_home: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=f"--size {size}: expected HxW"):
        run(record_of(finished_home("seg")), "onnx", size=size)


def test_a_file_that_computes_something_else_is_not_kept(
    finished_home: Callable[[str], Path], tmp_path: Path, light: Callable[[float], None]
) -> None:
    light(0.01)
    code, printed = run(record_of(finished_home("seg")), "light", tmp_path / "student.pt2", "64x64")
    assert code == 1
    assert "failed: the light file is not the student: max abs difference 0.01" in printed
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    absent = {"onnx": replace(FORMATS["onnx"], needs=("onnx_absent",))}
    monkeypatch.setattr(module, "FORMATS", absent)
    with pytest.raises(InputError, match=r"needs onnx_absent: pip install 'densedistill\[export\]'"):
        run(tmp_path / "record.json", "onnx")
