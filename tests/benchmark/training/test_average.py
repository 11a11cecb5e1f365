"""A running mean of the weights: what it holds, and that it survives a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from benchmark.training.average import running_mean
from benchmark.training.cohort import Cohort
from tests.support import SAVING, student_bytes, tiny_run

WORDS = ("task=seg", "method=none", "recipe.ema=0.5")


def test_the_mean_starts_at_the_first_weights_and_follows() -> None:
    network = nn.Linear(1, 1, bias=False)
    mean = running_mean(network, 0.75)
    assert mean is not None
    for value in (8.0, 4.0, 0.0):
        nn.init.constant_(network.weight, value)
        mean.update_parameters(network)
    assert mean.module.weight.item() == pytest.approx(0.75 * (0.75 * 8 + 0.25 * 4))
    assert running_mean(network, 0.0) is None


def test_a_run_with_a_mean_goes_on_to_the_same_bytes_and_ends_with_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = tiny_run(tmp_path / "whole", *WORDS)
    (plain,) = tiny_run(tmp_path / "plain", *WORDS[:2])
    step = Cohort._step

    def dying(self: Cohort, index: int, stream: object) -> None:
        if index == 2:
            raise KeyboardInterrupt
        step(self, index, stream)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Cohort, "_step", dying)
        tiny_run(tmp_path / "stopped", *WORDS, SAVING)
    (resumed,) = tiny_run(tmp_path / "stopped", *WORDS)
    assert student_bytes(tmp_path / "stopped", resumed) == student_bytes(tmp_path / "whole", whole)
    assert student_bytes(tmp_path / "plain", plain) != student_bytes(tmp_path / "whole", whole)
    assert "ema" in whole.protocol.recipe
    assert "ema" not in plain.protocol.recipe
