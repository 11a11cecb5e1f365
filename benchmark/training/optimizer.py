"""Optimisers and the learning rate, a pure function of the step."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from benchmark.config.schema import Recipe

NO_DECAY = 1  # parameters with at most this many dimensions (biases, norms) are not decayed


def build_optimizer(parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Build the recipe's optimiser; biases and norm parameters are not decayed."""
    trained = [each for each in parameters if each.requires_grad]
    groups = [
        {"params": [each for each in trained if each.ndim > NO_DECAY], "weight_decay": recipe.weight_decay},
        {"params": [each for each in trained if each.ndim <= NO_DECAY], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum)
    return torch.optim.AdamW(groups, lr=recipe.lr)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then polynomial decay to zero: ``lr * (1 - step / steps)^power``."""
    decayed = recipe.lr * (1 - step / recipe.steps) ** recipe.power
    return decayed * min(1.0, (step + 1) / (recipe.warmup + 1))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the same rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
