"""Correlation congruence: how alike instances are, by a Taylor-expanded Gaussian kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import Reduction, check_options, check_positive, full_precision, shared_pairs, unit
from methods.streaming import Term, streamed_sum
from tasks.outputs.maps import shrink
from tasks.resizing import align, resize

BLOCK = 512  # rows of the correlation matrix that are held at a time


@full_precision
def correlation_congruence(
    student: Tensor, teacher: Tensor, gamma: float = 0.4, order: int = 2, reduction: Reduction = "mean"
) -> Tensor:
    """Mean squared difference of the kernel matrices of B instances, for rows (B,D); the widths D may differ.

    ``1 / B^2 * sum_ij (K_T,ij - K_S,ij)^2``, ``K_ij = exp(-2 g) sum_{p=0..P} (2 g)^p / p! (x_i . x_j)^p``, the
    expansion of ``exp(-g ||x_i - x_j||^2)`` for unit rows (Peng et al., ICCV 2019; normalised as KD-Zoo does). Both
    reductions are means; ``mean`` treats rows without a direction as zero and passes them no gradient.

    Examples:
        >>> import torch
        >>> from methods.cckd import correlation_congruence
        >>> student = torch.tensor([[1.0, 0.0], [1.0, 0.0]])  # two instances that are alike
        >>> round(correlation_congruence(student, torch.eye(2)).item(), 3)
        0.127
    """
    if reduction == "reference":
        student, teacher = F.normalize(student, dim=1), F.normalize(teacher.detach(), dim=1)
    else:
        student, teacher = unit(student, dim=1), unit(teacher.detach(), dim=1)
    count = len(student)

    def block(start: int) -> Term:
        def term(inputs: Sequence[Tensor]) -> Tensor:
            student_rows, teacher_rows = (x[start : start + BLOCK] @ x.T for x in (inputs[0], teacher))
            difference = _kernel(student_rows, gamma, order) - _kernel(teacher_rows, gamma, order)
            return difference.square().sum() / count**2

        return term

    return streamed_sum([block(start) for start in range(0, count, BLOCK)], [student])


def _kernel(inner: Tensor, gamma: float, order: int) -> Tensor:
    """Evaluate the Taylor polynomial of the Gaussian kernel of inner products by Horner's rule."""
    factors = [math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p) for p in range(order + 1)]
    value = torch.full_like(inner, factors[-1])
    for factor in reversed(factors[:-1]):
        value = value * inner + factor
    return value


