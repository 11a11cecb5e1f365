"""Two processes that share each batch train what one trains on all of it; on a processor, over gloo.

Norms and dropout are in eval form: otherwise a layer normalises by a statistic of the part that it sees, and drops what
is drawn for that part, by definition.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from benchmark import run
from benchmark.config.schema import Config
from benchmark.run import help_along
from benchmark.training.device import Place
from benchmark.training.interrupt import Interrupted
from benchmark.training.ranks import RankLost
from leaderboards import store
from leaderboards.record import Record
from methods.base import methods
from tasks.base import Sample, tasks
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tests.support import ROUNDING, SAVING, student_bytes, tiny_config, tiny_run

TWO = "devices=2"
SOME = "cckd,mgd"  # of the default suite: one that relates images to one another, one of all streams
# Rounding decides nothing here: Adam would divide a gradient that is nearly zero by its size, kr would choose between
# entries of the teacher that are nearly alike, and teachers that were trained twice differ by it.
WORDS = (
    "recipe.steps=2",
    "recipe.batch=8",
    "recipe.optimizer=sgd",
    "recipe.lr=0.01",
    "teacher.control=untrained",
    "data.train=16",
    "data.val=1",
    "data.test=1",
)
EVERY = (
    f"method=[{','.join(sorted(methods))}]",
    "methods.structured.critic_optimizer=sgd",
    "methods.kr.keep=1",
    "methods.kr.sparse=0",
)
BATCHES = ("recipe.batch=4", "teacher.recipe.batch=4")
METHOD = """
import multiprocessing, os, pathlib, signal
from methods.base import SUPERVISED, Method

DIED = pathlib.Path(__file__).with_suffix(".died")

class Odd(Method):
    title, paper = "odd", "none"

    def __init__(self, setting, *, how: str = "raise", at: int = 2):
        super().__init__(setting)
        self.how, self.at = how, at

    def forward(self, step):
        loss = step.supervised()
        second = multiprocessing.parent_process() is not None
        if step.index == self.at and self.how == "raise" and second:
            raise ArithmeticError("on one device")
        if step.index == self.at and self.how == "stop" and not second:
            os.kill(os.getpid(), signal.SIGTERM)
        if step.index == self.at and self.how == "die" and second and not DIED.exists():
            DIED.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return {SUPERVISED: loss}
