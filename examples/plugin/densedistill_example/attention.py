"""Attention transfer: the student looks where the teacher looks."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import check_options, full_precision, unit
from tasks.errors import InputError
from tasks.resizing import align


@full_precision
def attention_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared distance of two attention maps of unit length, a mean over images; features (N,C,h,w), any widths.

    ``mean_n || Q_S / ||Q_S|| - Q_T / ||Q_T|| ||_2^2`` with ``Q = vec(mean_c F_c^2)`` (Zagoruyko and Komodakis, ICLR
    2017, equation 2, squared as in the authors' code). The larger map is resized to the smaller one.
    """
    own, other = align(student, teacher.detach())
    maps = [unit(each.square().mean(dim=1).flatten(1), dim=1) for each in (own, other)]
    return (maps[0] - maps[1]).square().sum(dim=1).mean()


@register("attention")
class AttentionTransfer(Method):
    """The student's features are active where the teacher's are, at every stage.

    Paper: Zagoruyko and Komodakis, "Paying More Attention to Attention: Improving the Performance of Convolutional
    Neural Networks via Attention Transfer", ICLR 2017.

    ``L = L_task + w * mean_k mean_n || Q_S^k / ||Q_S^k|| - Q_T^k / ||Q_T^k|| ||^2``

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | attention | 1000 / 2 on the mean over positions and images, added up over stages | 10 |

    Deviations: a sum over positions and a mean over stages, so that neither the size of the maps nor the number of
    stages changes the balance. Stages are the features that both networks name alike.

    Args:
        setting: output space and shapes.
        weight: of the attention distance.
    """

    title = "attention transfer"
    paper = "Zagoruyko and Komodakis, ICLR 2017"

    def __init__(self, setting: Setting, *, weight: float = 10.0) -> None:
        super().__init__(setting)
        check_options(weight=weight)
        teacher = setting.teacher
        self.stages = [name for name in setting.student.features if name in teacher.features]
        if not self.stages:
            raise InputError(
                f"attention compares features of the same name, but the student has "
                f"{', '.join(setting.student.features)} and the teacher {', '.join(teacher.features)}"
            )
        self.weights["attention"] = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the attention distance on the labeled batch."""
        terms = {SUPERVISED: step.supervised()}
        if self.weights["attention"]:
            student, teacher = step.student(step.labeled), step.teacher(step.labeled)
            distances = [attention_distance(student.features[k], teacher.features[k]) for k in self.stages]
            terms["attention"] = torch.stack(distances).mean()
        return terms
