"""Coupled distillation: two branches learn from two teachers, then what is fused of them learns from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from methods.base import SUPERVISED, Method, Needs, Setting, Step, register
from methods.numerics import check_options
from tasks.base import OutputSpace, Prediction
from tasks.errors import InputError
from tasks.outputs.maps import map_size
from tasks.resizing import resize

SPATIAL, TEMPORAL = ROLES = ("spatial", "temporal")
SMALL = 0.01  # deviation of a head's first weights


class LightHead(nn.Module):
    """A 1x1 convolution on each feature that the student's own head reads: maps of a branch for networks without any.

    Args:
        output: what the maps mean.
        student: a prediction, for names, widths and sizes; of more features than maps the last ones are read.

    Raises InputError where the network names fewer shared features than it has maps.
    """

    def __init__(self, output: OutputSpace, student: Prediction) -> None:
        super().__init__()
        self.output = output
        levels = len(student.maps)
        self.names = student.shared[len(student.shared) - levels :]
        if len(student.shared) < levels:
            raise InputError(
                f"coupled puts a head on every shared feature, but the student has {levels} maps and names "
                f"{len(student.shared)} features: set Prediction.shared to what its head reads"
            )
        widths = [student.features[name].shape[1] for name in self.names]
        self.levels = nn.ModuleList(nn.Conv2d(width, output.channels, 1) for width in widths)
        for name, parameter in self.named_parameters():
            nn.init.normal_(parameter, std=0.0 if name.endswith("bias") else SMALL)

    def forward(self, student: Prediction) -> tuple[Tensor, ...]:
        """Return one map beside each of the student's own, of its size."""
        return tuple(
            self.output.proper(resize(level(student.features[name]), map_size(student_map)))
            for level, name, student_map in zip(self.levels, self.names, student.maps, strict=True)
        )


@register("coupled")
class Coupled(Method):
    """A spatial and a temporal branch each learn from a teacher and the truth; then their fusion learns from the truth.

    Paper: Fu, Shi, Song, Ge, Lu and Li, "Ultrafast Video Attention Prediction with Coupled Knowledge Distillation",
    AAAI 2020 (UVA-Net). No code is public. Published are the two teachers, the two branches and the two steps, first
    distillation, then joint optimisation; distances, weights and the length of the steps are reconstructed here.

    Step one, until ``first`` of the training: ``L = sum_b (1 - mu) * divergence(z_b, z_Tb) + mu * L_task(z_b, y)`` for
    the branches b, spatial and temporal. Step two: ``L = L_task(z_S, y) + later * (the same sum)``.

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 0, then 1 | 0, then 1 |
    | spatial, temporal (from the teachers) | not recovered | 1 - mu = 0.5; times later = 0.1 in step two |
    | spatial_truth, temporal_truth | not recovered | mu = 0.5; times later = 0.1 in step two |

    Deviations: distances are those of the output space, so every task has them. A student that names two branches
    learns with them. To any other, two light heads are lent, 1x1 convolutions on the features that its own head reads:
    the first for the first teacher, the second for the second; they are dropped with the method. Where a task has one
    teacher, both branches learn from it.

    Args:
        setting: output space and shapes.
        first: share of the training that step one takes.
        mu: share of the truth in what a branch learns from.
        later: weight of the branches in step two.
    """

    title = "coupled distillation (our reading)"
    paper = "Fu et al., AAAI 2020 (our reading)"
    license = "no code published"
    reference = "https://arxiv.org/abs/1904.04449"
    bibtex = """
        @inproceedings{fu2020ultrafast,
          title = {Ultrafast Video Attention Prediction with Coupled Knowledge Distillation},
          author = {Fu, Kui and Shi, Peipei and Song, Yafei and Ge, Shiming and Lu, Xiangju and Li, Jia},
          booktitle = {AAAI Conference on Artificial Intelligence},
          year = {2020}
        }
    """
    also_called = ("UVA-Net", "coupled knowledge distillation")
    needs = Needs(teachers=ROLES)

    def __init__(self, setting: Setting, *, first: float = 0.5, mu: float = 0.5, later: float = 0.1) -> None:
        super().__init__(setting)
        check_options(later=later)
        if not 0.0 <= first < 1.0 or not 0.0 <= mu <= 1.0:
            raise InputError(f"options 'first' and 'mu' are shares: expected [0, 1) and [0, 1], not {first} and {mu}")
        self.first, self.later = first, later
        self.weights |= dict.fromkeys(ROLES, 1 - mu) | {f"{role}_truth": mu for role in ROLES}
        lent = len(setting.student.branches) < len(ROLES)
        self.heads = nn.ModuleList(LightHead(self.output, setting.student) for _ in ROLES if lent)

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return what the branches learn, and in step two the task loss of the fused output."""
        fused = step.index >= self.first * step.steps
        self.weights[SUPERVISED] = float(fused)  # the one weight that changes on the way
        terms = {SUPERVISED: step.supervised()} if fused else {}
        share = self.later if fused else 1.0
        if share == 0.0:
            return terms
        student, target = step.student(step.labeled), step.labeled.target
        for role, maps in zip(ROLES, self._branches(student), strict=True):
            if self.weights[role]:
                taught = self.output.divergence(replace(student, maps=maps), step.teacher(step.labeled, role))
                terms[role] = share * taught
            if self.weights[f"{role}_truth"]:
                terms[f"{role}_truth"] = share * self.output.supervised(maps, target)
        return terms

    def _branches(self, student: Prediction) -> Sequence[tuple[Tensor, ...]]:
        """The maps of the student's own two branches, or of the heads that are lent to it."""
        if self.heads:
            return [head(student) for head in self.heads]
        return list(student.branches.values())[: len(ROLES)]
