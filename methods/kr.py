"""Knowledge representing: the teacher's features, stage by stage, as a sparse prior that fades."""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor, nn

from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.numerics import average_pool, check_options, full_precision, unit
from tasks.base import Prediction
from tasks.errors import InputError

GRID = 7  # cells of a descriptor along each side


@full_precision
def sparse_prior(student: Tensor, teacher: Tensor, keep: float = 0.25) -> tuple[Tensor, Tensor]:
    """Compare two features with a mask of the teacher's largest entries: what to copy, and what to leave at zero.

    ``prior = mean(M (D_S - D_T)^2)``, ``sparse = mean((1 - M) |D_S|)``. ``D`` (N,C,49) is a feature pooled to 7x7
    cells, each channel of unit length; ``M`` marks, image by image, the share ``keep`` of the entries of ``D_T`` that
    are largest in magnitude. An entry outside of M learns from the sign of its value alone. A channel without a
    direction is zero, and zeros are never marked. A reconstruction: no code of Liu et al., CVPRW 2019, is public.

    Args:
        student: features (N,C,h,w).
        teacher: features of the same width, of any size; no gradient.
        keep: share of the entries, above 0 and up to 1.

    Returns:
        the two means over all entries, scalars.

    Examples:
        >>> import torch
        >>> from methods.kr import sparse_prior
        >>> feature = torch.ones(1, 1, 7, 7)
        >>> prior, sparse = sparse_prior(feature, 2 * feature)  # channels have length one
        >>> round(prior.item(), 3), round(sparse.item(), 3)
        (0.0, 0.0)
    """
    student, teacher = _descriptor(student), _descriptor(teacher.detach())
    kept = _largest(teacher.abs(), keep)
    return (student - teacher).square().where(kept, 0.0).mean(), student.abs().where(~kept, 0.0).mean()


def _descriptor(feature: Tensor) -> Tensor:
    return unit(average_pool(feature, (GRID, GRID)).flatten(2), dim=2)


def _largest(magnitude: Tensor, keep: float) -> Tensor:
    """Mark the largest entries of each image, all that tie with the last one, and no zeros."""
    entries = magnitude.flatten(1)
    threshold = entries.topk(max(1, round(keep * entries.shape[1])), dim=1).values[:, -1]
    return (magnitude >= threshold[:, None, None]) & (magnitude > 0)


def stages(prediction: Prediction) -> list[list[str]]:
    """Name the features of each stage, shallow to deep: a pyramid's levels, or else the stages of the backbone.

    Neighbours of one stride and width are blocks of one stage. Raises InputError where a network names no feature.

    Examples:
        >>> import torch
        >>> from methods.kr import stages
        >>> from tasks.base import Prediction
        >>> features = {"a": torch.zeros(1, 8, 4, 4), "b": torch.zeros(1, 8, 4, 4), "c": torch.zeros(1, 16, 2, 2)}
        >>> strides = {"a": 4, "b": 4, "c": 8}
        >>> stages(Prediction((features["a"],), features, strides, ("c",), torch.zeros(1, 16), (16, 16)))
        [['a', 'b']]
    """
    if not prediction.features:
        raise InputError("a network names no feature: fill Prediction.features with the stages of its backbone")
    pyramid = prediction.shared if len(prediction.shared) > 1 else ()
    backbone = [name for name in prediction.features if name not in prediction.shared]
    names = pyramid or backbone or prediction.features

    def shape(name: str) -> tuple[int, int]:
        return prediction.strides[name], prediction.features[name].shape[1]

    return [list(group) for _, group in groupby(names, shape)]


def aggregate(prediction: Prediction, blocks: list[str]) -> Tensor:
    """Average the blocks of a stage, (N,C,h,w), each scaled to a mean square of one: the card's Frobenius norm.

    Examples:
        >>> import torch
        >>> from methods.kr import aggregate
        >>> from tasks.base import Prediction
        >>> features = {"a": torch.full((1, 1, 2, 2), 3.0), "b": torch.full((1, 1, 2, 2), -5.0)}
        >>> seen = Prediction((features["a"],), features, {"a": 4, "b": 4}, (), torch.zeros(1, 1), (8, 8))
        >>> aggregate(seen, ["a"]).flatten().tolist(), aggregate(seen, ["a", "b"]).flatten().tolist()
        ([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0])
    """
    features = [prediction.features[name].float() for name in blocks]
    size = (features[-1].shape[2], features[-1].shape[3])
    scaled = [
        feature / feature.square().mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-8).sqrt()  # zero has a gradient too
        for feature in features
    ]
    return torch.stack([average_pool(feature, size) for feature in scaled]).mean(dim=0)