def draw_positions(weight: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw ``count`` of P positions without replacement, in proportion to ``weight`` (P,); weightless ones come last.

    By an exponential race: a position of weight w arrives after a time of rate w, and the first are taken. No shape
    depends on a value, so nothing waits for the device. The generator is on the CPU.

    Examples:
        >>> import torch
        >>> from methods.cckd import draw_positions
        >>> drawn = draw_positions(torch.tensor([0.0, 1.0, 0.0, 3.0]), 2, torch.Generator().manual_seed(0))
        >>> sorted(drawn.tolist())
        [1, 3]
    """
    time = torch.empty(len(weight), dtype=torch.float64).exponential_(generator=generator)
    time = time if weight.device.type == "cpu" else time.float()  # not every device knows float64
    return (time.to(weight.device, non_blocking=True) / weight).topk(count, largest=False).indices


def balanced(groups: Tensor, kinds: int, valid: Tensor) -> Tensor:
    """Weigh valid positions so that each of ``kinds`` groups, int64 (P,), is drawn as often as every other.

    Examples:
        >>> import torch
        >>> from methods.cckd import balanced
        >>> balanced(torch.tensor([0, 0, 1]), 2, torch.tensor([True, True, True])).tolist()
        [0.5, 0.5, 1.0]
    """
    # Counts are exact in float32, so the order in which a GPU adds them does not show.
    members = torch.zeros(kinds, device=groups.device).scatter_add_(0, groups, valid.float())
    return valid / members[groups].clamp(min=1)


@register("cckd")
class CorrelationCongruence(Method):
    """The student finds the same instances alike as the teacher does: whole images, or positions of the dense features.

    Paper: Peng, Jin, Liu, Li, Wu, Liu, Zhou and Zhang, "Correlation Congruence for Knowledge Distillation", ICCV 2019.

    ``L = L_task + a * divergence(z_S, z_T) + b * 1 / B^2 * ||K_T - K_S||_F^2``,
    ``K_ij = exp(-2 g) sum_{p<=P} (2 g)^p / p! (x_i . x_j)^p`` of unit embeddings.

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | pixel | weight of its KL term not recovered | 1 |
    | image | 0.003 (as reported), 100 (KD-Zoo, the same mean) | 10 |
    | region | none | 10 |

    The dense form is a reconstruction: ``region`` takes positions of the features that the head reads as instances,
    across the batch, so that a few images still give a useful matrix.

    Deviations: no embedding layers, since kernels compare widths that differ (published codes train one on both sides,
    which lets the teacher's collapse). Class-uniform sampling draws positions and takes its classes from the
    teacher's prediction (its largest bounded map, or bins of it where there is one), so it needs no labels and works in
    every output space; the paper draws images by label.

    Args:
        setting: output space and shapes.
        pixel: weight of the divergence from the teacher's output.
        image: weight of the correlation of image embeddings; it says nothing on a batch of one.
        region: weight of the correlation of positions.
        gamma: g of the kernel.
        order: P, the order of its expansion.
        instances: positions drawn in a step.
        sampling: draw positions ``uniform``-ly, or each ``class`` as often as every other.
        bins: classes of an output with one map.
    """

    title = "correlation congruence"
    paper = "Peng et al., ICCV 2019"
    license = "no code published"
    reference = "https://arxiv.org/abs/1904.01802"
    bibtex = """
        @inproceedings{peng2019correlation,
          title = {Correlation Congruence for Knowledge Distillation},
          author = {Peng, Baoyun and Jin, Xiao and Liu, Jiaheng and Li, Dongsheng and Wu, Yichao and Liu, Yu and
            Zhou, Shunfeng and Zhang, Zhaoning},
          booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
          year = {2019}
        }
    """
    also_called = ("CC", "CCKD")
    elsewhere = {"CC": "in RepDistiller another loss: products of the differences of neighbouring rows"}

    def __init__(
        self,
        setting: Setting,
        *,
        pixel: float = 1.0,
        image: float = 10.0,
        region: float = 10.0,
        gamma: float = 0.4,
        order: int = 2,
        instances: int = 256,
        sampling: Literal["uniform", "class"] = "class",
        bins: int = 16,
    ) -> None:
        super().__init__(setting)
        check_options(pixel=pixel, image=image, region=region)
        check_positive(gamma=gamma, order=order, instances=instances, bins=bins)
        shared_pairs(setting.student, setting.teacher)
        self.gamma, self.order = gamma, order
        self.instances, self.sampling, self.bins = instances, sampling, bins
        self.weights |= {"pixel": pixel, "image": image, "region": region}

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss, the divergence and the correlations of images and positions on the labeled batch."""
        terms = {SUPERVISED: step.supervised()}
        if not any(self.weights[name] for name in ("pixel", "image", "region")):
            return terms
        student, teacher = step.student(step.labeled), step.teacher(step.labeled)
        if self.weights["pixel"]:
            terms["pixel"] = self.output.divergence(student, teacher)
        if self.weights["image"]:
            terms["image"] = self._congruence(student.embedding, teacher.embedding)
        if self.weights["region"]:
            pairs = shared_pairs(student, teacher)
            levels = [self._regions(step, *align(*pair), level) for level, pair in enumerate(pairs)]
            terms["region"] = torch.stack(levels).mean()
        return terms

    def _congruence(self, student: Tensor, teacher: Tensor) -> Tensor:
        return correlation_congruence(student, teacher, self.gamma, self.order)

    def _regions(self, step: Step, student: Tensor, teacher: Tensor, level: int) -> Tensor:
        """Correlation of the same positions of two features of one size."""
        size = (student.shape[-2], student.shape[-1])
        mask = shrink(step.labeled.inside, size)
        inside = (torch.ones_like(student[:, 0], dtype=torch.bool) if mask is None else mask).flatten()
        weight = balanced(*self._groups(step, size), inside) if self.sampling == "class" else inside
        count = min(self.instances, inside.numel())
        chosen = draw_positions(weight, count, step.generator(f"instances {level}"))
        kept = inside[chosen, None]
        student_rows, teacher_rows = (
            feature.movedim(1, -1).flatten(0, 2)[chosen] * kept for feature in (student, teacher)
        )
        return self._congruence(student_rows, teacher_rows)

    def _groups(self, step: Step, size: tuple[int, int]) -> tuple[Tensor, int]:
        """Sort positions into classes by the teacher's prediction: int64 (N*h*w,), and how many classes there are."""
        maps = resize(self.output.bounded(step.teacher(step.labeled)), size)
        if maps.shape[1] > 1:
            return maps.argmax(dim=1).flatten(), maps.shape[1]
        low, high = maps.amin(), maps.amax()
        share = (maps.flatten() - low) / (high - low).clamp(min=1e-12)
        return (share * self.bins).long().clamp(max=self.bins - 1), self.bins
