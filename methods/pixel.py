"""Pixel-wise distillation, and the divergences over classes and over positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import Reduction, check_options, check_positive, full_precision
from tasks.outputs.categorical import categorical_kl


@full_precision
def pixelwise_kl(
    student: Tensor,
    teacher: Tensor,
    temperature: float = 1.0,
    valid: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Kullback-Leibler divergence of the class distributions of two logit maps (N,C,h,w).

    ``tau^2 / (N |p|) * sum_p sum_c p_T^tau log(p_T^tau / p_S^tau)``: the canonical form, as CIRKD computes it.
    ``mean`` averages over positions where ``valid`` (bool, N,h,w) is set; ``reference`` over all of them, since no
    published code masks any.

    Examples:
        >>> import torch
        >>> from methods.pixel import pixelwise_kl
        >>> teacher = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)  # two classes at one position
        >>> round(pixelwise_kl(torch.zeros(1, 2, 1, 1), teacher).item(), 3)
        0.328
    """
    return categorical_kl(student, teacher.detach(), temperature, valid if reduction == "mean" else None)


@full_precision
def channelwise_kl(
    student: Tensor,
    teacher: Tensor,
    temperature: float = 1.0,
    valid: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Kullback-Leibler divergence of each channel's distribution over positions, for maps (N,C,h,w).

    ``tau^2 / (N C) * sum_c sum_i phi_T log(phi_T / phi_S)``, ``phi`` the softmax of a channel over its positions (Shu
    et al., ICCV 2021). ``mean`` leaves positions out where ``valid`` (bool, N,h,w) is not set; ``reference`` knows no
    mask.

    Examples:
        >>> import torch
        >>> from methods.pixel import channelwise_kl
        >>> teacher = torch.tensor([2.0, 0.0]).view(1, 1, 1, 2)  # one channel at two positions
        >>> round(channelwise_kl(torch.zeros(1, 1, 1, 2), teacher).item(), 3)
        0.328
    """
    count = student.shape[0] * student.shape[1]
    outside = None if valid is None or reduction == "reference" else ~valid.flatten(1)[:, None]
    log_student, log_teacher = (_over_positions(maps, temperature, outside) for maps in (student, teacher.detach()))
    divergence = F.kl_div(log_student, log_teacher, reduction="none", log_target=True)
    if outside is not None:
        divergence = divergence.masked_fill(outside, 0.0)
    return temperature**2 / count * divergence.sum()


def _over_positions(maps: Tensor, temperature: float, outside: Tensor | None) -> Tensor:
    """Log-softmax over positions, (N,C,h*w); those outside get no mass. Finite even where nothing is inside."""
    logits = maps.flatten(2) / temperature
    if outside is not None:
        logits = logits.masked_fill(outside, torch.finfo(logits.dtype).min)
    return F.log_softmax(logits, dim=2)


@register("pixel")
class Pixel(Method):
    """The student matches the teacher's softened output at every position.

    Paper: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", NIPS workshop 2014, applied per
    pixel as in Liu et al., CVPR 2019.

    ``L = L_task + w * divergence(z_S, z_T; tau)``; for categorical maps the divergence is
    ``tau^2 / (N |p|) * sum_p KL(p_T^tau || p_S^tau)``, other output spaces have their own.

    | term | paper's weight, on the mean over positions (N images, C classes) | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | pixel | 1 (CIRKD), 10 N (StructKD), 10 / C (TorchDistiller) | 1 |

    Deviations: positions that are padded are left out; outputs other than class maps use the divergence of their
    output space (per-pixel binary KL, absolute log-depth difference, ...), which has no temperature where it makes no
    sense.

    Args:
        setting: output space and shapes.
        weight: of the divergence.
        temperature: tau; the divergence is multiplied by its square, which keeps gradients comparable.
    """

    title = "pixel-wise distillation"
    paper = "Hinton et al., NIPS workshop 2014; per pixel as in Liu et al., CVPR 2019"
    license = "no code published"
    reference = "https://arxiv.org/abs/1503.02531"
    bibtex = """
        @inproceedings{hinton2014distilling,
          title = {Distilling the Knowledge in a Neural Network},
          author = {Hinton, Geoffrey and Vinyals, Oriol and Dean, Jeff},
          booktitle = {NIPS Deep Learning and Representation Learning Workshop},
          year = {2014}
        }
    """
    also_called = ("KD", "vanilla KD", "PI")

    def __init__(self, setting: Setting, *, weight: float = 1.0, temperature: float = 1.0) -> None:
        super().__init__(setting)
        check_options(weight=weight)
        check_positive(temperature=temperature)
        self.temperature = temperature
        self.weights["pixel"] = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the divergence from the teacher on the labeled batch."""
        terms = {SUPERVISED: step.supervised()}
        if self.weights["pixel"]:
            student, teacher = step.student(step.labeled), step.teacher(step.labeled)
            terms["pixel"] = self.output.divergence(student, teacher, self.temperature)
        return terms
