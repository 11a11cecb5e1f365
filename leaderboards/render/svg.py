"""The first matrix as one picture, for a README; without a matrix the gains of the first board."""

from __future__ import annotations

from leaderboards.leaderboard import Leaderboard
from leaderboards.matrix import Cell, Matrix, MatrixRow
from leaderboards.render import gains, summary, text
from leaderboards.render.drawing import EDGE, LINE, picture, short, wrapped
from leaderboards.render.drawing import text as label
from leaderboards.render.heat import heat

NAME, CELL, RANK, ROW, HEAD = 150, 108, 92, 30, 78  # widths and heights, pixels


def render(page: Leaderboard) -> str:
    """Draw the first matrix of a leaderboard as SVG; without one the first board whose gains have intervals."""
    if page.matrices:
        return matrix_svg(page.matrices[0], page.about.title)
    for board in page.boards:
        if gains.drawable(board):
            return gains.render(board, page.about.title)
    said = "Nothing to draw: no gain has an interval, which takes two seeds of a method and of the student alone."
    return picture(780, 60, [label(EDGE, 36, said, "muted")], "No gains")


def matrix_svg(matrix: Matrix, caption: str = "") -> str:
    """Draw a matrix: a coloured cell a method and task, the mean rank at the end of the row; a caption over it."""
    width = 2 * EDGE + NAME + CELL * len(matrix.columns) + RANK
    lines = wrapped(text.clean(caption), width, EDGE + 14, "bold")
    above = LINE * len(lines)
    kind = "muted" if lines else "bold"
    lines.append(label(EDGE, above + EDGE + 14, f"Gap recovered, {text.clean(matrix.title)}", kind))
    bottom = above + HEAD - 8  # of the titles of columns
    for index, title in enumerate(matrix.columns):
        lines += _title(EDGE + NAME + CELL * index + CELL / 2, bottom, text.clean(title))
    lines.append(label(width - EDGE - RANK / 2, bottom, "mean rank", "muted", "middle"))
    top = float(above + HEAD)
    for number, row in enumerate(matrix.rows):
        if not row.complete and (number == 0 or matrix.rows[number - 1].complete):
            lines.append(label(EDGE, top + 20, "incomplete, not ranked", "muted"))
            top += ROW
        lines += _row(row, top, width)
        top += ROW
    marks = f"{summary.SYMBOLS['win']} {summary.SYMBOLS['tie']} {summary.SYMBOLS['loss']}"
    lines.append(label(EDGE, top + 24, f"{marks}  95 % interval of the gain above, around, below zero", "muted"))
    for sentence in matrix.left_out:
        more = wrapped(text.clean(sentence), width, top + LINE + 24, "muted")
        lines += more
        top += LINE * len(more)
    return picture(width, top + 40, lines, "Methods and tasks")


def _row(row: MatrixRow, top: float, width: float) -> list[str]:
    lines = [label(EDGE, top + 20, short(text.clean(row.label)), "bold")]
    for index, cell in enumerate(row.cells):
        left = EDGE + NAME + CELL * index
        kind = heat(cell) or "empty"
        lines.append(
            f'<rect class="{kind}" x="{left + 1}" y="{top + 1:g}" width="{CELL - 2}" height="{ROW - 2}" rx="3"/>'
        )
        lines.append(label(left + CELL / 2, top + 20, _value(cell), "", "middle"))
    lines.append(label(width - EDGE - RANK / 2, top + 20, text.number(row.mean_rank, 2), "", "middle"))
    return lines


def _value(cell: Cell | None) -> str:
    """Write a cell without its rank."""
    if cell is None or cell.status != "ok":
        return "missing" if cell is None else cell.status.replace("_", " ")
    mark = f"{summary.SYMBOLS[cell.outcome]} " if cell.outcome else ""
    return mark + text.percent(cell.gap, with_interval=False)


def _title(x: float, bottom: float, title: str) -> list[str]:
    """Break a title into at most two lines."""
    words = title.split()
    half = min(range(len(words) + 1), key=lambda n: max(len(" ".join(words[:n])), len(" ".join(words[n:]))))
    lines = [" ".join(part) for part in (words[:half], words[half:]) if part] if len(title) > 13 else [title]
    return [label(x, bottom - 16 * (len(lines) - 1 - i), short(line), "bold", "middle") for i, line in enumerate(lines)]
