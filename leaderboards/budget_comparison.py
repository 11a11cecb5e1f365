"""Budgets side by side: one setting under equal steps and under equal training time, so that neither flatters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboards.board import Board, Row, by_name


@dataclass(frozen=True)
class Comparison:
    """The boards of one setting, one a budget; ``rows`` has the name of each entry, and its row, or None, a board."""

    boards: tuple[Board, ...]
    rows: tuple[tuple[str, tuple[Row | None, ...]], ...]


def comparisons(boards: Sequence[Board]) -> list[Comparison]:
    """Put boards side by side that differ in nothing but the budget; entries in the order of the first board."""
    settings: dict[str, list[Board]] = defaultdict(list)
    for board in boards:
        settings[board.track.setting].append(board)
    return [_comparison(group) for group in settings.values() if len(group) > 1]


def _comparison(boards: Sequence[Board]) -> Comparison:
    rows = by_name([board.rows for board in boards])
    labels = dict.fromkeys(label for board in rows for label in board)
    return Comparison(tuple(boards), tuple((label, tuple(board.get(label) for board in rows)) for label in labels))
