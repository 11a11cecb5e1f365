from __future__ import annotations

import copy
from typing import Literal

import pytest
import torch
from torch import nn

from benchmark.config.schema import Recipe
from benchmark.training.optimizer import (
    build_critic_optimizer,
    build_optimizer,
    learning_rate,
    set_learning_rate,
)
from methods.base import CriticRecipe
from tasks.errors import InputError


def test_the_rate_warms_up_then_decays_as_a_polynomial() -> None:
    recipe = Recipe(steps=100, lr=1.0, warmup=4, power=0.9)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 5)
    assert rates[4] == pytest.approx((1 - 0.04) ** 0.9)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[99] == pytest.approx(0.01**0.9)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("step", {0: 1.0, 65: 1.0, 67: 0.1, 91: 0.1, 92: 0.01}),
        ("cosine", {0: 1.0, 50: 0.5, 75: (1 - 0.5**0.5) / 2}),
        ("constant", {0: 1.0, 99: 1.0}),
    ],
)
def test_schedules_leave_their_share_of_the_rate(schedule: str, shares: dict[int, float]) -> None:
    recipe = Recipe(steps=100, lr=2.0, warmup=0, schedule=schedule)
    assert {step: learning_rate(recipe, step) / 2 for step in shares} == pytest.approx(shares)


def test_the_head_has_a_factor_on_the_rate_of_the_encoder() -> None:
    network = nn.ModuleDict({"encoder": nn.Conv2d(3, 4, 3), "head": nn.Conv2d(4, 2, 1)})
    adaptor = nn.Parameter(torch.zeros(2, 2))
    optimizer = build_optimizer(network, [adaptor], Recipe(head=10.0))
    set_learning_rate(optimizer, 0.5)
    rates = {id(each): group["lr"] for group in optimizer.param_groups for each in group["params"]}
    assert {rates[id(each)] for each in network["encoder"].parameters()} == {0.5}
    assert {rates[id(each)] for each in (*network["head"].parameters(), adaptor)} == {5.0}
    with pytest.raises(InputError, match=r"expected a submodule 'encoder'; set recipe\.head=1"):
        build_optimizer(network["head"], (), Recipe(head=10.0))


def test_everything_is_decayed_where_a_recipe_says_so() -> None:
    optimizer = build_optimizer(nn.Conv2d(3, 4, 3), (), Recipe(decay_all=True, weight_decay=0.1))
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1]


KINDS = [("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_norms_and_biases_are_not_decayed(name: str, kind: type) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = build_optimizer(network, (), Recipe(optimizer=name, weight_decay=0.1))
    assert type(optimizer) is kind
    decays = {id(each): group["weight_decay"] for group in optimizer.param_groups for each in group["params"]}
    assert decays == {id(each): 0.1 if each.ndim > 1 else 0.0 for each in network.parameters()}


@pytest.mark.parametrize("name", ["adamw", "sgd", "adam"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_one_kernel_for_all_parameters_steps_as_one_for_each_does(name: str, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 2, 1)).double().to(memory_format=layout)
    plain, images = copy.deepcopy(network), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    recipe = Recipe(optimizer=name, weight_decay=0.1, lr=0.1)
    ours, theirs = build_optimizer(network, (), recipe), build_optimizer(plain, (), recipe)
    for group in theirs.param_groups:
        group |= {"fused": False, "foreach": False}
    for _ in range(3):
        for each, optimizer in ((network, ours), (plain, theirs)):
            optimizer.zero_grad()
            each(images.contiguous(memory_format=layout)).square().sum().backward()
            optimizer.step()
    for own, other in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize(
    ("name", "kind", "facts"),
    [("adam", torch.optim.AdamW, {"betas": (0.0, 0.9)}), ("sgd", torch.optim.SGD, {"momentum": 0.9})],
)
def test_a_critic_has_its_own_optimiser_and_rate_on_the_schedule_of_the_student(
    name: Literal["adam", "sgd"], kind: type, facts: dict[str, object]
) -> None:
    chosen, recipe = CriticRecipe(name, lr=4e-4, weight_decay=5e-4), Recipe(steps=100, lr=0.01, warmup=4)
    optimizer = build_critic_optimizer(nn.Conv2d(3, 4, 3), chosen)
    assert isinstance(optimizer, kind)
    group = optimizer.param_groups[0]
    assert {key: group[key] for key in facts} == facts
    assert (group["lr"], group["weight_decay"]) == (4e-4, 5e-4)
    shares = [learning_rate(recipe, step, chosen.lr) / learning_rate(recipe, step) for step in range(100)]
    assert shares == pytest.approx([0.04] * 100)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_a_parameter_may_get_its_first_gradient_later_than_others(name: str) -> None:
    layers = [nn.Linear(2, 2), nn.Linear(2, 2)]
    optimizer = build_optimizer(layers[0], layers[1].parameters(), Recipe(optimizer=name))
    before = layers[1].weight.detach().clone()
    for count in (1, 2):
        optimizer.zero_grad()
        sum(layer(torch.ones(1, 2)).square().sum() for layer in layers[:count]).backward()
        optimizer.step()
        assert torch.equal(layers[1].weight, before) is (count == 1)
