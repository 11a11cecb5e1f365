"""Optimisers and the learning rate, a pure function of the step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from benchmark.config.schema import Recipe
from methods.base import CriticRecipe

NO_DECAY = 1  # parameters with at most this many dimensions (biases, norms) are not decayed
CRITIC_BETAS, CRITIC_MOMENTUM = (0.0, 0.9), 0.9


def build_optimizer(parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Build the recipe's optimiser, one kernel for all parameters; biases and norm parameters are not decayed."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    decayed = [parameter for parameter in trained if parameter.ndim > NO_DECAY]
    kept = [parameter for parameter in trained if parameter.ndim <= NO_DECAY]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": kept, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, fused=True)
    return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)


def build_critic_optimizer(critic: nn.Module, recipe: CriticRecipe) -> torch.optim.Optimizer:
    """Build the optimiser of a critic, which is the method's choice and not the recipe's."""
    shared: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(critic.parameters(), momentum=CRITIC_MOMENTUM, **shared)
    return torch.optim.AdamW(critic.parameters(), betas=CRITIC_BETAS, **shared)


def learning_rate(recipe: Recipe, step: int, lr: float | None = None) -> float:
    """Linear warm-up, then polynomial decay to zero: ``lr * (1 - step / steps)^power``, the recipe's or another."""
    decayed = (recipe.lr if lr is None else lr) * (1 - step / recipe.steps) ** recipe.power
    return decayed * min(1.0, (step + 1) / (recipe.warmup + 1))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the same rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
