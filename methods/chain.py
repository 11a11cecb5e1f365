"""Exact inference in linear-chain conditional random fields, all chains at once, in log space.

Chains lie side by side: unary scores are (n,C,M), n positions of M chains over C labels; transitions are (C,C), indexed
``[to, from]``; ``linked``, bool (n,M), says which positions follow the one before them, all by default. Where one does
not, the chain starts afresh. Time O(n M C^2), memory O(n M C).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

ROOM = 0.7  # of the exponents that a precision has: the span of transitions that products are exact for


class Filtered(NamedTuple):
    """What a pass along the chains finds: log-probabilities of a label given the scores so far.

    ``belief`` (n,C,M), normalised; ``expected`` (n,C,M), the transitions' part of it, not normalised; ``log_partition``
    (M,).
    """

    belief: Tensor
    expected: Tensor
    log_partition: Tensor


class Marginals(NamedTuple):
    """A distribution over labellings: label probabilities ``unary`` (n,C,M), pair counts ``pairs`` (C,C).

    ``pairs[a, b]`` is how often label a is expected after label b, over all positions and chains.
    """

    unary: Tensor
    pairs: Tensor


class _Products:
    """Steps by matrix products: exact to rounding as long as no transition vanishes beside the largest."""

    def __init__(self, transition: Tensor) -> None:
        self.peak = transition.max()
        self.factors = (transition - self.peak).exp()

    def forward(self, before: Tensor) -> Tensor:
        """``logsumexp_b(A[a,b] + alpha(b))`` of normalised beliefs (C,M)."""
        return (self.factors @ before.exp()).log() + self.peak

    def backward(self, after: Tensor, expected: Tensor, before: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Marginals of the position before, and pair counts, from the marginals ``after`` (C,M) and both passes."""
        ratio, before = after * (self.peak - expected).exp(), before.exp()
        return before * (self.factors.T @ ratio), self.factors * ((ratio * weight) @ before.T)


class _Sums:
    """Steps by sums of C x C terms a chain, each in log space: for any finite transitions, unlikely ones among them."""

    def __init__(self, transition: Tensor) -> None:
        self.transition = transition[:, :, None]

    def forward(self, before: Tensor) -> Tensor:
        """See ``_Products``."""
        return (self.transition + before).logsumexp(dim=1)

    def backward(self, after: Tensor, expected: Tensor, before: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """See ``_Products``."""
        joint = (self.transition + before).add_((after.log() - expected)[:, None]).exp_()
        return joint.sum(dim=0), joint @ weight


def _steps(transition: Tensor) -> _Products | _Sums:
    """Choose the faster steps where they are exact: where the span of transitions leaves room for that of beliefs."""
    span = transition.max() - transition.min()
    return _Products(transition) if span < ROOM * math.log(torch.finfo(span.dtype).max) else _Sums(transition)


def forward_pass(unary: Tensor, transition: Tensor, linked: Tensor | None = None) -> Filtered:
    """Filter: ``alpha_i(a) = U(i,a) + logsumexp_b(A[a,b] + alpha_{i-1}(b))``, normalised at every position."""
    steps = _steps(transition)
    belief, expected = torch.empty_like(unary), torch.zeros_like(unary)
    total = unary.new_zeros(unary.shape[2])
    for i in range(len(unary)):
        if i > 0:
            expected[i] = steps.forward(belief[i - 1])
            if linked is not None:
                expected[i].masked_fill_(~linked[i], 0.0)  # the belief before it is normalised
        scores = unary[i] + expected[i]
        normalizer = scores.logsumexp(dim=0)
        belief[i] = scores - normalizer
        total = total + normalizer
    return Filtered(belief, expected, total)


def backward_pass(
    filtered: Filtered, transition: Tensor, linked: Tensor | None = None, weight: Tensor | None = None
) -> Marginals:
    """Smooth: from the last position to the first, turn beliefs into marginals; ``weight`` (M,) multiplies chains.

    ``P(y_{i-1}=b, y_i=a) = P(y_i=a) exp(A[a,b] + alpha_{i-1}(b)) / sum_b' exp(A[a,b'] + alpha_{i-1}(b'))``.
    """
    belief, expected, total = filtered
    steps, weight = _steps(transition), torch.ones_like(total) if weight is None else weight
    unary, pairs = torch.empty_like(belief), torch.zeros_like(transition)
    unary[-1] = belief[-1].exp()
    for i in range(len(belief) - 1, 0, -1):
        after = unary[i] if linked is None else unary[i] * linked[i]
        before, counts = steps.backward(after, expected[i], belief[i - 1], weight)
        unary[i - 1] = before if linked is None else torch.where(linked[i], before, belief[i - 1].exp())
        pairs += counts
    return Marginals(unary * weight, pairs)


class _LogPartition(torch.autograd.Function):
    """The log partition function, whose gradient is the marginals: kept is one number a label and position."""

    @staticmethod
    def forward(ctx: Any, unary: Tensor, transition: Tensor, linked: Tensor | None) -> Tensor:
        filtered = forward_pass(unary, transition, linked)
        ctx.save_for_backward(filtered.belief, filtered.expected, filtered.log_partition, transition, linked)
        return filtered.log_partition

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, None]:
        belief, expected, total, transition, linked = ctx.saved_tensors
        return *backward_pass(Filtered(belief, expected, total), transition, linked, slope), None


