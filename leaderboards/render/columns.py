"""The columns of a track's table, shared by the formats that people read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leaderboards.board import Board, Row
from leaderboards.paired import SEEDS
from leaderboards.render import text
from leaderboards.track import Reference

SUITE = "densedistill"  # the distribution of the built-in methods


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the number that it is sorted by (None sorts last)."""

    text: str
    order: float | None = None


@dataclass(frozen=True)
class Column:
    """A column: title, a sentence that explains it, how a row and a teacher fill it, what it holds."""

    title: str
    help: str
    row: Callable[[Row], Cell]
    reference: Callable[[Reference], Cell]
    numeric: bool = True
    names: bool = False  # whether it says which row it is


def columns(board: Board) -> list[Column]:
    """Return the columns of a board, the ones that rank first."""
    return [*_identity(), *_score(board), *_seeds(board), *_others(board), *_costs(board), *_origin(board), *_trust()]


def brief(board: Board) -> list[Column]:
    """Return what a terminal has room for: method, score, gain, size, training time, status."""
    *_, label = _identity()
    score, _, gain, *_ = _score(board)
    params, macs, *_ = _costs(board)
    status, _ = _trust()
    return [label, score, gain, params, macs, _training_time(), status]


def _nothing(_: Reference) -> Cell:
    return Cell(text.DASH)


def _identity() -> list[Column]:
    def rank(row: Row) -> Cell:
        return Cell(text.DASH if row.rank is None else f"{row.rank} {row.group}".strip(), row.rank)

    def ranks(row: Row) -> Cell:
        return Cell(
            text.DASH if row.bounds is None else f"{row.bounds[0]}–{row.bounds[1]}", row.bounds and row.bounds[0]
        )

    def label(row: Row) -> Cell:
        return Cell(text.clean(row.entry.label) + (" (control)" if row.entry.control else ""))

    def reference(teacher: Reference) -> Cell:
        return Cell(text.clean(teacher.label))

    return [
        Column("#", "Rank; entries that cannot be told apart from their leader share its letter.", rank, _nothing),
        Column("ranks", "Ranks that comparing all pairs leaves open, Holm over pairs, 95 %.", ranks, _nothing),
        Column("method", "Method, and the options that set it apart.", label, reference, False, names=True),
    ]


def _seeds(board: Board) -> list[Column]:
    def seeds(row: Row) -> Cell:
        done, expected = len(row.entry.scores), len(board.seeds)
        return Cell(str(done) if done == expected else f"{done}/{expected}", done)

    return [Column("seeds", "Finished seeds, of all seeds of the track.", seeds, _nothing)]


def _score(board: Board) -> list[Column]:
    track = board.track
    means = [row.score.mean for row in board.rows if row.score]
    places = text.decimals([*means, *(teacher.score for teacher in board.references)])
    title = f"{text.clean(track.primary)} {text.arrow(track.higher_is_better)}"

    def score(row: Row) -> Cell:
        return Cell(text.spread(row.score, places), row.score.mean if row.score else None)

    def bounds(row: Row) -> Cell:
        return Cell(text.interval(row.score, places), row.score.low if row.score else None)

    def gain(row: Row) -> Cell:
        if row.gain is None:
            return Cell(text.DASH)
        mean, ends = text.number(row.gain.mean, places, sign=True), text.interval(row.gain, places, sign=True)
        return Cell(mean if ends == text.DASH else f"{mean} {ends}", row.gain.mean)

    def p(row: Row) -> Cell:
        return Cell(text.number(row.p_holm, 3), row.p_holm)

    def gap(row: Row) -> Cell:
        return Cell(text.percent(row.gap), row.gap.mean if row.gap else None)

    def reference(teacher: Reference) -> Cell:
        return Cell(text.number(teacher.score, places), teacher.score)

    closed = "Part of the gap between control and teacher that is closed; over seeds, the teachers' mean as it is."
    return [
        Column(title, "Primary metric on the test split: mean ± standard deviation over seeds.", score, reference),
        Column("95 % interval", "Student's t interval of the mean over seeds.", bounds, _nothing),
        Column("gain", f"Difference to the control, + is better; 95 % interval over {_over(board)}.", gain, _nothing),
        Column("p (Holm)", "Of no gain, two-sided, corrected for the gains of the board.", p, _nothing),
        Column("gap recovered", closed, gap, _nothing),
    ]


def _over(board: Board) -> str:
    """Say what the intervals of gains are over: what those of all methods are, and of controls where there is none."""
    methods = {row.over for row in board.rows if row.over and not row.entry.control}
    said = methods or {row.over for row in board.rows if row.over}
    return said.pop() if len(said) == 1 else SEEDS


def _others(board: Board) -> list[Column]:
    return [_other(board, name, higher) for name, higher in board.metrics.items()]


