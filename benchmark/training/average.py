"""A running mean of a network's weights, which may be scored in their place."""

from __future__ import annotations

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def running_mean(network: nn.Module, decay: float) -> AveragedModel | None:
    """Begin ``w <- decay * w + (1 - decay) * w_now`` over weights and statistics; None where ``decay`` is 0."""
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True) if decay else None
