"""The leaderboard: everything that the formats show, made from records at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leaderboards.attachments import Attachment
from leaderboards.board import Board, boards
from leaderboards.budget_comparison import Comparison, comparisons
from leaderboards.matrix import Matrix, matrices
from leaderboards.record import Record
from leaderboards.store import Fault


@dataclass(frozen=True)
class Leaderboard:
    """Boards, one a track; what is made of several; what was wrong with stored records (file names without folders)."""

    boards: tuple[Board, ...]
    matrices: tuple[Matrix, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    faults: tuple[str, ...] = ()
    attachments: Mapping[str, Attachment] = field(default_factory=dict)  # run id -> curves and panel


def leaderboard(records: Iterable[Record], faults: Sequence[Fault] = ()) -> Leaderboard:
    """Make the leaderboard of records; the same records give an equal object, whatever their order."""
    made = boards(records)
    return Leaderboard(tuple(made), tuple(matrices(made)), tuple(comparisons(made)), said(faults))


def said(faults: Sequence[Fault]) -> tuple[str, ...]:
    """Put faults into words that name files without their folders."""
    return tuple(sorted(f"{Path(fault.file).name}: {fault.kind}: {fault.reason}" for fault in faults))
