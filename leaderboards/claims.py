"""What becomes of papers' claims: each a query on records, with the numbers that its verdict stands on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from leaderboards.board import Board, Row
from leaderboards.errors import RecordError, explain
from leaderboards.paired import Gain, Values, compare
from leaderboards.record_parts import Part
from leaderboards.render import text
from leaderboards.render.markdown import escape

OPEN = "cannot be concluded"
CLAIMS = "claims.json"  # beside the folder of records


class Claim(Part):
    """One claim of a paper as a query: a method against another, on some tasks, with all labels or few."""

    source: str = Field(description="Paper, venue and year.")
    said: str = Field(description="What it claims, in our words.")
    setting: str = Field(default="", description="How our setting differs.")
    method: str = Field(default="", description="Registered name of the method.")
    over: str = Field(default="none", description="What it is held against.")
    near: float | None = Field(
        default=None, gt=0, description="Against its teacher instead: the share of its score that may be missing."
    )
    tasks: list[str] = Field(default=[], description="Tasks that the claim is about.")
    few_labels: bool = Field(default=False, description="Whether it is about fewer labels than all.")
    untestable: str = Field(default="", description="Why it cannot be tested here; empty where it can.")


def read_claims(file: Path) -> list[Claim]:
    """Read a list of claims; raises RecordError, naming the field, for one that cannot be understood."""
    try:
        return TypeAdapter(list[Claim]).validate_json(file.read_bytes(), strict=True)
    except ValidationError as error:
        raise RecordError(f"{file}: {explain(error)}; known fields: {', '.join(Claim.model_fields)}") from None


def judge(claim: Claim, boards: Sequence[Board], values: Values) -> tuple[str, list[str]]:
    """Return the verdict on a claim, and the numbers that it stands on, one line a board.

    Only boards of a protocol that is made to compare methods count, under equal steps: held on all of them is
    confirmed here, on none is not confirmed here. Without any nothing can be concluded. A gain holds where its interval
    lies above zero, nearness to a teacher where the worse end of the score's interval is near enough.
    """
    if claim.untestable:
        return f"cannot be tested here: {claim.untestable}", []
    fitting = [board for board in boards if _fits(claim, board)]
    found = [(board, said) for board in fitting if (said := _held(claim, board, values))]
    lines = [f"{escape(board.track.under_budget)}: {figures}" for board, (figures, _) in found]
    seen = {board.track.task for board, _ in found}
    lines += [f"{escape(task)}: no records of both" for task in claim.tasks if seen and task not in seen]
    proving = [(board.track.title, side) for board, (_, side) in found if board.track.proves]
    if not proving:
        none = "there are no records of both, or of several configurations of one"
        why = none if not found else "these records are of no protocol that compares methods"
        return f"{OPEN}: {why}", lines
    return _verdict(proving), lines


def _verdict(found: Sequence[tuple[str, int]]) -> str:
    """Put into words where a claim stands on each board: above zero it holds, below the opposite does."""
    holds, opposite = ([title for title, side in found if side == wanted] for wanted in (1, -1))
    if len(holds) == len(found):
        return "confirmed here"
    if holds:
        return f"confirmed here on {_list(holds)}, not on {_list(title for title, side in found if side != 1)}"
    if not opposite:
        return "not confirmed here, nor refuted"
    where = "" if len(opposite) == len(found) else f" on {_list(opposite)}"
    return f"not confirmed here: the interval lies on the other side{where}"


def _held(claim: Claim, board: Board, values: Values) -> tuple[str, int] | None:
    """Return the figures of a board and where the claim stands there; None where it has not both sides.

    Above zero (1) it holds, around zero (0) or below (-1) it does not.
    """
    if claim.near is not None:
        return _nearness(claim.method, claim.near, board)
    gain = _between(claim, board, values)
    return None if gain is None or (side := gain.estimate.side) is None else (text.signed(gain.estimate), side)


def _nearness(method: str, near: float, board: Board) -> tuple[str, int] | None:
    """Hold the score of a method against its teacher's, and the cost of its student against the teacher's."""
    row = _own(board, method)
    teacher = next((reference for reference in board.references if reference.main), None)
    if board.excluded or row is None or row.score is None or teacher is None or teacher.score is None:
        return None
    if row.score.low is None or row.score.high is None:
        return None
    sign = 1.0 if board.track.higher_is_better else -1.0
    best, ends = sign * teacher.score, sorted(sign * end for end in (row.score.low, row.score.high))
    places = text.decimals([row.score.mean, teacher.score])
    said = f"{text.number(row.score.mean, places)} {text.interval(row.score, places)}"
    said += f" against its teacher's {text.number(teacher.score, places)}"
    if row.entry.costs.macs and teacher.macs:
        said += f", with {text.number(100 * row.entry.costs.macs / teacher.macs, 1)} % of its multiply-adds"
    within = near * abs(teacher.score)
    return said, 1 if best - ends[0] <= within else -1 if best - ends[1] > within else 0


def _list(titles: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(titles))


def _fits(claim: Claim, board: Board) -> bool:
    track = board.track
    share = Fraction(track.labeled_count, track.labeled_total) if track.labeled_total else Fraction(1)
    return track.task in claim.tasks and (share < 1) == claim.few_labels and track.budget_kind == "steps"


def _between(claim: Claim, board: Board, values: Values) -> Gain | None:
    """Compare the two methods of a claim on a board, as gains over the control are; None where one has no interval."""
    if board.excluded:
        return None
    method, over = _own(board, claim.method), _own(board, claim.over)
    if method is None or over is None:
        return None
    entries = [row.entry for row in board.rows]
    gain = compare(entries, over.entry, values, board.track.higher_is_better).gains.get(method.entry.id)
    return gain if gain and gain.estimate.low is not None else None


def _own(board: Board, name: str) -> Row | None:
    """Return the row of a method at its own strength, or a tuned one; None where none, several or failed ones are."""
    rows = [row for row in board.rows if row.entry.name == name and not row.entry.strengthened]
    return rows[0] if len(rows) == 1 and not rows[0].entry.failed else None


def page(claims: Sequence[Claim], boards: Sequence[Board], values: Values) -> str:
    """Write a page of claims with settings, numbers and verdicts, in Markdown."""
    lines = [
        "# What becomes of the papers' claims",
        "",
        "Made by `benchmark leaderboard claims` from records and a list of claims; a test holds this page to them.",
        "Differences are in units of the task's metric, + is better, with 95 % intervals. A claim is confirmed here",
        "where the interval lies above zero, under a protocol that is made to compare methods; where it lies around",
        "zero, the claim is neither confirmed nor refuted. Each interval stands for itself: none is corrected for the",
        "number of claims, or of a board's rows.",
    ]
    for claim in claims:
        verdict, numbers = judge(claim, boards, values)
        lines += ["", f"## {escape(claim.said)}", "", f"{escape(claim.source)}."]
        lines += [f"Our setting: {escape(claim.setting)}"] if claim.setting else []
        lines += ["", *(f"- {line}" for line in numbers)] if numbers else []
        lines += ["", f"**{escape(verdict)}**"]
    return "\n".join(lines) + "\n"
