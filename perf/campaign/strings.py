"""Hostile strings in every text field of a record: shown as text in every format and on a terminal, or refused."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from leaderboards import store
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.write import write_boards
from perf.campaign.case import Case, require
from perf.campaign.finished import COHORT, finished, record_of
from perf.campaign.process import benchmark

Place = tuple[str | int, ...]


class Key(str):
    """The last part of a place that stands for the key itself, not for what lies below it."""


HOSTILE = {
    "HTML": "<script>window.x=1</script><img src=x onerror=alert(1)>\"'</title></script><!--",
    "Markdown": "[a](javascript:x) ![b](http://evil.example/x.png) `c` | **d** | <http://evil.example>\n# e\n| f |",
    "a formula of CSV": '=HYPERLINK("http://evil.example","x")',
    "another formula of CSV": "\t@SUM(1+1)*cmd|' /C calc'!A0",
    "ANSI": "\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b1m\x08\x08\r\u202eback",
    "a path": "../../../../../../tmp/campaign-escaped",
    "markup of Rich": "[bold red]x[/] [link=http://evil.example]y[/link] [/nothing] \\[z",
    "a template": "{{ 7*7 }} {% raw %} ${x} %(y)s {0.__class__}",
}
PLAIN = "plain words"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
FORMULA = re.compile(r"^[=+@\t\r]|^-(?!\d)")
MARKDOWN = re.compile(r"\]\(|<script|<img|<http|!\[|^# e|`c`", re.MULTILINE)


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every kind of string, put into every text field of a record."""
    for kind, text in HOSTILE.items():
        yield Case(kind, partial(_shown, text))


def _shown(text: str, folder: Path) -> None:
    """Make a record for every text field, hold what is refused and what boards, page and terminal show."""
    record = record_of(finished(*COHORT), "mgd").model_dump(mode="json")
    fields = list(texts(record))
    require(len(fields) > 150, f"only {len(fields)} texts and keys were found")
    homes = {name: folder / name for name in ("hostile", "plain")}
    accepted = 0
    for number, field in enumerate(fields):
        made = with_value(record, field, text, number, number)
        if made is None:
            continue
        accepted += 1
        for home, each in (
            (homes["hostile"], made),
            (homes["plain"], with_value(record, field, PLAIN, number, number)),
        ):
            if each is not None:
                store.write(each, home / store.RECORDS)
    require(accepted > 30, f"only {accepted} of {len(fields)} fields were taken")
    boards = {name: rendered(home) for name, home in homes.items()}
    _hold_csv(boards["hostile"]["csv"])
    _hold_markdown(boards["hostile"]["md"])
    json.loads(boards["hostile"]["json"], parse_constant=lambda name: require(False, f"{name} in JSON"))
    tags = [skeleton(boards[name]["html"]) for name in homes]
    require(tags[0] <= tags[1], f"elements that were not there: {sorted(tags[0] - tags[1])[:4]}")
    for name in ("md", "csv", "html", "svg"):
        more = set(CONTROL.findall(boards["hostile"][name])) - set(CONTROL.findall(boards["plain"][name]))
        require(not more, f"control characters in {name}: {sorted(more)}")
    for words in (["leaderboard", "validate"], ["leaderboard", "statements"], ["leaderboard", "verify"]):
        outcome = benchmark([*words, "hostile"], folder)
        require("Traceback" not in outcome.text, f"{words[-1]}: {outcome.tail}")
        require(not CONTROL.search(outcome.text), f"control characters on the terminal, {words[-1]}")
    require(not Path("/tmp/campaign-escaped").exists(), "a file was written outside")


def texts(value: Any, path: Place = ()) -> Iterator[Place]:
    """List the places of a JSON value that hold text or nothing, and its keys."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, Key(key))
            yield from texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:1]):
            yield from texts(item, (*path, index))
    elif isinstance(value, str) or value is None:
        yield path


def with_value(record: dict[str, Any], field: Place, value: Any, number: int, track: int) -> Record | None:
    """Put a value into a field of a record of another run and track; None where the schema refuses it."""
    made = json.loads(json.dumps(record))
    made["run_id"] = f"run{number:04d}"
    for key in ("entry_id", "track_id", "setting_id"):
        made[key] = f"{key[:3]}{track:04d}"
    node = made
    for key in field[:-1]:
        node = node[key]
    if isinstance(field[-1], Key):
        node[value] = node.pop(field[-1])
    else:
        node[field[-1]] = value
    try:
        return Record.parse(json.dumps(made))
    except RecordError:
        return None


def rendered(home: Path) -> dict[str, str]:
    """Write the boards of a home in every format and read them."""
    records, faults = store.read([home])
    paths = write_boards(records, home / "leaderboards", ("md", "csv", "json", "html", "svg"), faults, [home])
    return {path.suffix[1:]: path.read_text(encoding="utf-8") for path in paths}


def skeleton(page: str) -> set[str]:
    """Return the kinds of elements of a page, each with the names of its attributes."""
    found = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.add(f"{tag} {' '.join(sorted(name for name, _ in attrs))}")

    Reader().feed(page)
    return found


def _hold_csv(content: str) -> None:
    for line in csv.reader(io.StringIO(content)):
        for cell in line:
            require(not FORMULA.search(cell), f"a cell that begins a formula: {cell[:40]}")


def _hold_markdown(content: str) -> None:
    found = MARKDOWN.search(content)
    require(not found, f"Markdown syntax: {found and content[max(0, found.start() - 20) : found.end() + 20]}")
