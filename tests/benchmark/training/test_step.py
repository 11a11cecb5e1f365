from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.training.randomness import Randomness
from benchmark.training.step import MemberStep, box_mask


@given(st.integers(0, 1000), st.integers(1, 64), st.integers(1, 64))
def test_a_box_mask_has_the_size_of_the_image(seed: int, height: int, width: int) -> None:
    mask = box_mask((height, width), Randomness(seed).torch("cutmix", 0))
    assert mask.shape == (height, width)
    assert mask.dtype == torch.bool


def test_boxes_cover_between_a_quarter_and_a_half_less_what_overlaps() -> None:
    shares = [float(box_mask((96, 96), Randomness(0).torch("cutmix", i)).float().mean()) for i in range(200)]
    assert max(shares) <= 0.55
    assert 0.2 <= sum(shares) / len(shares) <= 0.4


@pytest.mark.parametrize(("auxiliary", "expected"), [(0.0, 5.0), (0.4, 5.0 + 0.4 * (1.0 + 2.0))])
def test_branches_take_part_in_the_task_loss_by_the_weight_of_the_recipe(auxiliary: float, expected: float) -> None:
    maps = {name: (torch.tensor(value),) for name, value in (("main", 5.0), ("early", 1.0), ("late", 2.0))}
    prediction = SimpleNamespace(maps=maps["main"], branches={name: maps[name] for name in ("early", "late")})
    output = SimpleNamespace(supervised=lambda maps, target: maps[0])
    conditions = SimpleNamespace(recipe=SimpleNamespace(auxiliary=auxiliary))
    shared: Any = SimpleNamespace(index=0, steps=1, output=output, conditions=conditions)
    step = MemberStep(shared, lambda image: pytest.fail("the prediction is there already"), {})
    shared.batch = lambda name: SimpleNamespace(name=name, target=None)
    step._predictions["labeled"] = prediction  # type: ignore[assignment]
    assert step.supervised().item() == pytest.approx(expected)
