"""The table that ends a run: a board of one seed, in the columns that a terminal has room for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaderboards.board import Board, boards
from leaderboards.record import Record
from leaderboards.render import text
from leaderboards.render.columns import brief


def show(records: Sequence[Record], console: Console) -> None:
    """Print score, gain over the control and costs of each run, how loud methods are, and why one did not end well."""
    for board in boards(records):
        console.print(_table(board))
        pulling = [row.entry for row in board.rows if row.entry.loudness is not None]
        loud = [f"{entry.label} {text.times(entry.loudness)}" for entry in pulling]
        if loud:
            console.print(escape(f"gradients of the terms over the task loss's: {', '.join(loud)}"), highlight=False)
        for row in board.rows:
            for reason in row.entry.reasons:
                console.print(escape(f"{row.entry.label}, {reason}"), highlight=False)


def _table(board: Board) -> Table:
    columns = brief(board)
    table = Table(title=escape(board.track.name), title_justify="left")
    for column in columns:
        table.add_column(escape(column.title), justify="right" if column.numeric else "left")
    for row in board.rows:
        table.add_row(*(escape(column.row(row).text) for column in columns))
    for teacher in board.references:
        table.add_row(*(escape(column.reference(teacher).text) for column in columns))
    return table
