from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from rich.console import Console

from benchmark.commands.list_all import show
from benchmark.training.kept import read_kept
from tasks.errors import InputError
from tests.support import TINY, Finished, tiny_run

SMALL = (
    "teacher.networks.deep.encoder_options.layers=[1,1,1,1]",
    "teacher.networks.deep.encoder_options.channels=[8,8,8,8]",
)


def test_a_checkpoint_is_used_and_scored(home: Path, together: Callable[[str], Finished]) -> None:
    trained = together("seg").record("pixel").teachers[0]
    (record,) = tiny_run(home, "method=pixel", f"teacher.checkpoint={home}/teachers/{trained.id}/teacher.safetensors")
    used = record.teachers[0]
    assert used.own_score == trained.own_score
    assert used.weights_sha256 == trained.weights_sha256
    assert used.id != trained.id
    assert used.steps is None


def test_a_checkpoint_of_another_architecture_is_refused(home: Path, together: Callable[[str], Finished]) -> None:
    trained = together("seg").record("pixel").teachers[0]
    path = home / "teachers" / trained.id / "teacher.safetensors"
    with pytest.raises(InputError, match="are of another architecture"):
        tiny_run(home, "method=pixel", f"teacher.checkpoint={path}", *SMALL)


def test_a_checkpoint_of_a_training_loop_is_the_same_teacher(
    home: Path, together: Callable[[str], Finished], tmp_path: Path
) -> None:
    trained = together("seg").record("pixel").teachers[0]
    weights = safetensors.torch.load_file(home / "teachers" / trained.id / "teacher.safetensors")
    state = {f"model.{name}": tensor for name, tensor in weights.items()}
    torch.save({"epoch": 9, "state_dict": state, "optimizer_states": [{"state": {}}]}, tmp_path / "last.ckpt")
    (record,) = tiny_run(home, "method=pixel", f"teacher.checkpoint={tmp_path / 'last.ckpt'}")
    assert record.teachers[0].own_score == trained.own_score
    assert record.teachers[0].weights_sha256 == trained.weights_sha256


def test_a_pickle_is_refused_without_being_opened(home: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "exploded",))

    (tmp_path / "b.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="pickle"):
        tiny_run(home, "method=pixel", f"teacher.checkpoint={tmp_path / 'b.pt'}")
    assert not (tmp_path / "exploded").exists()


def test_an_encoder_is_no_teacher(home: Path) -> None:
    with pytest.raises(InputError, match=r"predicts nothing by itself; \+teacher.networks.deep.weights=hub:"):
        tiny_run(home, "method=pixel", "teacher.weights=hub:timm/resnet18")


def test_a_missing_checkpoint_is_named(home: Path) -> None:
    with pytest.raises(InputError, match=r"teacher.checkpoint=nowhere.safetensors: no such file"):
        tiny_run(home, "method=pixel", "teacher.checkpoint=nowhere.safetensors")


def test_a_changed_teacher_is_noticed(tmp_path: Path) -> None:
    (record,) = tiny_run(tmp_path, "method=pixel")
    path = tmp_path / "teachers" / record.teachers[0].id / "teacher.safetensors"
    weights = safetensors.torch.load_file(path)
    weights[min(weights)] += 1
    safetensors.torch.save_file(weights, path)
    with pytest.raises(InputError, match="its hash is not the one in teacher.json"):
        tiny_run(tmp_path, "method=cwd")


@pytest.mark.parametrize(
    ("content", "found"), [("", "found Expecting value"), ("[1]", "found no primary_metric"), ("{}", "found no")]
)
def test_what_is_known_of_a_teacher_is_read_with_doubt(content: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "teacher.json"
    path.write_text(content)
    with pytest.raises(InputError, match=f"teacher.json: expected .*{found}.*; delete the folder"):
        read_kept(path, ("primary_metric", "metrics"), "delete the folder")


def test_teachers_are_listed_with_their_scores(home: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    show("teachers", None, home, console)
    listed = console.file.getvalue()
    assert listed.count("miou") == 2
    assert "fpn tu-resnet18" in listed


def test_a_single_teacher_plays_both_roles(home: Path) -> None:
    (record,) = tiny_run(home, "method=mgd", "~teacher.networks.wide")
    assert record.method.roles["deep"] == record.method.roles["wide"]
    assert record.method.notes == ["the teacher 'deep' stands in for the missing role 'wide'"]


@pytest.mark.slow
def test_two_processes_train_a_teacher_once(tmp_path: Path) -> None:
    words = ["method=pixel", "teacher.recipe.steps=30", f"home={tmp_path}"]
    command = [sys.executable, "-m", "benchmark", "run", *TINY, *words]
    processes = [subprocess.Popen([*command, f"seed={seed}"], stdout=subprocess.PIPE, text=True) for seed in (0, 1)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum("teacher deep: 30 steps" in output for output in outputs) == 1
    assert sum("another process is making it; waiting" in output for output in outputs) == 1
    assert len(list((tmp_path / "teachers").iterdir())) == 1
