"""Step logs, resume states, weights, clocks and costs."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch import nn

from benchmark.training.checkpoint import load_state, save_state, save_weights
from benchmark.training.clock import Clock, HostTimer
from benchmark.training.cost import count_macs, count_parameters, inference_cost
from benchmark.training.progress import Progress
from benchmark.training.steplog import StepLog
from leaderboards.values import sha256_of
from tasks.errors import InputError


def test_a_log_holds_a_line_a_step_and_finds_the_first_fault(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "steps.jsonl", 0)
    for step, value in enumerate([1.0, float("nan"), float("inf")]):
        log.add(step, 0.1, {"loss": torch.tensor(value), "fine": torch.tensor(2.0)})
    assert log.flush() == (1, "loss=nan")
    assert log.flush() is None
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    assert lines[0] == {"step": 0, "lr": 0.1, "loss": 1.0, "fine": 2.0}
    assert [line["loss"] for line in lines[1:]] == ["nan", "inf"]


def test_a_resumed_log_drops_the_steps_that_come_again(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "steps.jsonl", 0)
    for step in range(5):
        log.add(step, 0.1, {"loss": torch.tensor(float(step))})
    log.close()
    log = StepLog(tmp_path / "steps.jsonl", 2)
    log.add(2, 0.1, {"loss": torch.tensor(9.0)})
    log.close()
    assert [json.loads(line)["loss"] for line in (tmp_path / "steps.jsonl").read_text().splitlines()] == [0, 1, 9]


def test_tensorboard_gets_the_same_values(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = StepLog(tmp_path / "steps.jsonl", 0, tensorboard=True)
    log.add(0, 0.5, {"loss": torch.tensor(3.0)})
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(0, 3.0)]


def test_a_state_survives_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "resume.pt"
    state = {"step": 3, "weights": {"a": torch.arange(3)}, "best": None}
    save_state(state, path)
    found = load_state(path)
    assert found["step"] == 3
    assert torch.equal(found["weights"]["a"], torch.arange(3))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"resume.pt cannot be taken up .* delete it to start that run afresh"):
        load_state(path)


def test_a_state_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "exploded",))

    (tmp_path / "resume.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError):
        load_state(tmp_path / "resume.pt")
    assert not (tmp_path / "exploded").exists()


def test_weights_are_safetensors_with_their_hash(tmp_path: Path) -> None:
    weights = {"a": torch.randn(2, 3).t(), "b": torch.ones((), dtype=torch.int64)}
    sha = save_weights(weights, tmp_path / "w.safetensors")
    assert sha == sha256_of(tmp_path / "w.safetensors")
    found = safetensors.torch.load_file(tmp_path / "w.safetensors")
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_a_clock_puts_each_duration_into_the_list_that_it_is_given() -> None:
    clock = Clock(HostTimer())
    outer, inner = [], []
    for _ in range(2):
        with clock.measure(outer), clock.measure(inner):
            pass
    clock.settle()
    assert len(outer) == len(inner) == 2
    assert all(whole >= part >= 0 for whole, part in zip(outer, inner, strict=True))


def test_macs_and_parameters_are_exact() -> None:
    network = nn.Conv2d(3, 8, 3, padding=1, stride=2)
    assert count_parameters(network) == 8 * 3 * 9 + 8
    assert count_macs(network, torch.zeros(1, 3, 16, 16)) == 8 * 8 * 8 * 3 * 9
    cost = inference_cost(network, (16, 16), Fabric(accelerator="cpu", devices=1))
    assert (cost.params, cost.macs, cost.size) == (224, 13824, (16, 16))
    assert 0 < cost.latency_ms_p50 <= cost.latency_ms_p95


def test_progress_on_a_terminal_and_on_a_pipe() -> None:
    for terminal in (False, True):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
        progress = Progress(console)
        progress.begin("students [x]", 20, start=10)
        progress.advance(20, {"pixel": {"loss": 1.5}}, 8)
        progress.end()
        shown = console.file.getvalue()
        assert "students [x]" in shown
        assert "resumed at step 10 of 20" in shown
