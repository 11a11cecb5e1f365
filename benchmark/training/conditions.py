"""What the members of a cohort train under, and who watches them."""

from __future__ import annotations

from dataclasses import dataclass

from lightning_fabric import Fabric

from benchmark.config.schema import Recipe
from benchmark.training.interrupt import Stop
from benchmark.training.progress import Progress
from benchmark.training.randomness import Randomness
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
        compiled: run the forward passes of students through torch.compile.
    """

    output: OutputSpace
    recipe: Recipe
    draws: Randomness
    fabric: Fabric
    channels_last: bool = False
    compiled: bool = False


@dataclass(frozen=True)
class Watch:
    """Who is told how far training is, who may stop it, and how often it is saved; nothing that changes a result."""

    progress: Progress
    stop: Stop
    save_every: int = 50  # steps
