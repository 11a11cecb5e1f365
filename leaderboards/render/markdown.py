"""Boards as Markdown tables that look right in a README."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leaderboards.about import About
from leaderboards.board import Board
from leaderboards.budget_comparison import Comparison
from leaderboards.credits import Credit
from leaderboards.leaderboard import Leaderboard
from leaderboards.matrix import Matrix
from leaderboards.render import summary, text
from leaderboards.render.columns import columns
from leaderboards.track import conditions

SPECIAL = re.compile(r"[\\`*\[\]<>&|~$@]|(?<!\w)_|_(?!\w)|(?<=\w):(?=//)|(?<=www)\.")


def render(page: Leaderboard) -> str:
    """Write every board of a leaderboard, each under a heading."""
    parts = [heading(page.about), *(matrix_section(matrix) for matrix in page.matrices)]
    parts += [budget_section(comparison) for comparison in page.comparisons]
    parts += [board_section(board) for board in page.boards] or ["No records."]
    parts += [credits_section(page.credits)] if page.credits else []
    if page.faults:
        parts.append("\n".join(["## Records at fault", "", *(f"- {escape(fault)}" for fault in page.faults)]))
    return "\n\n".join(parts) + "\n"


def heading(about: About) -> str:
    """Write what the boards show, where their records say so."""
    title = f"# Leaderboard: {escape(about.title)}" if about.title else "# Leaderboard"
    return f"{title}\n\n{escape(about.text)}" if about.text else title


def credits_section(credits: Sequence[Credit]) -> str:
    """List the methods and data with their papers, addresses and licences."""
    lines = [f"- **{escape(credit.name)}** ({credit.kind}): {escape('; '.join(credit.parts))}" for credit in credits]
    return "\n".join(["## Sources", "", *lines])


def escape(value: str) -> str:
    """Make a string plain text in Markdown, inside a table too: what could be syntax becomes a character reference."""
    return SPECIAL.sub(lambda match: f"&#{ord(match[0])};", text.clean(value))


def board_section(board: Board) -> str:
    """Write one board: heading, what the runs share, the table, notes and reasons."""
    track = board.track
    facts = [f"student {track.student}", *conditions(track), f"{track.n_test} test images", f"track {track.id}"]
    lines = [f"## {escape(track.name)}", "", escape("; ".join(facts)), "", *_table(board)]
    reasons = [f"{row.entry.label}, {reason}" for row in board.rows for reason in row.entry.reasons]
    if board.notes or reasons:
        lines += ["", *(f"- {escape(sentence)}" for sentence in (*board.notes, *reasons))]
    return "\n".join(lines)


def matrix_section(matrix: Matrix) -> str:
    """Write a matrix: complete rows by mean rank, the others below with their coverage."""
    lines = [f"## Methods and tasks: {escape(matrix.title)}", "", escape(summary.LEGEND), ""]
    complete, rest = (summary.matrix_table(matrix, complete) for complete in (True, False))
    if complete.rows:
        lines += [*_text_table(complete), ""]
    if rest.rows:
        lines += ["Incomplete, not ranked:", "", *_text_table(rest), ""]
    return "\n".join([*lines, *(f"- {escape(sentence)}" for sentence in summary.matrix_notes(matrix))])


def budget_section(comparison: Comparison) -> str:
    """Write the budgets of a setting side by side."""
    heading = f"## Budgets side by side: {escape(comparison.boards[0].track.name)}"
    return "\n".join([heading, "", *_text_table(summary.budget_table(comparison))])


def _text_table(content: summary.Table) -> list[str]:
    rows = [[_cell(cell, right) for cell, right in zip(row, content.numeric, strict=True)] for row in content.rows]
    return table([escape(title) for title in content.titles], rows, content.numeric)


def _table(board: Board) -> list[str]:
    shown = columns(board)
    rows = [[_cell(column.row(row).text, column.numeric) for column in shown] for row in board.rows]
    rows += [[f"*{escape(column.reference(teacher).text)}*" for column in shown] for teacher in board.references]
    return table([escape(column.title) for column in shown], rows, [column.numeric for column in shown])


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