@register("kr")
class KnowledgeRepresenting(Method):
    """The student's stages begin as the teacher's, where the teacher's are strong, and are then let go.

    Paper: Liu, Wen, Gao, Tao, Chen, Osa and Kato, "Knowledge Representing: Efficient, Sparse Representation of Prior
    Knowledge for Knowledge Distillation", CVPR Workshops 2019. Report results as "KR (our reading)": no code is public
    and only the abstract could be read. From there come the three ideas: the teacher's parameters, not its outputs, as
    prior knowledge; aggregation, which lifts it to a more abstract level; a sparse recoding penalty, which spares the
    student from regularisation that does not matter. How each is computed is reconstructed here, all of it.

    ``L = L_task + r * sum_k (a * prior_k + b * sparse_k) [+ w * divergence(z_S, z_T)]``, prior and sparse of
    ``sparse_prior(c_k(A_S^k), A_T^k)``; ``A^k`` the mean of the blocks of stage k, each of norm one; c_k a 1x1
    convolution to the teacher's width, nothing where the widths agree. ``r`` is one and falls to zero, linearly, over
    the last third of the training: a prior, not an aim.

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 | 1 |
    | prior | not recovered | a = 20: entries are about 1/7, so their squares are small beside a task loss |
    | sparse | not recovered | b = 2, a tenth of a |
    | output | not recovered; combined with output distillation, with unknown weight | w = 0, off |

    Deviations: none are known, since the paper's choices are not. Stages are the levels of a pyramid, else those of the
    backbone, paired from the deepest on; where one network has more, its shallow ones take no part.

    Args:
        setting: output space and shapes.
        prior: a, the weight of what is copied.
        sparse: b, the weight of what is kept at zero.
        keep: share of the teacher's entries that are copied.
        fade: share of the training, at its end, over which r falls; 0 keeps it at one.
        output: w, the weight of output distillation beside it; 0 leaves it out.
    """

    title = "knowledge representing (our reading)"
    paper = "Liu et al., CVPRW 2019 (our reading)"
    license = "no code published"
    reference = "https://arxiv.org/abs/1911.05329"
    bibtex = """
        @inproceedings{liu2019knowledge,
          title = {Knowledge Representing: Efficient, Sparse Representation of Prior Knowledge for Knowledge
            Distillation},
          author = {Liu, Junjie and Wen, Dongchao and Gao, Hongxing and Tao, Wei and Chen, Tse-Wei and Osa, Kinya
            and Kato, Masami},
          booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR) Workshops},
          year = {2019}
        }
    """
    also_called = ("KR",)
    elsewhere = {"KR": "knowledge review, Chen et al., CVPR 2021"}

    def __init__(
        self,
        setting: Setting,
        *,
        prior: float = 20.0,
        sparse: float = 2.0,
        keep: float = 0.25,
        fade: float = 1 / 3,
        output: float = 0.0,
    ) -> None:
        super().__init__(setting)
        check_options(prior=prior, sparse=sparse, output=output)
        if not 0.0 < keep <= 1.0 or not 0.0 <= fade <= 1.0:
            raise InputError(f"options 'keep' and 'fade' are shares: expected (0, 1] and [0, 1], not {keep} and {fade}")
        self.keep, self.fade = keep, fade
        self.weights |= {"prior": prior, "sparse": sparse, "output": output}
        student, teacher = setting.student, setting.teacher
        student_stages, teacher_stages = stages(student), stages(teacher)
        count = min(len(student_stages), len(teacher_stages)) if prior or sparse else 0
        self.pairs = list(
            zip(
                student_stages[len(student_stages) - count :],
                teacher_stages[len(teacher_stages) - count :],
                strict=True,
            )
        )
        widths = [(student.features[a[0]].shape[1], teacher.features[b[0]].shape[1]) for a, b in self.pairs]
        self.adaptors = nn.ModuleList(nn.Identity() if a == b else nn.Conv2d(a, b, 1) for a, b in widths)

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss, the fading prior and its penalty, and the divergence from the teacher's output."""
        terms = {SUPERVISED: step.supervised()}
        if not any(self.weights[name] for name in ("prior", "sparse", "output")):
            return terms
        student, teacher = step.student(step.labeled), step.teacher(step.labeled)
        if self.pairs:
            losses = [
                sparse_prior(adaptor(aggregate(student, student_blocks)), aggregate(teacher, teacher_blocks), self.keep)
                for adaptor, (student_blocks, teacher_blocks) in zip(self.adaptors, self.pairs, strict=True)
            ]
            for name, values in zip(("prior", "sparse"), zip(*losses, strict=True), strict=True):
                if self.weights[name]:
                    terms[name] = self._remaining(step) * torch.stack(values).sum()
        if self.weights["output"]:
            terms["output"] = self.output.divergence(student, teacher)
        return terms

    def _remaining(self, step: Step) -> float:
        """What is left of the prior: one, then falling to zero at the end of the training."""
        return min(1.0, (1 - step.index / step.steps) / self.fade) if self.fade else 1.0
