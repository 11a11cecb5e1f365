"""What a campaign is made of: families of cases, each of which holds or is broken for a reason."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


class Broken(Exception):  # noqa: N818 - it is the outcome of a case
    """What must hold does not; the message says what was found."""


@dataclass(frozen=True)
class Case:
    """One fault: its name within the family, and what makes it, in an empty folder of its own; raises Broken."""

    id: str
    run: Callable[[Path], None]


@dataclass(frozen=True)
class Family:
    """Faults of one kind.

    Args:
        name: the word of ``--only``.
        fault: what happens.
        holds: what must hold.
        count: how many cases a campaign makes.
        cases: yields them, drawn from a generator, in an order whose first few are a fair sample; a family with a
            fixed list ends by itself.
    """

    name: str
    fault: str
    holds: str
    count: int
    cases: Callable[[random.Random], Iterator[Case]]


def require(holds: object, reason: str) -> None:
    """Raise Broken with a reason where something does not hold."""
    if not holds:
        raise Broken(reason)
