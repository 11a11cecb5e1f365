"""The leaderboard: everything that the formats show, made from records at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from leaderboards.about import About
from leaderboards.attachments import Attachment
from leaderboards.board import Board, boards
from leaderboards.budget_comparison import Comparison, comparisons
from leaderboards.credits import Credit, credits
from leaderboards.matrix import Matrix, matrices
from leaderboards.paired import Values
from leaderboards.record import Record
from leaderboards.store import Fault


@dataclass(frozen=True)
class Leaderboard:
    """Boards, one a track; what is made of several; what was wrong with stored records (file names without folders)."""

    boards: tuple[Board, ...]
    matrices: tuple[Matrix, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    credits: tuple[Credit, ...] = ()
    faults: tuple[str, ...] = ()
    about: About = field(default_factory=About)
    attachments: Mapping[str, Attachment] = field(default_factory=dict)  # run id -> curves and panel


def leaderboard(
    records: Iterable[Record], faults: Sequence[Fault] = (), about: About | None = None, values: Values | None = None
) -> Leaderboard:
    """Make the leaderboard of records; the same records give an equal object, whatever their order."""
    about = about or About()
    made = boards(records, about.excluded, values)
    return Leaderboard(
        boards=tuple(made),
        matrices=tuple(matrices(made)),
        comparisons=tuple(comparisons(made)),
        credits=credits(made),
        faults=said(faults),
        about=about,
    )


def said(faults: Sequence[Fault]) -> tuple[str, ...]:
    """Put faults into words that name files without their folders."""
    return tuple(sorted(f"{Path(fault.file).name}: {fault.kind}: {fault.reason}" for fault in faults))
