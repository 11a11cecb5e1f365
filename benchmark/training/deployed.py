"""What is deployed: the student, or the student and the decoder that its method puts behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from methods.base import Setting, methods
from tasks.base import Prediction, Task


class Decoded(nn.Module):
    """A student whose predictions a decoder turns into those that count."""

    def __init__(self, student: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.student, self.decoder = student, decoder

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,3*frames,H,W) to a prediction."""
        prediction: Prediction = self.decoder(self.student(image))
        return prediction


def deployed(student: nn.Module, decoder: nn.Module | None) -> nn.Module:
    """Put a decoder behind a student, where there is one."""
    return student if decoder is None else Decoded(student, decoder)


def rebuilt(
    student: nn.Module, task: Task, size: tuple[int, int], method: str, options: Mapping[str, Any]
) -> nn.Module:
    """Put behind a student the decoder that a method deploys, ready for stored weights; the student is in eval mode.

    A method that is not installed has none: where the weights know of one, loading them says so.
    """
    if method not in methods:
        return student
    blank = torch.zeros(1, 3 * task.frames, *size, device=next(student.parameters()).device)
    with torch.no_grad():
        shapes = student.eval()(blank)
    decoder = methods[method].build_decoder(Setting(task.output, shapes, {}), options)
    return deployed(student, None if decoder is None else decoder.to(blank.device).eval())