def log_partition(unary: Tensor, transition: Tensor, linked: Tensor | None = None) -> Tensor:
    """``log Z`` of every chain, (M,); differentiable once in the scores."""
    log_z: Tensor = _LogPartition.apply(unary, transition, linked)
    return log_z


@torch.no_grad()
def infer(unary: Tensor, transition: Tensor, linked: Tensor | None = None) -> Marginals:
    """Marginals of chains, without gradient."""
    return backward_pass(forward_pass(unary, transition, linked), transition, linked)


def posteriors(unary: Tensor, transition: Tensor, linked: Tensor | None = None) -> Tensor:
    """Label probabilities (n,C,M) of chains, in steps that no value decides: exported networks run them too.

    ``P(y_i) ~ exp(U(i,.) + what is said from before + what is said from behind)``. What is said is a matrix product,
    see ``_Products``, where a label less likely than the precision can tell, e^-87 in float32, counts as that likely.
    """
    turned = None if linked is None else torch.cat([linked[:1], linked[1:].flip(0)])
    behind = _messages(unary.flip(0), transition.mT, turned).flip(0)
    return (_messages(unary, transition, linked) + unary + behind).softmax(dim=1)


def _messages(unary: Tensor, transition: Tensor, linked: Tensor | None) -> Tensor:
    """What the positions before say of each label, scores (n,C,M); nothing, zero, where a chain starts."""
    peak = transition.amax(dim=1, keepdim=True)
    factors, least = (transition - peak).exp(), torch.finfo(unary.dtype).tiny
    said = [torch.zeros_like(unary[0])]
    for i in range(1, len(unary)):
        belief = (said[-1] + unary[i - 1]).softmax(dim=0)
        message = (factors @ belief).clamp(min=least).log() + peak
        said.append(message if linked is None else message.where(linked[i], 0.0))
    return torch.stack(said)


def divergence(
    student: Tensor, teacher: Tensor, learned: Tensor, given: Tensor, linked: Tensor | None = None
) -> Tensor:
    """Kullback-Leibler divergence of the student's labellings from the teacher's, summed over chains.

    Unary scores of student and teacher, then their transitions; the teacher's have no gradient. Zero where both are
    equal, bit for bit.
    """
    with torch.no_grad():
        filtered = forward_pass(teacher, given, linked)
        target = backward_pass(filtered, given, linked)
    total = (log_partition(student, learned, linked) - filtered.log_partition).sum()
    return total - (target.unary * (student - teacher)).sum() - (target.pairs * (learned - given)).sum()


@torch.no_grad()
def log_marginals(unary: Tensor, transition: Tensor, linked: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Logarithms of what single chains expect: pairs (n-1,C,C,M), indexed ``[i, to, from]``, and labels (n,C,M).

    Pairs are of chains where position i + 1 is linked to i. Memory O(n M C^2), for short sequences alone.
    """
    filtered = forward_pass(unary, transition, linked)
    labels = backward_pass(filtered, transition, linked).unary.log()
    later = (labels - filtered.expected)[1:, :, None]
    return transition[..., None] + filtered.belief[:-1, None] + later, labels


def cross_entropy(target: Marginals, unary: Tensor, transition: Tensor, linked: Tensor | None = None) -> Tensor:
    """``log Z - sum P U - sum E[count] A``, summed over chains: minus the expected log-likelihood under ``target``."""
    total = log_partition(unary, transition, linked).sum()
    return total - (target.unary * unary).sum() - (target.pairs * transition).sum()


def table(transition: Tensor | None, scores: Tensor) -> Tensor:
    """Transitions (C,C) of a model with scores (n,C,M); None stands for a position-wise one, whose are all zero."""
    return scores.new_zeros(scores.shape[1], scores.shape[1]) if transition is None else transition


def rows(maps: Tensor) -> Tensor:
    """Lay the rows of maps (N,C,H,W) side by side as chains from left to right, (W,C,N*H)."""
    return maps.permute(3, 1, 0, 2).flatten(2)


def links(valid: Tensor) -> Tensor:
    """Which positions of chains, bool (n,M), follow the one before them: those where both are valid."""
    linked = torch.zeros_like(valid)
    linked[1:] = valid[1:] & valid[:-1]
    return linked
