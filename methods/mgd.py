"""Multi-granularity distillation: two complementary teachers, labeled and unlabeled images, three granularities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from methods.base import SUPERVISED, Method, Needs, Setting, Step, register
from methods.numerics import (
    Reduction,
    average_pool,
    check_options,
    check_positive,
    full_precision,
    gram_distance,
    shared_pairs,
    unit,
)
from tasks.base import OutputSpace

DEEP, WIDE = "deep", "wide"


@full_precision
def image_level(student: Tensor, teacher: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Absolute difference of two descriptions of the images: vectors (N,D), or maps (N,D,H,W) that are averaged first.

    ``mean_{n,d} |s - t|``; ``reference`` sums, so its value is ``N * D`` times as large (Qin et al., ECCV 2022).

    Examples:
        >>> import torch
        >>> from methods.mgd import image_level
        >>> student, teacher = torch.zeros(1, 2), torch.tensor([[1.0, 3.0]])
        >>> image_level(student, teacher).item(), image_level(student, teacher, "reference").item()
        (2.0, 4.0)
    """
    difference = (_vectors(student) - _vectors(teacher.detach())).abs()
    return difference.sum() if reduction == "reference" else difference.mean()


def _vectors(maps: Tensor) -> Tensor:
    return maps.flatten(2).mean(dim=2) if maps.dim() > 2 else maps


@full_precision
def region_level(student: Tensor, teacher: Tensor, grid: int = 7, reduction: Reduction = "mean") -> Tensor:
    """Mean squared difference of the cosine self-similarities of ``grid x grid`` regions, for features (N,C,h,w).

    ``mean_{n,i,j} (R_S,ij - R_T,ij)^2``, ``R = V^T V``, ``V`` the adaptively average-pooled feature, unit columns. The
    widths C may differ. Both reductions normalise alike; ``reference`` divides by the bare norm, ``mean`` drops regions
    without a direction (Qin et al., ECCV 2022).

    Examples:
        >>> import torch
        >>> from methods.mgd import region_level
        >>> teacher = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])[None]  # left and right differ
        >>> round(region_level(torch.ones(1, 2, 2, 2), teacher, grid=2).item(), 3)
        0.5
    """
    pooled = (average_pool(feature, (grid, grid)).flatten(2) for feature in (student, teacher.detach()))
    if reduction == "reference":
        nodes = [feature / torch.linalg.vector_norm(feature, dim=1, keepdim=True) for feature in pooled]
    else:
        nodes = [unit(feature, dim=1) for feature in pooled]
    return gram_distance(*nodes) / (student.shape[0] * grid**4)


def pixel_level(output: OutputSpace, maps: Sequence[Tensor], pseudo_labels: Sequence[Any]) -> Tensor:
    """Task loss of the student's maps against each teacher's pseudo-labels, added up over teachers.

    ``sum_teachers L_task(z_S, hard(z_T))``: for class maps ``hard`` is the argmax, without a confidence threshold (Qin
    et al., ECCV 2022).

    Examples:
        >>> import torch
        >>> from methods.mgd import pixel_level
        >>> from tasks.outputs.categorical import Categorical
        >>> labels = torch.zeros(1, 4, 4, dtype=torch.long)
        >>> round(pixel_level(Categorical(2), (torch.zeros(1, 2, 4, 4),), [labels, labels]).item(), 3)
        1.386
    """
    losses = [output.supervised(maps, labels) for labels in pseudo_labels]
    return sum(losses[1:], losses[0])


