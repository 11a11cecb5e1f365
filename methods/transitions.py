"""How labels follow one another along rows and columns: counted on true labels, then fitted beside a teacher's scores.

Transitions are scores (C,C), indexed ``[to, from]``; those of a map are (2,C,C), from left to right and from top to
bottom.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from methods import chain
from methods.base import Step
from tasks.base import IGNORE, OutputSpace
from tasks.outputs.maps import map_size, shrink

SMOOTHNESS = 0.5  # what a step of one bin costs before anything was seen


class Transitions(nn.Module):
    """What is known of a teacher's labels: ``table`` (levels,2,C,C) of transitions, ``scale`` (levels,) of its scores.

    Args:
        prior: transitions (C,C) before anything was fitted.
        levels: number of maps.
    """

    table: Tensor
    scale: Tensor

    def __init__(self, prior: Tensor, levels: int) -> None:
        super().__init__()
        self.register_buffer("table", prior.expand(levels, 2, *prior.shape).clone())
        self.register_buffer("scale", torch.ones(levels))


def collect(output: OutputSpace, steps: Iterable[Step], images: int) -> tuple[list[tuple[Tensor, Tensor]], bool]:
    """Gather the teacher's scores (N,C,H,W) and the labels (N,H,W) of the first images, of every level.

    Returns them, and whether the labels are true: where the truth has none, they are the teacher's most likely ones.
    """
    seen, true, count = [], True, 0
    for step in steps:
        prediction = step.teacher(step.labeled)
        scores = output.label_scores(prediction)
        sizes = [map_size(level) for level in scores]
        labels = output.labels(step.labeled.target, sizes)
        true = labels is not None
        masks = [shrink(prediction.inside, size) for size in sizes]
        known = [
            level_labels if mask is None else level_labels.where(mask, IGNORE)
            for level_labels, mask in zip(labels or [level.argmax(dim=1) for level in scores], masks, strict=True)
        ]
        seen.append(list(zip(scores, known, strict=True)))
        count += len(scores[0])
        if count >= images:
            break
    levels = [[torch.cat(parts) for parts in zip(*batches, strict=True)] for batches in zip(*seen, strict=True)]
    return [(scores, labels) for scores, labels in levels], true


def prior(labels: int, ordered: bool) -> Tensor:
    """Transitions (C,C) before any label was seen: ``-|a - b| / 2`` for bins of a quantity, zero for others."""
    if not ordered:
        return torch.zeros(labels, labels)
    place = torch.arange(labels, dtype=torch.float32)
    return -SMOOTHNESS * (place[:, None] - place).abs()


def directions(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Maps (N,C,H,W) as they are, and with rows and columns exchanged: what runs along rows then runs along columns."""
    return maps, maps.mT


def observe(labels: Tensor, count: int) -> chain.Marginals:
    """Turn true labels of chains, int64 (n,M), 255 where unknown, into a distribution that is certain of them."""
    known = labels != IGNORE
    unary = nn.functional.one_hot(labels.where(known, 0), count).movedim(2, 1) * known[:, None]
    after, before = labels[1:], labels[:-1]
    linked = chain.links(known)[1:]
    pairs = torch.bincount(after[linked] * count + before[linked], minlength=count**2)
    return chain.Marginals(unary.float(), pairs.view(count, count).float())


def co_occurrence(pairs: Tensor, before: Tensor) -> Tensor:
    """``log(P(a, b) / (P(a) P(b)))`` of counted neighbours (C,C), with one more of each kind as ``before`` expects."""
    expected = pairs.sum(dim=1, keepdim=True) * pairs.sum(dim=0, keepdim=True) / pairs.sum().clamp(min=1)
    return ((pairs + before.exp()) / (expected + 1)).log()


def count_neighbours(labels: Tensor, before: Tensor) -> Tensor:
    """Transitions (2,C,C) from labels (N,H,W) alone."""
    sides = [observe(chain.rows(side)[:, 0], len(before)) for side in directions(labels[:, None])]
    return torch.stack([co_occurrence(side.pairs, before) for side in sides])


def fit(scores: Tensor, labels: Tensor, initial: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Fit transitions, and one factor on the scores, to true labels: the chains' most likely parameters.

    ``- mean log P(labels; factor * scores, transitions)`` over rows and columns is convex; L-BFGS descends it, with a
    Gaussian of unit variance around ``initial`` that keeps pairs which never occur finite.

    Args:
        scores: of a teacher, (N,C,H,W).
        labels: int64 (N,H,W), 255 where unknown.
        initial: transitions (2,C,C) to start from.
        steps: of L-BFGS.

    Returns:
        transitions (2,C,C) and the factor, a scalar.
    """
    known = labels != IGNORE
    if not known.any():
        return initial, initial.new_ones(())
    unary = scores.log_softmax(dim=1).where(known[:, None], 0.0)
    targets = [chain.rows(side)[:, 0] for side in directions(labels[:, None])]
    sides = [
        (chain.rows(maps), observe(target, scores.shape[1]), chain.links(target != IGNORE))
        for maps, target in zip(directions(unary), targets, strict=True)
    ]
    change = torch.zeros_like(initial, requires_grad=True)
    logarithm = initial.new_zeros(()).requires_grad_()  # of the factor
    optimizer = torch.optim.LBFGS([change, logarithm], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        parts = [
            chain.cross_entropy(target, logarithm.exp() * maps, table, linked)
            for (maps, target, linked), table in zip(sides, initial + change, strict=True)
        ]
        total = (torch.stack(parts).sum() + change.square().sum() / 2) / (2 * known.sum())
        total.backward()
        return total

    with torch.enable_grad():
        optimizer.step(loss)
    return (initial + change).detach(), logarithm.exp().detach()
