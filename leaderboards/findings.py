"""What boards say in sentences, and what becomes of papers' claims: queries, so that no text outlives its records."""

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
from leaderboards.statistics import Estimate
from leaderboards.tuning import TuningRecord

OPEN = "cannot be concluded"
SLOW = 2.0  # times the training time that is worth a word
LOUD = 2.0  # times the task loss's gradient from which on a method is called loud
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


def statements(boards: Iterable[Board]) -> list[str]:
    """Say of each board which gains over the student alone lie above, below and around zero; then, of loud methods."""
    boards = list(boards)
    return [*(f"- **{escape(_name(board))}**: {_sides(board)}" for board in boards), *_loud(boards)]


def _name(board: Board) -> str:
    return f"{board.track.name}, {board.track.budget}"


def _sides(board: Board) -> str:
    """Sort the gains of a board by where their intervals lie."""
    known = [(row, row.gain.side) for row in board.rows if row.gain and row.gain.side is not None]
    if board.excluded:
        return f"takes no part: {escape(board.excluded)}"
    if not known:
        return "no gain has an interval."
    sides = {
        name: [row for row, side in known if side == wanted]
        for name, wanted in (("above zero", 1), ("below zero", -1), ("around zero", 0))
    }
    said = [f"{side}: {', '.join(map(_gain, rows))}" for side, rows in sides.items() if rows]
    slow = [row for row in board.rows if row.train_ratio is not None and row.train_ratio >= SLOW]
    costly = ", ".join(f"`{_label(row)}` {text.times(row.train_ratio)}" for row in slow if not row.entry.control)
    return "; ".join([*said, f"training time over the student alone's: {costly}"] if costly else said) + "."


def _loud(boards: Iterable[Board]) -> list[str]:
    """Count where gains under equal steps lie: of methods that pull much harder than the task loss, and of others."""
    fair = (board for board in boards if board.track.budget_kind == "steps" and not board.excluded)
    rows = [row for board in fair for row in board.rows if not row.entry.control]
    pulls = [(row.entry.loudness, row.gain.side if row.gain else None) for row in rows]
    known = [(pull, side) for pull, side in pulls if pull is not None and side is not None]
    loud, rest = [side for pull, side in known if pull >= LOUD], [side for pull, side in known if pull < LOUD]
    if not loud or not rest:
        return []
    head = f"gradients of the terms at least {LOUD:g} times the task loss's"
    return [f"- **Loudness**: {head}, {_counted(loud)}; smaller ones, {_counted(rest)}."]


def _counted(sides: Sequence[int]) -> str:
    places = (("above", 1), ("around", 0), ("below", -1))
    return f"{len(sides)} {'row' if len(sides) == 1 else 'rows'}: " + ", ".join(
        f"{sides.count(side)} {place} zero" for place, side in places
    )


def _label(row: Row) -> str:
    return text.clean(row.entry.label).replace("`", "")


def _gain(row: Row) -> str:
    return f"`{_label(row)}` {_numbers(row.gain)}"


def tuned(records: Sequence[TuningRecord]) -> list[str]:
    """Say how many of the strengths that were tuned lie at an edge of what was tried."""
    strengths = [record for record in records if record.parameter == "strength"]
    edge = [record for record in strengths if record.at_the_edge]
    upper = sum(record.chosen == max(trial.value for trial in record.trials) for record in edge)
    if not strengths:
        return []
    said = f"{len(edge)} of {len(strengths)} strengths lie at an edge of what was tried, {upper} at the upper"
    return [f"- **Tuning**: {said}."]


def _numbers(gain: Estimate | None) -> str:
    assert gain is not None
    places = text.decimals([gain.mean])
    return f"{text.number(gain.mean, places, sign=True)} {text.interval(gain, places, sign=True)}"


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
    lines = [f"{escape(_name(board))}: {figures}" for board, (figures, _) in found]
    proving = [(board.track.title, holds) for board, (_, holds) in found if board.track.proves]
    if not proving:
        why = "no records of both yet" if not found else "these records are of no protocol that compares methods"
        return f"{OPEN}: {why}", lines
    confirmed, rest = ([title for title, holds in proving if holds == wanted] for wanted in (True, False))
    if not confirmed:
        return "not confirmed here", lines
    return ("confirmed here" if not rest else f"confirmed here on {_list(confirmed)}, not on {_list(rest)}"), lines


def _held(claim: Claim, board: Board, values: Values) -> tuple[str, bool] | None:
    """Return the figures of a board and whether the claim holds there; None where it has not both sides."""
    if claim.near is not None:
        return _nearness(claim.method, claim.near, board)
    gain = _between(claim, board, values)
    return None if gain is None else (_numbers(gain.estimate), gain.estimate.side == 1)


def _nearness(method: str, near: float, board: Board) -> tuple[str, bool] | None:
    """Hold the score of a method against its teacher's, and the cost of its student against the teacher's."""
    row = next((row for row in board.rows if row.entry.label == method and not row.entry.failed), None)
    teacher = next((reference for reference in board.references if reference.main), None)
    if board.excluded or row is None or row.score is None or teacher is None or teacher.score is None:
        return None
    worse = row.score.low if board.track.higher_is_better else row.score.high
    if worse is None:
        return None
    short = teacher.score - worse if board.track.higher_is_better else worse - teacher.score
    places = text.decimals([row.score.mean, teacher.score])
    said = f"{text.number(row.score.mean, places)} {text.interval(row.score, places)}"
    said += f" against its teacher's {text.number(teacher.score, places)}"
    if row.entry.costs.macs and teacher.macs:
        said += f", with {text.number(100 * row.entry.costs.macs / teacher.macs, 1)} % of its multiply-adds"
    return said, short <= near * abs(teacher.score)


def _list(titles: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(titles))


def _fits(claim: Claim, board: Board) -> bool:
    track = board.track
    share = Fraction(track.labeled_count, track.labeled_total) if track.labeled_total else Fraction(1)
    return track.task in claim.tasks and (share < 1) == claim.few_labels and track.budget_kind == "steps"


def _between(claim: Claim, board: Board, values: Values) -> Gain | None:
    """Compare the two methods of a claim on a board, as gains over the control are; None where one has no interval."""
    if board.excluded:
        return None
    entries = {row.entry.label: row.entry for row in board.rows}
    method, over = entries.get(claim.method), entries.get(claim.over)
    if method is None or over is None or method.failed or over.failed:
        return None
    gain = compare(list(entries.values()), over, values, board.track.higher_is_better).gains.get(method.id)
    return gain if gain and gain.estimate.low is not None else None


def claims_page(claims: Sequence[Claim], boards: Sequence[Board], values: Values) -> str:
    """Write a page of claims with settings, numbers and verdicts, in Markdown."""
    lines = [
        "# What becomes of the papers' claims",
        "",
        "Made by `benchmark leaderboard claims` from records and a list of claims; a test holds this page to them.",
        "Differences are in units of the task's metric, + is better, with 95 % intervals. A claim is confirmed here",
        "where the interval lies above zero, under a protocol that is made to compare methods.",
    ]
    for claim in claims:
        verdict, numbers = judge(claim, boards, values)
        lines += ["", f"## {escape(claim.said)}", "", f"{escape(claim.source)}."]
        lines += [f"Our setting: {escape(claim.setting)}"] if claim.setting else []
        lines += ["", *(f"- {line}" for line in numbers)] if numbers else []
        lines += ["", f"**{escape(verdict)}**"]
    return "\n".join(lines) + "\n"
