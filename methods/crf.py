"""Structural distillation: the student's chains of neighbouring labels, along rows and columns, learn the teacher's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from methods import chain
from methods.base import SUPERVISED, Method, Setting, Step, register
from methods.decoding import TINY, ChainDecoder, row_posteriors
from methods.numerics import check_options, check_positive, full_precision
from methods.sequences import chain_cross_entropy as chain_cross_entropy
from methods.transitions import Transitions, collect, count_neighbours, fit, prior
from tasks.base import Prediction
from tasks.outputs.maps import map_size, shrink
from tasks.resizing import resize

Factors = Literal["grid", "rows", "columns", "positions"]
DIRECTIONS: dict[str, tuple[int, ...]] = {"grid": (0, 1), "rows": (0,), "columns": (1,), "positions": ()}


@full_precision
def row_divergence(
    student: Tensor,
    teacher: Tensor,
    student_transition: Tensor | None,
    teacher_transition: Tensor | None,
    temperature: float = 1.0,
    valid: Tensor | None = None,
) -> Tensor:
    """Kullback-Leibler divergence of the labellings of all rows, each a chain from left to right.

    ``1 / |p| * sum_rows KL(P_T(row) || P_S(row))`` with all scores divided by tau; logits (N,C,H,W), transitions (C,C)
    indexed ``[to, from]`` or None for a position-wise model. A position where ``valid`` (bool, N,H,W) is not set is
    left out, and a new chain starts behind it. The factor tau^2 of the loss is not in it.

    Examples:
        >>> import torch
        >>> from methods.crf import row_divergence
        >>> teacher = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)
        >>> round(row_divergence(torch.zeros(1, 2, 1, 1), teacher, None, None).item(), 3)
        0.328
    """
    inside = torch.ones_like(student[:, 0], dtype=torch.bool) if valid is None else valid
    linked = None if valid is None else chain.links(chain.rows(valid[:, None])[:, 0])
    student_chains, teacher_chains = (
        chain.rows((maps.log_softmax(dim=1) / temperature).where(inside[:, None], 0.0))
        for maps in (student, teacher.detach())
    )
    learned, given = (
        chain.table(student_transition, student_chains),
        chain.table(teacher_transition, teacher_chains).detach(),
    )
    total = chain.divergence(student_chains, teacher_chains, learned / temperature, given / temperature, linked)
    return total / inside.sum().clamp(min=1)


def grid_divergence(
    student: Tensor,
    teacher: Tensor,
    student_across: Tensor | None,
    student_down: Tensor | None,
    teacher_across: Tensor | None,
    teacher_down: Tensor | None,
    temperature: float = 1.0,
    valid: Tensor | None = None,
) -> Tensor:
    """Kullback-Leibler divergence of label maps that are chains along every row and chains along every column.

    ``1 / (2 |p|) * [sum_rows KL(P_T(row) || P_S(row)) + sum_columns KL(P_T(column) || P_S(column))]``; see
    ``row_divergence`` for the arguments: ``across`` are transitions from left to right, ``down`` from top to bottom. A
    reconstruction for dense maps of Wang et al., ACL 2021. Without transitions it is ``pixelwise_kl`` over tau^2.

    Examples:
        >>> import torch
        >>> from methods.crf import grid_divergence
        >>> maps, alike = torch.zeros(1, 2, 4, 4), 3 * torch.eye(2)  # the teacher holds neighbours for alike
        >>> round(grid_divergence(maps, maps, None, None, alike, alike).item(), 3)
        0.377
    """
    across = row_divergence(student, teacher, student_across, teacher_across, temperature, valid)
    turned = None if valid is None else valid.mT
    down = row_divergence(student.mT, teacher.mT, student_down, teacher_down, temperature, turned)
    return (across + down) / 2


@register("crf")
class ChainDistillation(Method):
    """The student's label maps, as chains along rows and columns, are distributed as the teacher's.

    Paper: Wang, Jiang, Yan, Jia, Bach, Wang, Huang, Huang and Tu, "Structural Knowledge Distillation: Tractably
    Distilling Information for Structured Predictor", ACL 2021. Report results as "CRF distillation (our reading)": the
    paper labels sequences of words, and the dense form is a reconstruction.

    ``L = L_task + w * tau^2 / (2 |p|) * [sum_rows KL(P_T(row) || P_S(row)) + sum_columns KL(P_T(column) ||
    P_S(column))] + o * divergence(z_S, z_T)``, ``P(y) ~ exp(sum_i U(i, y_i) + sum_i A[y_i, y_{i-1}])``: unary scores U
    from a network's prediction, one matrix A for all rows and one for all columns.

    | term | paper's weight | our weight |
    |---|---|---|
    | supervised | 1 - l, the likelihood of the chain | 1, the task's own loss |
    | grid | l on the sum over positions; falls from 1 to 0 in 200 epochs | w = 1 |
    | output | none | o = 1 where labels leave a part of the prediction out (boxes), else 0 |

    Reconstructed: chains over rows and columns, the labels of every output space, transitions of a teacher that is no
    random field. These are fitted once, on labeled images before training (co-occurrence of neighbouring labels first,
    then the likelihood of the truth under the teacher's scores, with one factor on these), and kept with the teacher.
    The student's are learned with it and serve the loss alone, unless they decode: then the student is scored, stored
    and exported with them, and its cost is measured so.

    Deviations: temperature is exact: all scores of both models are divided by tau, where the authors' code tempers
    tables of marginals one by one (``chain_cross_entropy(reduction="reference")``). The weight does not fall. Chains
    run at the teacher's resolution, where its transitions were fitted. Levels of a pyramid have transitions of their
    own and count alike.

    Args:
        setting: output space and shapes.
        weight: w.
        output: o.
        temperature: tau.
        student_factors: what the student's label maps factorise into: chains over the ``grid`` (rows, and columns),
            ``rows``, ``columns``, or single ``positions``.
        teacher_factors: the same of the teacher's. Where the student has a direction that the teacher lacks, neighbours
            are independent under the teacher, given its rows, its columns, or its scores.
        fit_images: images that the teacher's transitions are fitted on.
        fit_steps: of L-BFGS; 0 leaves the co-occurrences as they are.
        decoding: deploy the student's transitions with it: its labels are decoded by the mean of the posteriors of
            rows and columns, at the student's own resolution.
    """

    title = "structural distillation by chain CRFs"
    paper = "Wang et al., ACL 2021; dense form reconstructed"
    license = "see reference"
    reference = "https://arxiv.org/abs/2010.05010"
    bibtex = """
        @inproceedings{wang2021structural,
          title = {Structural Knowledge Distillation: Tractably Distilling Information for Structured Predictor},
          author = {Wang, Xinyu and Jiang, Yong and Yan, Zhaohui and Jia, Zixia and Bach, Nguyen and Wang, Tao
            and Huang, Zhongqiang and Huang, Fei and Tu, Kewei},
          booktitle = {Annual Meeting of the Association for Computational Linguistics (ACL)},
          year = {2021}
        }
    """
    also_called = ("structural KD", "StructuralKD", "CRF distillation")
    calibration: Transitions

    def __init__(
        self,
        setting: Setting,
        *,
        weight: float = 1.0,
        output: float = 1.0,
        temperature: float = 1.0,
        student_factors: Factors = "grid",
        teacher_factors: Factors = "grid",
        fit_images: int = 64,
        fit_steps: int = 20,
        decoding: bool = False,
    ) -> None:
        super().__init__(setting)
        check_options(weight=weight, output=output, fit_steps=fit_steps)
        check_positive(temperature=temperature, fit_images=fit_images)
        self.temperature, self.fit_images, self.fit_steps = temperature, fit_images, fit_steps
        self.student_factors, self.teacher_factors = DIRECTIONS[student_factors], DIRECTIONS[teacher_factors]
        self.weights |= {"grid": weight, "output": 0.0 if self.output.labels_say_all else output}
        scores = self.output.label_scores(setting.teacher)
        self.prior = prior(scores[0].shape[1], self.output.labels_are_ordered)
        self.calibration = Transitions(self.prior, len(scores))
        self.chains = ChainDecoder(self.output, setting.student, self.student_factors)
        if decoding:
            self.chains.check(setting.student)
            self.decoder = self.chains

    @classmethod
    def build_decoder(cls, setting: Setting, options: Mapping[str, Any]) -> nn.Module | None:
        """The student's chains, where they decode."""
        if not options.get("decoding"):
            return None
        return ChainDecoder(setting.output, setting.student, DIRECTIONS[options["student_factors"]])

    def calibrate(self, steps: Iterable[Step]) -> None:
        """Fit the teacher's transitions to the true labels, or to its own where the truth has none."""
        levels, true = collect(self.output, steps, self.fit_images)
        for level, (scores, labels) in enumerate(levels):
            table, scale = count_neighbours(labels, self.prior.to(scores)), scores.new_ones(())
            if true and self.fit_steps:
                table, scale = fit(scores, labels, table, self.fit_steps)
            self.calibration.table[level], self.calibration.scale[level] = table, scale

    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the task loss, the divergence of the chains and, where labels do not say all, that of the outputs."""
        terms = {SUPERVISED: step.supervised()}
        student, teacher = step.student(step.labeled), step.teacher(step.labeled)
        if self.weights["grid"]:
            terms["grid"] = self._grid(student, teacher)
        if self.weights["output"]:
            terms["output"] = self.output.divergence(student, teacher, self.temperature)
        return terms

    def _grid(self, student: Prediction, teacher: Prediction) -> Tensor:
        """Divergence of the label maps, a mean over levels and directions."""
        student_scores, teacher_scores = (self.output.label_scores(prediction) for prediction in (student, teacher))
        learned, fitted, scale = self.chains.tables, self.calibration.table, self.calibration.scale
        losses = [
            self._level(
                resize(student_scores[i], map_size(teacher_scores[i])),
                scale[i] * teacher_scores[i],
                learned[i],
                fitted[i],
                student.inside,
            )
            for i in range(len(student_scores))
        ]
        return self.temperature**2 * torch.stack(losses).mean()

    def _level(
        self, student: Tensor, teacher: Tensor, learned: Tensor, fitted: Tensor, inside: Tensor | None
    ) -> Tensor:
        """Divergence of the label maps of one level, of equal sizes."""
        inside, tau = shrink(inside, map_size(student)), self.temperature
        losses = []
        for way in self.student_factors or self.teacher_factors or (0,):
            mask, across = (None if inside is None else _turn(inside, direction) for direction in (way, 1 - way))
            table = learned[way] if way in self.student_factors else None
            if way in self.teacher_factors or not self.teacher_factors:
                scores, known = _turn(teacher, way), fitted[way] if self.teacher_factors else None
            else:
                given = row_posteriors(_turn(teacher, 1 - way) / tau, fitted[1 - way] / tau, across)
                scores, known = tau * given.mT.clamp(min=TINY).log(), None
            losses.append(row_divergence(_turn(student, way), scores, table, known, tau, mask))
        return torch.stack(losses).mean()


def _turn(maps: Tensor, way: int) -> Tensor:
    """What runs that way, across (0) or down (1), as rows."""
    return maps.mT if way else maps
