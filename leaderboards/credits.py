"""Whom a board builds on: papers, addresses and licences of its methods and data, as their records give them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from leaderboards.board import Board
from leaderboards.record_parts import Dataset, MethodPart


@dataclass(frozen=True, order=True)
class Credit:
    """A method or dataset and where it comes from; what is unknown is empty."""

    kind: Literal["dataset", "method"]
    name: str
    title: str = ""
    paper: str = ""
    reference: str = ""
    license: str = ""

    @property
    def known(self) -> bool:
        """Whether there is anything to quote."""
        return bool(self.paper or self.reference or self.license)

    @property
    def parts(self) -> tuple[str, ...]:
        """What is quoted, in the order in which people read it."""
        licence = f"licence {self.license}" if self.license else ""
        return tuple(filter(None, (self.title, self.paper, self.reference, licence)))


def credits(boards: Iterable[Board]) -> tuple[Credit, ...]:
    """List the methods and datasets of boards that name a paper, an address or a licence, each once: methods first.

    The student alone is nobody's method and is not listed.
    """
    rows = [row for board in boards for row in board.rows]
    methods = {_method(record.method) for row in rows if not row.entry.alone for record in row.entry.records}
    datasets = {_dataset(record.dataset) for row in rows for record in row.entry.records}
    return tuple(credit for group in (methods, datasets) for credit in sorted(group) if credit.known)


def _method(part: MethodPart) -> Credit:
    return Credit("method", part.name, part.title, part.paper, part.reference, part.license)


def _dataset(part: Dataset) -> Credit:
    return Credit("dataset", part.name, reference=part.reference, license=part.license)
