"""Methods that each break one promise, and only that one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from methods.base import SUPERVISED, Method, Needs, Setting, Step


class Sound(Method):
    """Keeps every promise: what the others spoil.

    Args:
        setting: output space and shapes.
        weight: of the divergence.
    """

    title = "sound"
    paper = "none"

    def __init__(self, setting: Setting, *, weight: float = 1.0) -> None:
        super().__init__(setting)
        self.weights["mine"] = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        return {SUPERVISED: step.supervised(), "mine": self.mine(step)}

    def mine(self, step: Step) -> Tensor:
        return self.output.divergence(step.student(step.labeled), step.teacher(step.labeled))


class NoGradient(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return super().mine(step).detach()


class Touching(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        step.teacher(step.labeled).maps[0].mul_(0.5)
        return super().mine(step)


class TouchingImages(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        value = super().mine(step)
        step.labeled.image.data.add_(1.0)
        return value


class Sum(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return super().mine(step) * len(step.labeled.image)


class TorchDraws(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return super().mine(step) * torch.rand(())


class NumpyDraws(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return super().mine(step) * float(np.random.rand())


class Undeclared(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return self.output.divergence(step.student(step.labeled), step.teacher(step.labeled, "wide"))


class UndeclaredStream(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return self.output.divergence(step.student(step.pasted()), step.teacher(step.pasted()))


class Idle(Sound):
    __doc__ = Sound.__doc__
    needs = Needs(teachers=("deep", "wide"))


class Undocumented(Sound):
    """Says nothing of its option."""


class Untitled(Sound):
    __doc__ = Sound.__doc__
    title = ""


class Untyped(Sound):
    __doc__ = Sound.__doc__

    def __init__(self, setting: Setting, *, weight=1.0) -> None:  # type: ignore[no-untyped-def]
        super().__init__(setting, weight=weight)


class ByPosition(Sound):
    __doc__ = Sound.__doc__

    def __init__(self, setting: Setting, weight: float = 1.0) -> None:
        super().__init__(setting, weight=weight)


class Forgetful(Sound):
    __doc__ = Sound.__doc__

    def __init__(self, setting: Setting, *, weight: float = 1.0) -> None:
        super().__init__(setting, weight=weight)
        self.average = 1.0

    def mine(self, step: Step) -> Tensor:
        value = super().mine(step)
        self.average = 0.5 * self.average + 0.5 * float(value.detach())
        return value / self.average


class Overflowing(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return super().mine(step) / float(len(step.labeled.image) > 1)


class Failing(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        raise ArithmeticError("a method's own fault")


class Vector(Sound):
    __doc__ = Sound.__doc__

    def mine(self, step: Step) -> Tensor:
        return step.student(step.labeled).embedding.mean(dim=1)


class Sharing(Sound):
    __doc__ = Sound.__doc__
    seen: list[int] = []

    def mine(self, step: Step) -> Tensor:
        self.seen.append(step.index)
        return super().mine(step) / len(self.seen)