"""


BY_PART = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)


def _stay_in_eval(layer: nn.Module, mode: bool = True) -> nn.Module:
    return nn.Module.train(layer, False)


def help_with_still(config: Config, place: Place, ready: Connection) -> None:
    """Help as a process whose norms and dropout stay in eval form."""
    for layer in BY_PART:
        layer.train = _stay_in_eval  # type: ignore[method-assign,assignment]
    torch.set_num_threads(1)
    help_along(config, place, ready)


def help_with_bad_data(config: Config, place: Place, ready: Connection, first: int = 1) -> None:
    """Help as a process that meets damaged files from an image on."""
    whole = Scenes.load

    def load(self: Scenes, split: str, index: int) -> Sample:
        if index >= first:
            raise InputError(f"image {index} of {split}: cut off; fetch it again")
        return whole(self, split, index)

    Scenes.load = load  # type: ignore[method-assign]
    help_along(config, place, ready)


def help_without_data(config: Config, place: Place, ready: Connection) -> None:
    """Help as a process that cannot read a single image, as it finds out before the first step."""
    help_with_bad_data(config, place, ready, first=0)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    for layer in BY_PART:
        monkeypatch.setattr(layer, "train", _stay_in_eval)
    monkeypatch.setattr(run, "help_along", help_with_still)


def steps(home: Path, record: Record) -> list[dict[str, float]]:
    """Read the terms of every step."""
    return [json.loads(line) for line in (home / str(record.artifacts.steps)).read_text().splitlines()]


def weights(home: Path, record: Record) -> Mapping[str, torch.Tensor]:
    return safetensors.torch.load(student_bytes(home, record))


@pytest.fixture
def odd(tmp_path: Path, registries: None) -> Callable[..., list[str]]:
    """Return a function that gives the words of a cohort whose last method is odd."""
    file = tmp_path / "odd.py"
    file.write_text(METHOD)

    def words(how: str, at: int = 2, beside: str = "cckd") -> list[str]:
        chosen = [f"methods.odd.how={how}", f"methods.odd.at={at}"]
        return [f"method=[{beside},{file}:Odd]", *chosen, *BATCHES, TWO]

    return words


def assert_alike(one: Path, alone: Record, two: Path, shared: Record) -> None:
    """Hold a run on two devices against the same on one."""
    assert shared.status == alone.status, shared.status_reason
    assert shared.track_id != alone.track_id, "norms in train form are of parts, so such runs are not compared"
    if alone.status == "not_applicable":
        return
    for expected, found in zip(steps(one, alone), steps(two, shared), strict=True):
        near = pytest.approx(expected, rel=ROUNDING, abs=ROUNDING)
        assert found == near, f"{alone.method.name} in step {found['step']}"
    expected_weights = weights(one, alone)
    for name, tensor in weights(two, shared).items():
        torch.testing.assert_close(tensor, expected_weights[name], rtol=ROUNDING, atol=ROUNDING)
    assert shared.provenance.hardware["devices"] == 2


@pytest.mark.usefixtures("still")
def test_two_devices_with_half_a_batch_each_train_what_one_does_and_drop_who_failed_on_one(
    odd: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (*odd("raise", at=1, beside=SOME), *WORDS)
    one, two = tmp_path / "one", tmp_path / "two"
    *alone, unharmed = tiny_run(one, *words, "devices=1")
    *shared, dropped = tiny_run(two, *words)
    assert (unharmed.status, dropped.status) == ("ok", "failed")
    assert dropped.status_reason == "process 1: ArithmeticError at step 1: on one device"
    for pair in zip(alone, shared, strict=True):
        assert_alike(one, pair[0], two, pair[1])
    monkeypatch.setattr(run, "helped", lambda *_: pytest.fail("a process was started where there is nothing to do"))
    again = tiny_run(two, f"method=[{SOME}]", *BATCHES, *WORDS, TWO)
    assert [each.run_id for each in again] == [each.run_id for each in shared]


@pytest.mark.slow
@pytest.mark.usefixtures("still")
def test_a_teacher_is_trained_on_two_devices_as_well(tmp_path: Path) -> None:
    words = ("method=pixel", *BATCHES, "teacher.recipe.optimizer=sgd", "teacher.recipe.lr=0.01")
    found = []
    for devices in (1, 2):
        home = tmp_path / str(devices)
        (record,) = tiny_run(home, *words, f"devices={devices}")
        found.append(safetensors.torch.load_file(home / "teachers" / record.teachers[0].id / "teacher.safetensors"))
    for name, tensor in found[0].items():
        torch.testing.assert_close(found[1][name], tensor, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.slow
@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("task", sorted(tasks))
def test_so_they_do_on_every_task_with_every_method(task: str, tmp_path: Path) -> None:
    words = (f"task={task}", *EVERY, *WORDS)
    one, two = tmp_path / "one", tmp_path / "two"
    for alone, shared in zip(tiny_run(one, *words), tiny_run(two, *words, TWO), strict=True):
        assert_alike(one, alone, two, shared)


@pytest.fixture
def unharmed(odd: Callable[..., list[str]], tmp_path: Path) -> tuple[Path, list[Record]]:
    """Train the cohort while its last method is as it should be."""
    home = tmp_path / "unharmed"
    return home, tiny_run(home, *odd("none"))


@pytest.mark.slow
def test_a_member_that_failed_on_one_device_takes_no_bit_from_others(
    odd: Callable[..., list[str]], unharmed: tuple[Path, list[Record]], tmp_path: Path
) -> None:
    cckd, dropped = tiny_run(tmp_path / "runs", *odd("raise"))
    assert (dropped.status, cckd.status) == ("failed", "ok")
    assert dropped.status_reason == "process 1: ArithmeticError at step 2: on one device"
    assert student_bytes(tmp_path / "runs", cckd) == student_bytes(unharmed[0], unharmed[1][0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "at", "fault", "said", "status"),
    [
        ("stop", 1, Interrupted, "stopped after step 2 of 4", "interrupted"),
        ("die", 2, RankLost, "the same command goes on from the last save", "failed"),
    ],
)
def test_a_run_that_was_stopped_or_lost_a_process_goes_on_to_the_same_bytes(
    how: str,
    at: int,
    fault: type[Exception],
    said: str,
    status: str,
    odd: Callable[..., list[str]],
    unharmed: tuple[Path, list[Record]],
    tmp_path: Path,
) -> None:
    home, words = tmp_path / "runs", (*odd(how, at), SAVING)
    with pytest.raises(fault, match=said):
        tiny_run(home, *words)
    left, _ = store.read([home])
    assert {each.status for each in left} == {status}
    assert len(list(home.glob("runs/*/resume.pt"))) == 2, "it goes on, and does not begin again"
    for ours, theirs in zip(tiny_run(home, *words), unharmed[1], strict=True):
        assert student_bytes(home, ours) == student_bytes(unharmed[0], theirs)
        assert steps(home, ours) == steps(unharmed[0], theirs)


@pytest.mark.slow
@pytest.mark.parametrize("helper", [help_with_bad_data, help_without_data])
def test_bad_data_is_one_clear_line_whoever_reads_it(
    helper: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "help_along", helper)
    with pytest.raises(InputError, match=r"image \d+ of train: cut off; fetch it again"):
        tiny_run(tmp_path, "method=none", TWO, "data.cache=none", *BATCHES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["devices=0"], "devices=0: expected a number at least 1"),
        (["recipe.batch=7"], "recipe.batch=7 cannot be divided among devices=2; set recipe.batch=8"),
        (["teacher.recipe.batch=1"], "teacher.recipe.batch=1 cannot be divided among devices=2"),
        (["recipe.budget=time"], "recipe.budget=time is measured on one device"),
    ],
)
def test_what_cannot_be_shared_is_refused_in_a_line(words: list[str], expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=expected):
        tiny_config(tmp_path, "method=none", TWO, *words)
