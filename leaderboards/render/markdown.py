"""Boards as Markdown tables that look right in a README."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leaderboards.board import Board
from leaderboards.leaderboard import Leaderboard
from leaderboards.render import text
from leaderboards.render.columns import columns

SPECIAL = re.compile(r"[\\`*\[\]<>&|~$@]|(?<!\w)_|_(?!\w)|(?<=\w):(?=//)|(?<=www)\.")


def render(page: Leaderboard) -> str:
    """Write every board of a leaderboard, each under a heading."""
    parts = [board_section(board) for board in page.boards] or ["No records."]
    if page.faults:
        parts.append("\n".join(["## Records at fault", "", *(f"- {escape(fault)}" for fault in page.faults)]))
    return "\n\n".join(["# Leaderboard", *parts]) + "\n"


def escape(value: str) -> str:
    """Make a string plain text in Markdown, inside a table too: what could be syntax becomes a character reference."""
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text.clean(value))


def board_section(board: Board) -> str:
    """Write one board: heading, what the runs share, the table, notes and reasons."""
    track = board.track
    facts = [f"student {track.student}", track.budget, f"{track.n_test} test images", f"track {track.id}"]
    lines = [f"## {escape(track.name)}", "", escape("; ".join(facts)), "", *_table(board)]
    reasons = [f"{row.entry.label}, {reason}" for row in board.rows for reason in row.entry.reasons]
    if board.notes or reasons:
        lines += ["", *(f"- {escape(sentence)}" for sentence in (*board.notes, *reasons))]
    return "\n".join(lines)


def _table(board: Board) -> list[str]:
    found = columns(board)
    rows = [[_cell(column.row(row).text, column.numeric) for column in found] for row in board.rows]
    rows += [[f"*{escape(column.reference(each).text)}*" for column in found] for each in board.references]
    return table([escape(column.title) for column in found], rows, [column.numeric for column in found])


def _cell(value: str, numeric: bool) -> str:
    """Escape text; numbers and their intervals are ours and stay readable."""
    return value if numeric else escape(value)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> list[str]:
    """Write a table, padded so that it can be read as plain text; numeric columns are right-aligned."""
    widths = [max(3, *(len(line[index]) for line in (titles, *rows))) for index in range(len(titles))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (width - 1) + ":") if right else "-" * width for width, right in zip(widths, numeric, strict=True)]
    return [line(titles), f"| {' | '.join(rule)} |", *(line(row) for row in rows)]
