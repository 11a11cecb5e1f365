"""Structured knowledge transfer: patterns inside layers and relations between layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import Reduction, check_options, check_positive, full_precision
from methods.streaming import Term, streamed_sum
from tasks.base import Prediction
from tasks.errors import InputError
from tasks.outputs.maps import masked_mean
from tasks.resizing import align

SHORTEST = 1e-4  # a vector below this length has no direction worth learning
VARIANCE = 1e-5  # added to that of a channel before it is divided by
HELD = 2**24  # elements of normalised maps that are held at a time


@full_precision
def intra_layer_pattern(
    student_features: Sequence[Tensor], teacher_features: Sequence[Tensor], reduction: Reduction = "mean"
) -> Tensor:
    """Cosine distance of the feature vectors at each position, for adapted features (N,C,h,w) of equal shapes.

    ``1 - cos(F_S, F_T)`` over channels (Liu et al., ACM MM 2020). ``mean`` averages over positions where the teacher's
    vector has a direction, then over layers; ``reference`` adds up all positions, images and layers.

    Examples:
        >>> import torch
        >>> from methods.skt import intra_layer_pattern
        >>> student, teacher = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])  # half a right angle
        >>> round(intra_layer_pattern([student.view(1, 2, 1, 1)], [teacher.view(1, 2, 1, 1)]).item(), 3)
        0.293
    """
    layers = []
    for student, teacher in zip(student_features, teacher_features, strict=True):
        cosine, directed = _cosine(student, teacher.detach())
        layers.append((1 - cosine).sum() if reduction == "reference" else masked_mean(1 - cosine, directed))
    total = torch.stack(layers)
    return total.sum() if reduction == "reference" else total.mean()


def _cosine(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine over channels, (N,h,w), zero without gradient where there is no direction; where the teacher has one."""
    student_length, teacher_length = (torch.linalg.vector_norm(feature, dim=1) for feature in (student, teacher))
    cosine = (student * teacher).sum(dim=1) / (student_length.clamp(min=SHORTEST) * teacher_length.clamp(min=SHORTEST))
    directed = teacher_length > SHORTEST
    return torch.where(directed & (student_length > SHORTEST), cosine, 0.0), directed


