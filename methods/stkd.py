"""Similarity transfer: the student learns the teacher's similarities between categories on mixed images."""

from __future__ import annotations

from torch import Tensor

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import Reduction, check_positive
from methods.pixel import pixelwise_kl
from tasks.errors import InputError


def similarity_transfer(
    student: Tensor, teacher: Tensor, temperature: float = 4.0, reduction: Reduction = "mean"
) -> Tensor:
    """Kullback-Leibler divergence of the softened classes of two predictions of the same mixed images.

    ``tau^2 * mean KL(softmax(z_T(x~) / tau) || softmax(z_S(x~) / tau))``, logits (N,C) or (N,C,h,w). Both reductions
    are this mean. A reconstruction: no code of Zhao et al., 2021, is public.

    Examples:
        >>> import torch
        >>> from methods.stkd import similarity_transfer
        >>> round(similarity_transfer(torch.zeros(1, 2), torch.tensor([[8.0, 0.0]])).item(), 3)
        5.245
    """
    return pixelwise_kl(student, teacher, temperature, reduction=reduction)


@register("stkd")
class SimilarityTransfer(Method):
    """The student learns from mixtures of two images, with mixed labels and the teacher's similarities.

    Paper: Zhao, Gong, Sun, Dong and Yu, "Similarity Transfer for Knowledge Distillation", arXiv 2103.10047, 2021.
    Report results as "STKD (our reading)": no code is public, and what the abstract leaves open is reconstructed here:
    the distribution of the mixing weight, the weights of the terms, the temperature, everything dense.

    ``x~ = l x + (1 - l) x[order]``, ``l ~ Beta(alpha, alpha)`` one an image; ``L = (1 - w) * L_task(z_S(x~), y~) + w *
    divergence(z_S(x~), z_T(x~); tau)``, ``y~`` the targets mixed alike, for class maps ``tau^2 * mean KL(p_T^tau ||
    p_S^tau)``.

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised (on mixed images) | not recovered | 1 - w = 0.1 |
    | similarity | not recovered | w = 0.9 |

    Deviations: none are known, since the paper's choices are not.

    Args:
        setting: output space and shapes.
        weight: w, from 0 to 1.
        temperature: tau.
        alpha: of the Beta distribution of the mixing weight; 1 is uniform.
    """

    title = "similarity transfer (our reading)"
    paper = "Zhao et al., arXiv 2103.10047, 2021"
    license = "no code published"
    reference = "https://arxiv.org/abs/2103.10047"
    bibtex = """
        @article{zhao2021similarity,
          title = {Similarity Transfer for Knowledge Distillation},
          author = {Zhao, Haoran and Gong, Kun and Sun, Xin and Dong, Junyu and Yu, Hui},
          journal = {arXiv preprint arXiv:2103.10047},
          year = {2021}
        }
    """
    also_called = ("STKD",)
    elsewhere = {"STKD": "spatio-temporal distillation, in work on video"}

    def __init__(self, setting: Setting, *, weight: float = 0.9, temperature: float = 4.0, alpha: float = 1.0) -> None:
        super().__init__(setting)
        if not 0.0 <= weight <= 1.0:
            raise InputError(f"option 'weight' shares the objective out, so it must lie in [0, 1], not be {weight}")
        check_positive(temperature=temperature, alpha=alpha)
        self.temperature, self.alpha = temperature, alpha
        self.weights = {SUPERVISED: 1 - weight, "similarity": weight}

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the divergence from the teacher, both on the mixed batch."""
        mixed = step.mixed(self.alpha)
        terms = {SUPERVISED: step.supervised(mixed)}
        if self.weights["similarity"]:
            terms["similarity"] = self.output.divergence(step.student(mixed), step.teacher(mixed), self.temperature)
        return terms
