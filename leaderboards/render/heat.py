"""The colours of matrix cells, the same in the page and in the picture."""

from __future__ import annotations

from leaderboards.matrix import Cell

FULL = 0.8  # gap recovered that has the strongest colour


def heat(cell: Cell | None) -> str:
    """Return the class of a cell's colour: nine steps of gap recovered, blue is better than the control, orange worse.

    ``heatm4`` to ``heatm1`` are worse, ``heatp0`` is even, ``heatp1`` to ``heatp4`` are better; empty without a gap.
    """
    if cell is None or cell.gap is None:
        return ""
    return f"heat{round(4 * max(-1.0, min(1.0, cell.gap.mean / FULL))):+d}".replace("+", "p").replace("-", "m")
