"""Decoding by chains: what a prediction says of its labels, told again by what is known of neighbouring ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from methods import chain
from methods.numerics import full_precision
from methods.transitions import prior
from tasks.base import OutputSpace, Prediction
from tasks.errors import InputError

TINY = 1e-30  # a probability below it is none
DIAGONAL = 0.1  # of the first transitions between labels without an order


@full_precision
def row_posteriors(logits: Tensor, transition: Tensor, valid: Tensor | None = None) -> Tensor:
    """Label probabilities (N,C,H,W) of rows that are chains from left to right.

    Logits (N,C,H,W), transitions (C,C) indexed ``[to, from]``; a new chain starts behind a position where ``valid``
    (bool, N,H,W) is not set.

    Examples:
        >>> import torch
        >>> from methods.decoding import row_posteriors
        >>> logits = torch.tensor([[4.0, 0.0, 4.0], [0.0, 0.0, 0.0]]).view(1, 2, 1, 3)  # the one in the middle is open
        >>> [round(share, 3) for share in row_posteriors(logits, torch.eye(2))[0, 0, 0].tolist()]
        [0.988, 0.872, 0.988]
    """
    unary = logits.log_softmax(dim=1)
    linked = None
    if valid is not None:
        unary, linked = unary.where(valid[:, None], 0.0), chain.links(chain.rows(valid[:, None])[:, 0])
    posteriors = chain.posteriors(chain.rows(unary), transition, linked)
    count, labels, height, width = logits.shape
    return posteriors.view(width, labels, count, height).permute(2, 1, 3, 0)


def grid_posteriors(logits: Tensor, across: Tensor, down: Tensor, valid: Tensor | None = None) -> Tensor:
    """Decode with the transitions: label probabilities (N,C,H,W), the mean of those of the row and of the column.

    Examples:
        >>> import torch
        >>> from methods.decoding import grid_posteriors
        >>> logits = torch.tensor([[4.0, 0.0, 4.0], [0.0, 0.0, 0.0]]).view(1, 2, 1, 3)
        >>> round(grid_posteriors(logits, torch.eye(2), torch.eye(2))[0, 0, 0, 1].item(), 3)
        0.686
    """
    turned = None if valid is None else valid.mT
    return (row_posteriors(logits, across, valid) + row_posteriors(logits.mT, down, turned).mT) / 2


class ChainDecoder(nn.Module):
    """Transitions of a network's labels, with which its predictions can be decoded.

    A label's score rises by ``log P(label | all scores) - log P(label | its own position)``, the first the mean over
    ``ways`` of the posteriors of the row and the column. Without transitions, nothing changes.

    Args:
        output: what the maps mean.
        student: a prediction, for its levels and labels.
        ways: 0 for rows, 1 for columns.
    """

    def __init__(self, output: OutputSpace, student: Prediction, ways: Sequence[int]) -> None:
        super().__init__()
        self.output, self.ways = output, tuple(ways)
        scores = output.label_scores(student)
        labels = scores[0].shape[1]
        ordered = output.labels_are_ordered
        first = prior(labels, ordered) if ordered else DIAGONAL * torch.eye(labels)
        self.shape = (len(scores), 2, labels, labels)
        self.transitions = nn.Parameter(first.expand(self.shape).flatten())  # flat, for matrices decay

    @property
    def tables(self) -> Tensor:
        """Transitions (levels,2,C,C), indexed ``[to, from]``: from left to right, and from top to bottom."""
        return self.transitions.view(self.shape)

    def check(self, student: Prediction) -> None:
        """Raise InputError where decoding has no meaning."""
        if not self.ways:
            raise InputError("decoding=true needs chains: student_factors is positions, expected grid, rows or columns")
        if self.output.relabel(student, self.output.label_scores(student)) is None:
            raise InputError(
                f"decoding=true: {type(self.output).__name__} knows no way back from labels to maps; leave it false, "
                "or define relabel in the output space"
            )

    def forward(self, prediction: Prediction) -> Prediction:
        """Return the prediction with its maps decoded."""
        scores = self.output.label_scores(prediction)
        moved = [level + self._change(level, tables) for level, tables in zip(scores, self.tables, strict=True)]
        maps = self.output.relabel(prediction, moved)
        assert maps is not None
        return replace(prediction, maps=maps)

    def _change(self, scores: Tensor, tables: Tensor) -> Tensor:
        """How much the label scores (N,C,h,w) of one level rise."""
        ways = [
            row_posteriors(scores.mT, tables[1]).mT if way else row_posteriors(scores, tables[0]) for way in self.ways
        ]
        return torch.stack(ways).mean(dim=0).clamp(min=TINY).log() - scores.log_softmax(dim=1)
