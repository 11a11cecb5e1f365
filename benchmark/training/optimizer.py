"""Optimisers and the learning rate, a pure function of the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from benchmark.config.schema import Recipe
from methods.base import CriticRecipe
from tasks.errors import InputError

NO_DECAY = 1  # parameters with at most this many dimensions are biases and norms, not decayed unless asked for
CRITIC_BETAS, CRITIC_MOMENTUM = (0.0, 0.9), 0.9
FACTOR = "factor"  # of a group of parameters: its rate in the schedule's


def build_optimizer(network: nn.Module, adaptors: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Build the recipe's optimiser, one kernel for all parameters of a network and of what its method adds.

    Biases and norm parameters are not decayed unless ``recipe.decay_all``; all that is not the network's ``encoder``
    has ``recipe.head`` times the rate.

    Raises InputError for a ``recipe.head`` where the network names no encoder.
    """
    encoder = {id(parameter) for parameter in _encoder(network)} if recipe.head != 1 else set()
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    trained = [parameter for parameter in (*network.parameters(), *adaptors) if parameter.requires_grad]
    keys = [(factor, decayed) for factor in dict.fromkeys((1.0, recipe.head)) for decayed in (True, False)]
    for parameter in trained:
        factor = 1.0 if id(parameter) in encoder else recipe.head
        decayed = recipe.decay_all or parameter.ndim > NO_DECAY
        groups.setdefault((factor, decayed), []).append(parameter)
    return _optimizer(
        [
            {"params": groups[key], "weight_decay": recipe.weight_decay if key[1] else 0.0, FACTOR: key[0]}
            for key in keys
            if key in groups
        ],
        recipe,
    )


def _optimizer(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, fused=True)
        for group in groups if recipe.momentum else ():
            for parameter in group["params"]:  # the kernel takes none that gets its first gradient after others have
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer
    if recipe.optimizer == "adam":
        return torch.optim.Adam(groups, lr=recipe.lr, fused=True)
    return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)


def _encoder(network: nn.Module) -> Iterable[nn.Parameter]:
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise InputError(
            "recipe.head is a factor on the rate of all that is not the encoder, but the network names none: expected "
            "a submodule 'encoder'; set recipe.head=1"
        )
    return encoder.parameters()


def build_critic_optimizer(critic: nn.Module, recipe: CriticRecipe) -> torch.optim.Optimizer:
    """Build the optimiser of a critic, which is the method's choice and not the recipe's."""
    shared: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(critic.parameters(), momentum=CRITIC_MOMENTUM, **shared)
    return torch.optim.AdamW(critic.parameters(), betas=CRITIC_BETAS, **shared)


def learning_rate(recipe: Recipe, step: int, lr: float | None = None) -> float:
    """Linear warm-up, then the recipe's schedule of its own rate or another; both span all steps.

    ``poly``: ``lr * (1 - step / steps)^power``; ``cosine``: ``lr * (1 + cos(pi * step / steps)) / 2``; ``step``: a
    tenth after each of the recipe's ``drops``; ``constant``.
    """
    start = recipe.lr if lr is None else lr
    return start * _remains(recipe, step / recipe.steps) * min(1.0, (step + 1) / (recipe.warmup + 1))


def _remains(recipe: Recipe, share: float) -> float:
    """What a schedule leaves of the rate after a share of the steps."""
    if recipe.schedule == "poly":
        return (1 - share) ** recipe.power
    if recipe.schedule == "cosine":
        return (1 + math.cos(math.pi * share)) / 2
    if recipe.schedule == "step":
        return float(0.1 ** sum(share >= drop for drop in recipe.drops))
    return 1.0


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group its part of a rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(FACTOR, 1.0)
