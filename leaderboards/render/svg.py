"""The first matrix as one picture, for a README."""

from __future__ import annotations

import textwrap
from xml.sax.saxutils import escape

from leaderboards.leaderboard import Leaderboard
from leaderboards.matrix import Cell, Matrix, MatrixRow
from leaderboards.render import summary, text
from leaderboards.render.heat import heat

NAME, CELL, RANK, ROW, HEAD, EDGE = 150, 108, 92, 30, 78, 16  # widths and heights, pixels
LONGEST = 20  # characters of a name that fit
LINE, LETTER = 18, 8  # height of a line, generous width of a letter, pixels
STYLE = """
svg { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
.card { fill: #ffffff; stroke: #d9dee6 } text { fill: #1b2430 } .muted { fill: #566273 } .bold { font-weight: 600 }
.empty { fill: #f6f7f9 } .heatp0 { fill: #eef1f6 }
.heatp1 { fill: #dbe9f8 } .heatp2 { fill: #b3d1f0 } .heatp3 { fill: #7fb1e3 } .heatp4 { fill: #4a8fd1 }
.heatm1 { fill: #fdebd8 } .heatm2 { fill: #fad2a9 } .heatm3 { fill: #f3af6b } .heatm4 { fill: #e48a33 }
"""


def render(page: Leaderboard) -> str:
    """Draw the first matrix of a leaderboard as SVG; without one, a line that says so."""
    if not page.matrices:
        return _svg(480, 60, [_text(EDGE, 36, "No matrix: runs of at least two tasks make one.", "muted")])
    return matrix_svg(page.matrices[0], page.about.title)


def matrix_svg(matrix: Matrix, caption: str = "") -> str:
    """Draw a matrix: a coloured cell a method and task, the mean rank at the end of the row; a caption over it."""
    width = 2 * EDGE + NAME + CELL * len(matrix.columns) + RANK
    words = textwrap.wrap(text.clean(caption), int(width - 2 * EDGE) // LETTER)
    lines = [_text(EDGE, EDGE + 14 + LINE * index, line, "bold") for index, line in enumerate(words)]
    above = LINE * len(words)
    kind = "muted" if words else "bold"
    lines.append(_text(EDGE, above + EDGE + 14, f"Gap recovered, {text.clean(matrix.title)}", kind))
    bottom = above + HEAD - 8  # of the titles of columns
    for index, title in enumerate(matrix.columns):
        lines += _title(EDGE + NAME + CELL * index + CELL / 2, bottom, text.clean(title))
    lines.append(_text(width - EDGE - RANK / 2, bottom, "mean rank", "muted", "middle"))
    top = float(above + HEAD)
    for number, row in enumerate(matrix.rows):
        if not row.complete and (number == 0 or matrix.rows[number - 1].complete):
            lines.append(_text(EDGE, top + 20, "incomplete, not ranked", "muted"))
            top += ROW
        lines += _row(row, top, width)
        top += ROW
    marks = f"{summary.SYMBOLS['win']} {summary.SYMBOLS['tie']} {summary.SYMBOLS['loss']}"
    lines.append(_text(EDGE, top + 24, f"{marks}  95 % interval of the gain above, around, below zero", "muted"))
    for sentence in matrix.left_out:
        for line in textwrap.wrap(text.clean(sentence), int(width - 2 * EDGE) // LETTER):
            top += LINE
            lines.append(_text(EDGE, top + 24, line, "muted"))
    return _svg(width, top + 40, lines)


def _row(row: MatrixRow, top: float, width: float) -> list[str]:
    lines = [_text(EDGE, top + 20, _short(text.clean(row.label)), "bold")]
    for index, cell in enumerate(row.cells):
        left = EDGE + NAME + CELL * index
        kind = heat(cell) or "empty"
        lines.append(
            f'<rect class="{kind}" x="{left + 1}" y="{top + 1:g}" width="{CELL - 2}" height="{ROW - 2}" rx="3"/>'
        )
        lines.append(_text(left + CELL / 2, top + 20, _value(cell), "", "middle"))
    lines.append(_text(width - EDGE - RANK / 2, top + 20, text.number(row.mean_rank, 2), "", "middle"))
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
    return [
        _text(x, bottom - 16 * (len(lines) - 1 - i), _short(line), "bold", "middle") for i, line in enumerate(lines)
    ]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _text(x: float, y: float, value: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(value)}</text>'


def _svg(width: float, height: float, lines: list[str]) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    card = f'<rect class="card" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Methods and tasks">'
    return "\n".join([head, f"<style>{STYLE}</style>", card, *lines, "</svg>", ""])