def _other(board: Board, name: str, higher_is_better: bool) -> Column:
    means = [row.metrics[name].mean for row in board.rows if name in row.metrics]
    places = text.decimals([*means, *(teacher.metrics.get(name) for teacher in board.references)])

    def value(row: Row) -> Cell:
        metric = row.metrics.get(name)
        return Cell(text.spread(metric, places), metric.mean if metric else None)

    def reference(teacher: Reference) -> Cell:
        return Cell(text.number(teacher.metrics.get(name), places), teacher.metrics.get(name))

    title = f"{text.clean(name)} {text.arrow(higher_is_better)}"
    return Column(title, "Mean ± standard deviation over seeds.", value, reference)


def _costs(board: Board) -> list[Column]:
    def latency(row: Row) -> Cell:
        costs = row.entry.costs
        slow = f" ({text.measured(costs.latency_ms_p95)})" if costs.latency_ms_p95 is not None else ""
        return Cell(text.measured(costs.latency_ms_p50) + slow, costs.latency_ms_p50)

    def training(row: Row) -> Cell:
        return Cell(text.times(row.train_ratio), row.train_ratio)

    return [
        Column(
            "params",
            "Parameters of the deployed student.",
            lambda row: Cell(text.quantity(row.entry.costs.params), row.entry.costs.params),
            lambda teacher: Cell(text.quantity(teacher.params), teacher.params),
        ),
        Column(
            "MACs",
            "Multiply-accumulates of one forward pass, batch 1.",
            lambda row: Cell(text.quantity(row.entry.costs.macs), row.entry.costs.macs),
            lambda teacher: Cell(text.quantity(teacher.macs), teacher.macs),
        ),
        Column("latency ms", "Median (95th percentile) of one forward pass, milliseconds.", latency, _nothing),
        *_deployment(board),
        Column("training", "Training time, alone, over the control's.", training, _nothing),
        *_loudness(board),
    ]


def _deployment(board: Board) -> list[Column]:
    """Speed and memory of networks in use; records of earlier versions do not have them."""
    if all(row.entry.costs.images_per_s is None for row in board.rows):
        return []
    main = next((teacher.images_per_s for teacher in board.references if teacher.main), None)

    def speed(row: Row) -> Cell:
        costs = row.entry.costs
        faster = f" ({text.times(costs.images_per_s / main)})" if costs.images_per_s and main else ""
        return Cell(_speed(costs.latency_ms_p50, costs.images_per_s) + faster, costs.images_per_s)

    return [
        Column(
            "images/s",
            "Images a second: at batch 1; at batch 32, or fewer of more pixels; the latter over the main teacher's.",
            speed,
            lambda teacher: Cell(_speed(teacher.latency_ms_p50, teacher.images_per_s), teacher.images_per_s),
        ),
        Column(
            "activations",
            "MiB that a forward pass at batch 1 holds at most, without weights and input.",
            lambda row: Cell(text.measured(row.entry.costs.activation_mb), row.entry.costs.activation_mb),
            lambda teacher: Cell(text.measured(teacher.activation_mb), teacher.activation_mb),
        ),
    ]


def _loudness(board: Board) -> list[Column]:
    """How hard methods pull; records of earlier versions do not have it."""
    if all(row.entry.loudness is None for row in board.rows):
        return []

    def loud(row: Row) -> Cell:
        return Cell(text.times(row.entry.loudness), row.entry.loudness)

    help_ = "Gradient norms of the method's terms over the task loss's, added; median over steps and seeds."
    return [Column("loudness", help_, loud, _nothing)]


def _speed(latency_ms: float | None, images_per_s: float | None) -> str:
    """Write the images a second of one at a time, and of many."""
    if not latency_ms or images_per_s is None:
        return text.DASH
    return f"{text.significant(1000 / latency_ms)} / {text.significant(images_per_s)}"


def _training_time() -> Column:
    def training(row: Row) -> Cell:
        return Cell(text.seconds(row.entry.costs.train_s), row.entry.costs.train_s)

    return Column("training", "Training time, alone.", training, _nothing)


def _origin(board: Board) -> list[Column]:
    """Where the code of a row comes from, if any is not of this suite."""

    def origin(row: Row) -> Cell:
        return Cell(text.clean(row.entry.records[0].method.origin) or text.DASH)

    if all(row.entry.records[0].method.package in ("", SUITE) for row in board.rows):
        return []
    help_ = "Distribution and version, or file and start of its SHA-256, that the method comes from."
    return [Column("origin", help_, origin, _nothing, False)]


def _trust() -> list[Column]:
    def status(row: Row) -> Cell:
        return Cell(row.entry.status.replace("_", " "))

    def level(row: Row) -> Cell:
        return Cell(row.entry.level if row.entry.reproduced else "not reproduced")

    return [
        Column("status", "What became of the runs.", status, lambda _: Cell("reference"), False),
        Column("verified", "L0 self-reported to L4 trained again by the maintainers.", level, _nothing, False),
    ]
