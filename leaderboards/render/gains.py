"""The gains of one board as a picture: a dot a row with its interval, around the student alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leaderboards.board import Board, Row
from leaderboards.render import text
from leaderboards.render.drawing import EDGE, LINE, line, picture, short, wrapped
from leaderboards.render.drawing import text as label
from leaderboards.statistics import Estimate

NAME, PLOT, NUMBERS, ROW = 160, 330, 230, 26  # widths of the columns and height of a row, pixels
INTERVALS = 6  # at most so many between the ticks of the axis


def drawable(board: Board) -> list[Row]:
    """List the rows whose gain has an interval, the largest gain first; not those of which a run failed."""
    known = [row for row in board.rows if row.gain is not None and row.gain.low is not None and not row.entry.failed]
    return sorted(known, key=lambda row: (-_gain(row).mean, row.entry.label))


def render(board: Board, caption: str = "") -> str:
    """Draw the gains of a board with their 95 % intervals, + is better, in units of the task's metric."""
    rows = drawable(board)
    gains = [_gain(row) for row in rows]
    width = 2 * EDGE + NAME + PLOT + NUMBERS
    track = board.track
    head = wrapped(text.clean(caption), width, EDGE + 14, "bold")
    title = f"{track.title} on {track.dataset}: gain in {track.primary} over the student alone, 95 % interval"
    head += wrapped(text.clean(title), width, EDGE + 14 + LINE * len(head), "muted" if head else "bold")
    top = EDGE + LINE * len(head) + 12.0
    bottom = top + ROW * len(rows)
    ticks = axis(min(_low(gain) for gain in gains), max(_high(gain) for gain in gains))
    places = text.decimals([gain.mean for gain in gains])

    def at(value: float) -> float:
        return EDGE + NAME + PLOT * (value - ticks[0]) / (ticks[-1] - ticks[0])

    parts = [line(at(tick), top, at(tick), bottom, "axis" if tick else "zero") for tick in ticks]
    parts += [label(at(t), bottom + 16, text.number(t, _places(ticks), sign=True), "muted", "middle") for t in ticks]
    for index, (row, gain) in enumerate(zip(rows, gains, strict=True)):
        y, kind = top + ROW * (index + 0.5), _kind(gain)
        said = f"{text.number(gain.mean, places, sign=True)} {text.interval(gain, places, sign=True)}"
        parts += [
            label(EDGE, y + 4, short(text.clean(row.entry.label)), "muted" if row.entry.control else "bold"),
            line(at(_low(gain)), y, at(_high(gain)), y, kind),
            f'<circle cx="{at(gain.mean):.1f}" cy="{y:g}" r="4" class="{kind}"/>',
            label(EDGE + NAME + PLOT + 20, y + 4, said),
        ]
    foot = wrapped(_foot(board), width, bottom + 40, "muted")
    return picture(width, bottom + 34 + LINE * len(foot), [*head, *parts, *foot], "Gains over the student alone")


def axis(low: float, high: float) -> list[float]:
    """Return round ticks at equal distances, as few as hold zero and both ends at no more than six distances."""
    low, high = min(low, 0.0), max(high, 0.0)
    unit = 10.0 ** math.floor(math.log10((high - low) / INTERVALS or 1.0))
    for step in (unit * factor for factor in (1, 2, 5, 10, 20)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first <= INTERVALS:
            break
    return [step * index for index in range(first, max(last, first + 1) + 1)]


def _places(ticks: Sequence[float]) -> int:
    """Return how many decimals tell the ticks apart."""
    return max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))


def _foot(board: Board) -> str:
    """Say what the student alone and its teacher reach, so that a gain has a scale."""
    track = board.track
    alone = next((row.score for row in board.rows if row.entry.id == board.control), None)
    teacher = next((reference.score for reference in board.references if reference.main), None)
    places = text.decimals([teacher, alone.mean if alone else None])
    reached = f"the student alone reaches {text.spread(alone, places)}"
    taught = f", its teacher {text.number(teacher, places)}" if teacher is not None else ""
    failed = ", ".join(sorted(text.clean(row.entry.label) for row in board.rows if row.entry.failed))
    more = [f"failed: {failed}"] if failed else []
    more += [f"takes no part in a comparison: {text.clean(board.excluded)}"] if board.excluded else []
    return "; ".join([f"{text.clean(track.budget)}, {len(board.seeds)} seeds", f"{reached}{taught}", *more]) + "."


def _gain(row: Row) -> Estimate:
    assert row.gain is not None
    return row.gain


def _low(gain: Estimate) -> float:
    assert gain.low is not None
    return gain.low


def _high(gain: Estimate) -> float:
    assert gain.high is not None
    return gain.high


def _kind(gain: Estimate) -> str:
    return {1: "better", -1: "worse"}.get(gain.side or 0, "open")
