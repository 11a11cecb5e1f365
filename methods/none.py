"""The control: the student trained alone."""

from __future__ import annotations

from torch import Tensor

from methods.base import SUPERVISED, Method, Needs, Step, register


@register("none")
class Alone(Method):
    """The student learns from labels alone, with the data, budget and recipe of every other method.

    Paper: none; the row that all others are held against.

    ``L = L_task(z_S, y)``

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |

    Deviations: none.
    """

    title = "student alone"
    paper = "none (control)"
    also_called = ("baseline", "student alone", "w/o KD")
    needs = Needs(teachers=())
    control = True

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss."""
        return {SUPERVISED: step.supervised()}