@full_precision
def inter_layer_relation(
    student_features: Sequence[Tensor], teacher_features: Sequence[Tensor], reduction: Reduction = "mean"
) -> Tensor:
    """Squared difference of the channel relations between every two layers, for maps (N,C_k,h_k,w_k).

    ``||G_ij^S - G_ij^T||_F^2``, ``G_ij = X_i X_j^T / (h w)``, all pairs i < j; X is the map max-pooled to the coarsest
    of all, its channels normalised to mean zero and variance one over positions (Liu et al., ACM MM 2020). Student and
    teacher have equal widths. ``mean`` averages over pairs, images and entries; ``reference`` adds up pairs and entries
    and averages over images (the authors' batch is one).

    Examples:
        >>> import torch
        >>> from methods.skt import inter_layer_relation
        >>> layer = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2)
        >>> round(inter_layer_relation([layer, layer], [layer, -layer]).item(), 3)
        4.0
    """
    maps = (*student_features, *teacher_features)
    size = (min(layer.shape[-2] for layer in maps), min(layer.shape[-1] for layer in maps))
    student = [_pooled(layer, size) for layer in student_features]
    teacher = [_pooled(layer.detach(), size) for layer in teacher_features]
    images = len(student[0])
    together = max(1, HELD * images // sum(layer.numel() for layer in student))
    parts = [zip(*(layer.split(together) for layer in side), strict=True) for side in (student, teacher)]
    total = torch.stack(
        [_relations(student_part, teacher_part, reduction) for student_part, teacher_part in zip(*parts, strict=True)]
    ).sum()
    return total / (images * (size[0] * size[1]) ** 2)


def _relations(student: Sequence[Tensor], teacher: Sequence[Tensor], reduction: Reduction) -> Tensor:
    """Sum of ``||X_i X_j^T - Y_i Y_j^T||_F^2`` over images and pairs, for mean pairs and entries."""
    student_maps, teacher_maps = (
        [F.layer_norm(layer, layer.shape[2:], eps=VARIANCE) for layer in side] for side in (student, teacher)
    )
    pairs = list(combinations(range(len(student_maps)), 2))

    def relation(i: int, j: int) -> Term:
        entries = 1 if reduction == "reference" else len(pairs) * student_maps[i].shape[1] * student_maps[j].shape[1]

        def term(layers: Sequence[Tensor]) -> Tensor:
            difference = torch.bmm(teacher_maps[i], teacher_maps[j].mT)
            difference.baddbmm_(layers[i], layers[j].mT, beta=-1.0)  # in place: one matrix, not three
            return difference.square().sum() / entries

        return term

    return streamed_sum([relation(i, j) for i, j in pairs], student_maps)


def _pooled(feature: Tensor, size: tuple[int, int]) -> Tensor:
    """Max-pool to ``size``, (N,C,h*w)."""
    window = 2 ** math.ceil(math.log2(max(feature.shape[-2] / size[0], feature.shape[-1] / size[1])))
    pooled = F.max_pool2d(feature, window, ceil_mode=True) if window > 1 else feature
    if pooled.shape[-2:] != size:  # strides that are no powers of two
        pooled = F.adaptive_max_pool2d(feature, size)
    return pooled.flatten(2)


@register("skt")
class StructuredTransfer(Method):
    """The student's features point where the teacher's do, and its layers relate to one another as the teacher's do.

    Paper: Liu, Chen, Wu, Chen, Li and Lin, "Efficient Crowd Counting via Structured Knowledge Transfer", ACM MM
    2020.

    ``L = L_task + w1 * divergence(z_S, z_T) + w2 * mean_k mean_p (1 - cos(a_k(F_S^k), F_T^k))
    + w3 * mean_{i<j} mean (G_ij^S - G_ij^T)^2``, ``G_ij = X_i X_j^T / (h w)`` of channel-normalised maps at one stride,
    a_k a 1x1 convolution of the student's k-th feature to the teacher's width.

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised (hard) | 1 on the sum over positions | 1 |
    | soft | 1 on the sum over positions | 1 |
    | intra | 0.5 on the sum over positions and layers | 1 |
    | inter | 0.5 on the sum over 21 pairs and all entries | 1 |

    Deviations: all terms are means, so crops and widths do not change the balance. The taps are all features that both
    networks name alike, where the authors chose six layers of CSRNet; those with a stride above ``stride`` take no part
    in the relations, which need positions. The adaptors have no ReLU, because not all taps are rectified. The
    prediction takes part in the relations in the bounded form of its output space. The authors' code reads the
    relations of the first image of a batch alone; here all count. Positions where the teacher's feature vanishes are
    left out.

    Args:
        setting: output space and shapes.
        soft: weight of the divergence from the teacher's output.
        intra: weight of the intra-layer patterns.
        inter: weight of the inter-layer relations.
        stride: the largest stride of a feature that takes part in the relations.
        reduction: ``reference`` sums the intra- and inter-layer terms as the authors' code does, with which their
            weights are 0.5; the other two are sums where ``task.reduction=reference``.
    """

    title = "structured knowledge transfer"
    paper = "Liu et al., ACM MM 2020"
    license = "none stated"
    reference = "https://arxiv.org/abs/2003.10120"
    bibtex = """
        @inproceedings{liu2020efficient,
          title = {Efficient Crowd Counting via Structured Knowledge Transfer},
          author = {Liu, Lingbo and Chen, Jiaqi and Wu, Hefeng and Chen, Tianshui and Li, Guanbin and Lin, Liang},
          booktitle = {ACM International Conference on Multimedia},
          year = {2020}
        }
    """
    also_called = ("SKT",)

    def __init__(
        self,
        setting: Setting,
        *,
        soft: float = 1.0,
        intra: float = 1.0,
        inter: float = 1.0,
        stride: int = 16,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(setting)
        check_options(soft=soft, intra=intra, inter=inter)
        check_positive(stride=stride)
        student, teacher = setting.student, setting.teacher
        self.reduction: Reduction = reduction
        self.taps = [name for name in student.features if name in teacher.features]
        if not self.taps:
            raise InputError(
                f"skt compares features of the same name, but the student has {', '.join(student.features)} and the "
                f"teacher {', '.join(teacher.features)}"
            )
        self.related = [name for name in self.taps if max(student.strides[name], teacher.strides[name]) <= stride]
        if inter and not self.related:
            raise InputError(
                f"skt relates the prediction to features of stride {stride} or less, but there is none: raise its "
                f"option 'stride' to {min(teacher.strides[name] for name in self.taps)} or set 'inter' to 0"
            )
        self.weights |= {"soft": soft, "intra": intra, "inter": inter}
        used = self.taps if intra else self.related if inter else []
        widths = {name: (student.features[name].shape[1], teacher.features[name].shape[1]) for name in used}
        self.adaptors = nn.ModuleDict({name: nn.Conv2d(*channels, 1) for name, channels in widths.items()})

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss and the three terms on the labeled batch."""
        terms = {SUPERVISED: step.supervised()}
        if not any(self.weights[name] for name in ("soft", "intra", "inter")):
            return terms
        student, teacher = step.student(step.labeled), step.teacher(step.labeled)
        pairs = {name: self._pair(name, student, teacher) for name in self.adaptors}
        if self.weights["soft"]:
            terms["soft"] = self.output.divergence(student, teacher)
        if self.weights["intra"]:
            student_features, teacher_features = zip(*(pairs[name] for name in self.taps), strict=True)
            terms["intra"] = intra_layer_pattern(student_features, teacher_features, self.reduction)
        if self.weights["inter"]:
            outputs = self.output.bounded(student), self.output.bounded(teacher)
            student_features, teacher_features = zip(*(pairs[name] for name in self.related), outputs, strict=True)
            terms["inter"] = inter_layer_relation(student_features, teacher_features, self.reduction)
        return terms

    def _pair(self, name: str, student: Prediction, teacher: Prediction) -> tuple[Tensor, Tensor]:
        """A tap of the student, adapted, and the teacher's, at one size."""
        return align(self.adaptors[name](student.features[name]), teacher.features[name])
