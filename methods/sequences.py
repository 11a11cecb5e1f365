"""The paper's own structural distillation: sequences of labels, each a linear-chain conditional random field."""

from __future__ import annotations

import torch
from torch import Tensor

from methods import chain
from methods.numerics import Reduction, full_precision


@full_precision
def chain_cross_entropy(
    student_unary: Tensor,
    student_transition: Tensor | None,
    teacher_unary: Tensor,
    teacher_transition: Tensor | None,
    temperature: float = 1.0,
    lengths: Tensor | None = None,
    student_start: Tensor | None = None,
    student_end: Tensor | None = None,
    teacher_start: Tensor | None = None,
    teacher_end: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of two distributions over label sequences, each a linear-chain conditional random field.

    ``tau^2 * (log Z_S - sum_u P_T(u) s_S(u))``, u the labels and the pairs of neighbouring labels of a sequence, all
    scores s of both models divided by tau (Wang et al., ACL 2021). A model without transitions (None) is position-wise:
    the two may factorise alike, or either one further.

    Args:
        student_unary: scores (B,n,C) of C labels.
        student_transition: scores (C,C) of neighbouring labels, indexed ``[to, from]``.
        teacher_unary: as the student's.
        teacher_transition: as the student's.
        temperature: tau.
        lengths: of the sequences, int (B,) from 1 to n; n by default.
        student_start: scores (C,) of the first label, zero by default.
        student_end: scores (C,) of the last label, zero by default.
        teacher_start: as the student's.
        teacher_end: as the student's.
        reduction: ``mean`` over the positions of all sequences; ``reference`` over sequences, and with the tempering of
            the authors' code: the teacher infers at a temperature of one, then each of its tables of log-marginals
            (pairs, start, end) is divided by tau and normalised on its own; a sequence whose loss is below zero counts
            as zero.

    Examples:
        >>> import torch
        >>> from methods.crf import chain_cross_entropy
        >>> scores = torch.zeros(1, 4, 2)  # two labels at four places, all alike: a bit each
        >>> round(chain_cross_entropy(scores, None, scores, None).item(), 3)
        0.693
    """
    longest = student_unary.shape[1]
    place = torch.arange(longest, device=student_unary.device)[:, None]
    sizes = place.new_full((len(student_unary),), longest) if lengths is None else lengths.to(place.device)
    inside, last = place < sizes, place == sizes - 1  # n,B
    linked, tau = chain.links(inside), temperature
    student = _lay(student_unary, student_start, inside) / tau
    teacher = _lay(teacher_unary, teacher_start, inside).detach()
    student_matrix = chain.table(student_transition, student) / tau
    teacher_matrix = chain.table(teacher_transition, teacher).detach()
    ended = _end(student, student_end, last, tau)
    taught = _end(teacher, None if teacher_end is None else teacher_end.detach(), last)
    padding = (~inside).sum(dim=0) * torch.log(student.new_tensor(student.shape[1]))  # where all labels are alike
    if reduction == "mean":
        target = chain.infer(taught / tau, teacher_matrix / tau, linked)
        return tau**2 * (chain.cross_entropy(target, ended, student_matrix, linked) - padding.sum()) / sizes.sum()
    pairs, unary = chain.log_marginals(taught, teacher_matrix, linked)
    joint = (student[1:, :, None] + student_matrix[..., None]) * _tempered(pairs.flatten(1, 2), tau).view_as(pairs)
    expected = joint.sum(dim=(1, 2)).where(inside[1:], 0.0).sum(dim=0)
    expected = expected + (student[0] * _tempered(unary[:1], tau)[0]).sum(dim=0)
    expected = expected + ((ended - student) * _tempered(unary, tau) * last[:, None]).sum(dim=(0, 1))
    return tau**2 * (chain.log_partition(ended, student_matrix, linked) - padding - expected).clamp(min=0.0).mean()


def _lay(unary: Tensor, start: Tensor | None, inside: Tensor) -> Tensor:
    """Lay sequences (B,n,C) side by side, (n,C,B), zero beyond their ends; the score of a start is its label's."""
    scores = unary.log_softmax(dim=2)  # a constant at a position changes nothing, and rounds less
    if start is not None:
        scores = torch.cat([scores[:, :1] + start, scores[:, 1:]], dim=1)
    return scores.permute(1, 2, 0).where(inside[:, None], 0.0)


def _end(scores: Tensor, end: Tensor | None, last: Tensor, temperature: float = 1.0) -> Tensor:
    """Add the score of an end to that of the last label."""
    return scores if end is None else scores + (end / temperature)[:, None] * last[:, None]


def _tempered(logarithms: Tensor, temperature: float) -> Tensor:
    """Normalise tables (n,labels,B) of log-probabilities afresh at a temperature."""
    return (logarithms / temperature).softmax(dim=1)
