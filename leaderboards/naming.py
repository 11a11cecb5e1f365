"""What entries are called: on one board, and over several, where one configuration of a method is one row."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from leaderboards.record import Record

OWN_STRENGTH = ("strength", 1.0)  # the option of every method that learns from teachers, and what leaves it as it is
SHORT = 6  # characters of a hash
VERSION, HASH = "version", "hash"  # what sets entries apart where options do not


@dataclass(frozen=True)
class Configuration:
    """A method and variant, and what may set entries of them apart, as text: options, version, hash."""

    base: str
    said: tuple[tuple[str, str], ...]

    def adding(self, name: str, value: str) -> Configuration:
        """Return it with one thing more that sets it apart."""
        return replace(self, said=(*self.said, (name, value)))

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What equal configurations have in common, whatever the order of options."""
        return self.base, frozenset(self.said)


def base(record: Record) -> str:
    """Return method and variant of a run: ``mgd``, or ``mgd (self teacher)``."""
    method = record.method
    return f"{method.name} ({method.variant})" if method.variant else method.name


def strengthened(record: Record) -> bool:
    """Say whether a method was given a strength that is neither its own nor tuned."""
    name, own = OWN_STRENGTH
    return record.method.options.get(name, own) != own and record.protocol.tuning is None


def short(identifier: str) -> str:
    """Return the start of the hash that an id ends with: what comes before it, ids have in common."""
    return identifier.rsplit("-", 1)[-1][:SHORT]


def on_board(firsts: Mapping[str, Record]) -> dict[str, str]:
    """Name the entries of one board, by id, from one record each."""
    return _names([firsts], _configuration)[0]


def over_boards(boards: Sequence[Mapping[str, Record]]) -> list[dict[str, str]]:
    """Name the entries of several boards, by id, a board each: what has one name is one configuration.

    A tuned strength, another one on every board, is called so; a strength of 1, a method's own weights, goes without
    saying. Versions set entries apart only where options do not on some board.
    """
    return _names(boards, _joint)


def _configuration(record: Record) -> Configuration:
    given = {name: value for name, value in record.method.options.items() if (name, value) != OWN_STRENGTH}
    said = ((name, json.dumps(value, ensure_ascii=False)) for name, value in given.items())
    return Configuration(base(record), tuple(said))


def _joint(record: Record) -> Configuration:
    """Return the configuration without the value of a strength that was tuned."""
    made, (strength, _) = _configuration(record), OWN_STRENGTH
    if record.protocol.tuning is None or strength not in record.method.options:
        return made
    kept = tuple((name, value) for name, value in made.said if name != strength)
    return replace(made, said=kept).adding(strength, "tuned")


def _names(
    records: Sequence[Mapping[str, Record]], configure: Callable[[Record], Configuration]
) -> list[dict[str, str]]:
    """Write out, beside method and variant, what differs from any other configuration of them."""
    boards = [{key: configure(record) for key, record in board.items()} for board in records]
    tellers: dict[str, Callable[[str, Record], str]] = {
        VERSION: lambda _, record: record.method.origin,
        HASH: lambda key, _: short(key),
    }
    for option, tell in tellers.items():
        twice = {key for board in boards for key, count in _counted(board).items() if count > 1}
        boards = [
            {
                key: made.adding(option, tell(key, known[key])) if made.key in twice else made
                for key, made in board.items()
            }
            for board, known in zip(boards, records, strict=True)
        ]
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for board in boards:
        for made in board.values():
            groups[made.base].append(dict(made.said))
    return [{key: _name(made, groups[made.base]) for key, made in board.items()} for board in boards]


def _counted(board: Mapping[str, Configuration]) -> Counter[tuple[str, frozenset[tuple[str, str]]]]:
    return Counter(made.key for made in board.values())


def _name(made: Configuration, namesakes: Sequence[Mapping[str, str]]) -> str:
    apart = [(option, value) for option, value in made.said if any(each.get(option) != value for each in namesakes)]
    return made.base + "".join(f" [{value}]" if option == HASH else f" {option}={value}" for option, value in apart)
