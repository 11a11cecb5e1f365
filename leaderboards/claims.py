"""What becomes of papers' claims: each a query on records, with the numbers that its verdict stands on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from leaderboards.board import Board, Row
from leaderboards.errors import RecordError, explain
from leaderboards.paired import Values, compare
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
    known = [(board.track, side) for board, (_, side) in found if side is not None]
    proving = [(track.title, side) for track, side in known if track.proves]
    if not proving:
        none = "there are no records of both, or of several configurations of one"
        why = none if not known else "these records are of no protocol that compares methods"
        return f"{OPEN}: {why}", lines
    judged = {track.task for track, _ in known if track.proves}
    return _verdict(proving, [task for task in claim.tasks if task not in judged]), lines


def _verdict(found: Sequence[tuple[str, int]], open_tasks: Sequence[str]) -> str:
    """Put into words where a claim stands on each board: above zero it holds, below the opposite does.

    A claim that holds wherever it was judged is not confirmed of tasks where it was not.
    """
    holds, opposite = ([title for title, side in found if side == wanted] for wanted in (1, -1))
    if len(holds) == len(found):
        return "confirmed here" + (f" on {_list(holds)}, not judged on {_list(open_tasks)}" if open_tasks else "")
    if holds:
        return f"confirmed here on {_list(holds)}, not on {_list(title for title, side in found if side != 1)}"
    if not opposite:
        return "not confirmed here, nor refuted"
    where = "" if len(opposite) == len(found) else f" on {_list(opposite)}"
    return f"not confirmed here: the interval lies on the other side{where}"


def _held(claim: Claim, board: Board, values: Values) -> tuple[str, int | None] | None:
    """Return the figures of a board and where the claim stands there, None with the reason where that cannot be told.

    A board that has not both sides says nothing. Above zero (1) it holds; around zero (0), below (-1), and where the
    method failed, it does not.
    """
    if board.excluded:
        return f"takes no part: {escape(board.excluded)}", None
    sides = (claim.method,) if claim.near is not None else (claim.method, claim.over)
    rows = {name: _own(board, name) for name in sides}
    if not all(rows.values()):
        return None
    if several := [name for name, listed in rows.items() if len(listed) > 1]:
        return f"several configurations of {', '.join(map(escape, several))}", None
    if failed := [name for name, (row,) in rows.items() if row.entry.failed]:
        return f"failed in a seed: {', '.join(map(escape, failed))}", 0 if claim.method in failed else None
    if claim.near is not None:
        said = _nearness(rows[claim.method][0], claim.near, board)
    else:
        said = _between(rows[claim.method][0], rows[claim.over][0], board, values)
    return said or ("no interval: one seed, or none that both have", None)


def _nearness(row: Row, near: float, board: Board) -> tuple[str, int] | None:
    """Hold the score of a method against its teacher's, and the cost of its student against the teacher's."""
    teacher = next((reference for reference in board.references if reference.main), None)
    if row.score is None or teacher is None or teacher.score is None:
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
    few = track.labeled_count < track.labeled_total
    return track.task in claim.tasks and few == claim.few_labels and track.budget_kind == "steps"


def _between(method: Row, over: Row, board: Board, values: Values) -> tuple[str, int] | None:
    """Compare two methods of a board as gains over the control are; None where that has no interval."""
    entries = [row.entry for row in board.rows]
    gain = compare(entries, over.entry, values, board.track.higher_is_better).gains.get(method.entry.id)
    if gain is None or (side := gain.estimate.side) is None:
        return None
    return text.signed(gain.estimate), side


def _own(board: Board, name: str) -> list[Row]:
    """List the rows of a method at its own strength, or a tuned one."""
    return [row for row in board.rows if row.entry.name == name and not row.entry.strengthened]


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
