"""Where the rows of a board come from: the facts of their records, each said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboards.board import Board
from leaderboards.record import Record

Facts = dict[str, str]
HIDDEN = {"schema_version", "scores", "artifacts"}  # shown in the table, or of no use to a reader


@dataclass(frozen=True)
class Origin:
    """Facts that all runs of an entry share, and what is left of each run, by seed."""

    shared: Facts
    runs: tuple[Facts, ...]


def origins(board: Board) -> tuple[Facts, dict[str, Origin]]:
    """Return the facts that all runs of a board share, and the origin of each entry by its id."""
    entries = {row.entry.id: [facts(record) for record in row.entry.records] for row in board.rows}
    common, rest = split([run for runs in entries.values() for run in runs])
    remaining = iter(rest)
    entry_origins = {}
    for key, runs in entries.items():
        shared, singular = split([next(remaining) for _ in runs])
        entry_origins[key] = Origin(shared, tuple(singular))
    return common, entry_origins


def facts(record: Record) -> Facts:
    """Flatten a record to ``part.field -> text``, without scores, empty fields and the resolved configuration."""
    data = record.model_dump(mode="json", exclude=HIDDEN)
    data["provenance"].pop("config")
    data |= {"score": record.score}
    flat: Facts = {}
    _flatten("", data, flat)
    return flat


def split(runs: Sequence[Facts]) -> tuple[Facts, list[Facts]]:
    """Take out of mappings what all of them say alike."""
    if not runs:
        return {}, []
    shared = {key: value for key, value in runs[0].items() if all(run.get(key) == value for run in runs[1:])}
    return shared, [{key: value for key, value in run.items() if key not in shared} for run in runs]


def _flatten(prefix: str, value: Any, flat: Facts) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), item, flat)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            _flatten(f"{prefix}.{index}", item, flat)
    elif value not in (None, "", [], {}):
        flat[prefix] = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