@register("mgd")
class MultiGranularity(Method):
    """A deep and a wide teacher teach images, regions and pixels, on labeled and on pasted unlabeled images.

    Paper: Qin, Wu, Li, Xiao, Zheng and Wang, "Multi-Granularity Distillation Scheme Towards Lightweight
    Semi-Supervised Semantic Segmentation", ECCV 2022. (Not "Masked Generative Distillation", ECCV 2022.)

    With ``u = (1-M) u0 + M u1`` (CutMix), ``ps_i = (1-M) hard(z_i(u0)) + M hard(z_i(u1))``, i in {deep, wide}::

        L = L_task(z_S(x), y)
          + sum_i L_task(z_S(x), hard(z_i(x)))                  pixel_labeled
          + sum_i L_task(z_S(u), ps_i)                          pixel_unlabeled
          + l1 * mean |summary(z_S(u)) - summary(z_deep(u))|    image
          + l2 * mean (R_S(u) - R_wide(u))^2                    region

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | pixel_labeled, pixel_unlabeled | 1 | 1 |
    | image | 0.002 on the sum over N = 2 images and C = 21 classes (VOC, ResNet-18) | 0.002 N C = 0.084 |
    | region | 100, already a mean (VOC and Cityscapes, ResNet-18) | 20: 100 outweighs depth's and counting's labels |

    Deviations: teachers saw the labeled images alone, where the authors pre-train theirs semi-supervised (CPS with
    CutMix) on the same split: with few labels ours are weaker, so the paper's gains there are not to be expected.
    Teachers are in eval mode (the authors' run in train mode, so their statistics drift). The mirrored
    terms that compare teachers with the student's labels are constants and left out. Regions without a direction are
    dropped, where the authors divide by a norm that may be zero. Outputs other than class maps use their output
    space's verbs for pseudo-labels and summaries; where a head reads several features, the region term is their mean.

    Args:
        setting: output space and shapes.
        pixel: weight of both pixel-level terms.
        image: weight of the image-level term.
        region: weight of the region-level term.
        grid: regions along each side.
        reduction: ``reference`` sums the image-level term over images and channels, as the authors' code does.
    """

    title = "multi-granularity distillation"
    paper = "Qin et al., ECCV 2022"
    license = "MIT"
    reference = "https://arxiv.org/abs/2208.10169"
    bibtex = """
        @inproceedings{qin2022multi,
          title = {Multi-Granularity Distillation Scheme Towards Lightweight Semi-Supervised Semantic Segmentation},
          author = {Qin, Jie and Wu, Jie and Li, Ming and Xiao, Xuefeng and Zheng, Min and Wang, Xingang},
          booktitle = {European Conference on Computer Vision (ECCV)},
          year = {2022}
        }
    """
    also_called = ("MGD", "MGD-SSSS")
    elsewhere = {"MGD": "masked generative distillation, Yang et al., ECCV 2022"}
    needs = Needs(teachers=(DEEP, WIDE), unlabeled=True)

    def __init__(
        self,
        setting: Setting,
        *,
        pixel: float = 1.0,
        image: float = 0.084,
        region: float = 20.0,
        grid: int = 7,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(setting)
        check_options(pixel=pixel, image=image, region=region)
        check_positive(grid=grid)
        shared_pairs(setting.student, setting.teachers[WIDE])
        self.grid = grid
        self.reduction: Reduction = reduction
        self.weights |= {"pixel_labeled": pixel, "pixel_unlabeled": pixel, "image": image, "region": region}

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss, the pixel-level terms of both streams, and the image- and region-level terms."""
        terms = {SUPERVISED: step.supervised()}
        if self.weights["pixel_labeled"]:
            labels = [self.output.hard_targets(step.teacher(step.labeled, role)) for role in (DEEP, WIDE)]
            terms["pixel_labeled"] = pixel_level(self.output, step.student(step.labeled).maps, labels)
        if self.weights["pixel_unlabeled"]:
            labels = [self._pasted_labels(step, role) for role in (DEEP, WIDE)]
            terms["pixel_unlabeled"] = pixel_level(self.output, step.student(step.pasted()).maps, labels)
        if self.weights["image"]:
            student, teacher = step.student(step.pasted()), step.teacher(step.pasted(), DEEP)
            terms["image"] = image_level(self.output.summary(student), self.output.summary(teacher), self.reduction)
        if self.weights["region"]:
            pairs = shared_pairs(step.student(step.pasted()), step.teacher(step.pasted(), WIDE))
            terms["region"] = torch.stack([region_level(*pair, self.grid) for pair in pairs]).mean()
        return terms

    def _pasted_labels(self, step: Step, role: str) -> Any:
        """Paste a teacher's pseudo-labels as the images were pasted."""
        pasted = step.pasted()
        first, second = (self.output.hard_targets(step.teacher(source, role)) for source in pasted.sources)
        return self.output.paste(first, second, pasted.mask)
