"""Which device, why, and how exactly it computes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmark.runs.identity import problem_facts
from benchmark.training import residency
from benchmark.training.device import build_fabric, choose, is_alive, set_numerics, why_no_gpu
from benchmark.training.problem import Problem
from leaderboards.values import digest
from tasks.errors import InputError
from tests.support import tiny_config


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")


@pytest.fixture
def numerics() -> Iterator[None]:
    yield
    set_numerics(tf32=False, deterministic=False)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("hidden", ["", "-1"])
def test_auto_says_that_a_launcher_hides_the_cards(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    kind, why = choose("auto")
    assert kind == "cpu"
    assert f"CUDA_VISIBLE_DEVICES='{hidden}' hides every card" in why
    assert "num_gpus=1" in why


@pytest.mark.usefixtures("no_gpu")
def test_auto_says_what_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setattr(Path, "glob", lambda *_: iter([Path("/dev/nvidia0")]))
    assert "a card is there, but torch cannot use it" in why_no_gpu()
    monkeypatch.setattr(Path, "glob", lambda *_: iter([]))
    assert choose("auto") == ("cpu", "device=auto, and torch finds no CUDA device on this machine")
    monkeypatch.setattr(torch.version, "cuda", None)
    assert why_no_gpu() == "this build of torch has no CUDA"


def test_auto_names_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")
    assert choose("auto") == ("cuda", "device=auto takes a GPU where there is one: a card")
    assert choose("cpu") == ("cpu", "asked for")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_cuda_never_falls_back(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match=f"device={device}: there is none on this machine .*hides every card"):
        build_fabric(device, "32")


@pytest.mark.usefixtures("numerics")
@pytest.mark.parametrize("tf32", [False, True])
@pytest.mark.parametrize("deterministic", [False, True])
def test_what_is_asked_for_is_what_torch_is_told(
    tf32: bool, deterministic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")  # a choice of the user's stays
    build_fabric("cpu", "32", tf32=tf32, deterministic=deterministic)
    assert torch.backends.cuda.matmul.allow_tf32 is torch.backends.cudnn.allow_tf32 is tf32
    assert torch.are_deterministic_algorithms_enabled() is torch.backends.cudnn.deterministic is deterministic
    assert torch.backends.cudnn.benchmark is not deterministic


def test_whatever_can_change_bits_changes_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ([], ["tf32=true"], ["deterministic=true"], ["precision=bf16"], ["compile=true"], ["channels_last=false"])
    fabric = build_fabric("cpu", "32")
    facts = [problem_facts(Problem(tiny_config(tmp_path, *each), fabric)) for each in words]
    facts.append(problem_facts(Problem(tiny_config(tmp_path, "data.cache=device"), fabric)))
    monkeypatch.setattr(type(fabric), "device", torch.device("cuda"))  # a process on a GPU, for all that ids know
    for memory in (0, 2**40):
        monkeypatch.setattr(residency, "memory", lambda device, memory=memory: memory)
        facts.append(problem_facts(Problem(tiny_config(tmp_path), fabric)))
    assert len({digest(each) for each in facts}) == len(facts)
    assert [each["numerics"].get("augmentation") for each in facts[-3:]] == ["device", None, "device"]
    assert facts[-1]["numerics"]["device"] == "cuda"


def test_a_device_that_raises_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(device: torch.device) -> None:
        raise torch.AcceleratorError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(torch.cuda, "synchronize", dead)
    assert is_alive(torch.device("cpu"))
    assert not is_alive(torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    assert is_alive(torch.device("cuda"))
