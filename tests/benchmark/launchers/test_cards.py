from __future__ import annotations

from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from benchmark.launchers import cards
from benchmark.launchers.cards import OnACard, taken
from benchmark.launchers.engine import Result


def test_processes_take_the_card_that_fewest_use(tmp_path: Path) -> None:
    with taken(2, tmp_path) as first, taken(2, tmp_path) as second:
        assert (first, second) == (0, 1)
        with taken(2, tmp_path) as third:
            assert third == 0, "both are taken once"
            with taken(2, tmp_path) as fourth:
                assert fourth == 1
        with taken(2, tmp_path) as again:
            assert again == 0, "what was given back is free"


def said(composed: DictConfig) -> Result:
    return Result(0, composed.device)


@pytest.mark.parametrize(
    ("count", "asked", "given"), [(0, "auto", "auto"), (1, "auto", "auto"), (2, "cpu", "cpu"), (2, "auto", "cuda:0")]
)
def test_a_job_gets_a_card_where_it_left_the_device_open(
    count: int, asked: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(cards.tempfile, "gettempdir", lambda: str(tmp_path))
    assert OnACard(said)(OmegaConf.create({"device": asked})).said == given
