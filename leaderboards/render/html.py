"""Boards as one self-contained HTML page that opens offline."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from leaderboards.board import Board
from leaderboards.budget_comparison import Comparison
from leaderboards.leaderboard import Leaderboard
from leaderboards.render import page_data, summary, text
from leaderboards.render.assets import libraries
from leaderboards.render.columns import Column, columns
from leaderboards.render.heat import heat
from leaderboards.track import Track, conditions, labels
from leaderboards.values import finite

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True)
class Section:
    """The boards of one task, dataset and labelled part, which differ in student, recipe or budget."""

    id: str
    track: Track
    boards: tuple[tuple[int, Board, list[Column]], ...]
    comparisons: tuple[tuple[Comparison, summary.Table], ...]


def render(page: Leaderboard) -> str:
    """Write a leaderboard as one HTML file with tables, charts, panels and provenance; nothing is fetched.

    Raises RecordError where the packages that carry the scripts are not installed.
    """
    from markupsafe import Markup

    scripts = {name: Markup(code) for name, code in libraries().items()}  # of packages, never of records
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            sections=_sections(page),
            matrices=[(matrix, summary.matrix_notes(matrix)) for matrix in page.matrices],
            records=sum(len(row.entry.records) for board in page.boards for row in board.rows),
            data=finite(page_data.payload(page)),
            libraries=scripts,
            legend=summary.LEGEND,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    """Build the template engine: every value is escaped, every unknown name an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("leaderboards.render", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":"), "sort_keys": False}
    environment.filters |= {"clean": text.clean, "labels": labels, "conditions": conditions}
    environment.globals |= {"heat": heat, "matrix_cell": summary.matrix_cell, "matrix_tail": summary.matrix_tail}
    return environment


def _sections(page: Leaderboard) -> list[Section]:
    groups: dict[tuple[Any, ...], list[tuple[int, Board, list[Column]]]] = defaultdict(list)
    for index, board in enumerate(page.boards):
        groups[page_data.scene(board.track)].append((index, board, columns(board)))
    sections = []
    for number, boards in enumerate(groups.values()):
        settings = {board.track.setting for _, board, _ in boards}
        shown = [comparison for comparison in page.comparisons if comparison.boards[0].track.setting in settings]
        tables = tuple((comparison, summary.budget_table(comparison)) for comparison in shown)
        sections.append(Section(f"section-{number}", boards[0][1].track, tuple(boards), tables))
    return sections
