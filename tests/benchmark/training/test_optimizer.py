from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmark.config.schema import Recipe
from benchmark.training.optimizer import build_optimizer, learning_rate


def test_the_rate_warms_up_then_decays_as_a_polynomial() -> None:
    recipe = Recipe(steps=100, lr=1.0, warmup=4, power=0.9)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 5)
    assert rates[4] == pytest.approx((1 - 0.04) ** 0.9)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[99] == pytest.approx(0.01**0.9)


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)])
def test_norms_and_biases_are_not_decayed(name: str, kind: type) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = build_optimizer(network.parameters(), Recipe(optimizer=name, weight_decay=0.1))
    assert isinstance(optimizer, kind)
    decays = {id(each): group["weight_decay"] for group in optimizer.param_groups for each in group["params"]}
    assert decays == {id(each): 0.1 if each.ndim > 1 else 0.0 for each in network.parameters()}
