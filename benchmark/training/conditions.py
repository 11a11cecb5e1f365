"""What the members of a cohort train under, and who watches them."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_fabric import Fabric
from torch import nn

from benchmark.config.schema import Recipe
from benchmark.training.device import ready
from benchmark.training.interrupt import Stop
from benchmark.training.progress import Progress
from benchmark.training.randomness import Randomness
from benchmark.training.ranks import ALONE, Ranks
from tasks.base import OutputSpace


@dataclass(frozen=True)
class Conditions:
    """What every member of a cohort shares, whatever its method.

    Args:
        output: the task's output space.
        recipe: how to train.
        draws: keyed generators of the seed.
        fabric: device and precision.
        channels_last: keep images in this memory format.
        compiled: run the forward passes of students and teachers through torch.compile.
        ranks: the processes that share each batch.
    """

    output: OutputSpace
    recipe: Recipe
    draws: Randomness
    fabric: Fabric
    channels_last: bool = False
    compiled: bool = False
    ranks: Ranks = ALONE

    def ready(self, network: nn.Module) -> nn.Module:
        """Return what computes a network's forward passes: itself, or it compiled."""
        return ready(network, self.compiled)


@dataclass(frozen=True)
class Watch:
    """Who is told how far training is, who may stop it, and how often it is saved; nothing that changes a result."""

    progress: Progress
    stop: Stop
    save_every: float = 60.0  # seconds; 0: after each step
