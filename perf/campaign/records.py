"""Records that are cut, of another schema, of a later version, or lie."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from leaderboards import store
from perf.campaign.case import Case
from perf.campaign.damage import Damage, cut, holding, put, swapped
from perf.campaign.finished import COHORT, copied, record_of
from perf.campaign.refusals import EXECUTED, Malformed

HUGE = 10**400


DAMAGED: dict[str, Damage] = {
    "of zero bytes": holding(b""),
    "cut in the middle": cut(0.5),
    "cut before its end": cut(0.99),
    "of bytes that are no text": holding(b"\xff\xfe\x00\xd8" * 40),
    "that is a list": holding(b"[]"),
    "that is nested 200 000 deep": holding(b"[" * 200_000),
    "of a later version": put(schema_version=3, invented={"a": 1}),
    "of version 0": put(schema_version=0),
    "with a key that there is not": put(invented=1),
    "without a key that must be": put(run_id=...),
    "with a word for a number": put(seed="seven"),
    "with a seed below zero": put(seed=-1),
    "with a status that there is not": put(status="perfect"),
    "with NaN for a number": swapped('"seed": 0', '"seed": NaN'),
    "with a number of 400 digits": put(dataset__n_test=HUGE),
    "with half a character": swapped('"seed_scheme": "', '"seed_scheme": "\\ud800'),
    "whose id leaves the folder": put(run_id="../../../tmp/evil"),
    "whose student leaves the folder": put(artifacts__student="../../../etc/passwd"),
    "whose student has a full path": put(artifacts__student="/etc/passwd"),
    "whose student is a folder": put(artifacts__student="runs"),
    "without a student": put(artifacts__student=None),
    "of a run that failed": put(status="failed", status_reason="x", scores__metrics={}),
    "without a configuration": put(provenance__config={}),
    "whose configuration names no task": put(provenance__config__task={}),
    "whose configuration names another task": put(provenance__config__task__name="no_such_task"),
    "whose student is a word": put(provenance__config__student="large"),
    "whose student has another option": put(provenance__config__student__no_such=1),
    "whose data is a number": put(provenance__config__data=5),
    "whose data has another option": put(provenance__config__data__no_such=1),
    "whose evaluation has another option": put(provenance__config__evaluation={"no_such": 1}),
    "whose precision there is not": put(provenance__config__numerics__precision="7"),
    "of another revision": put(provenance__config__revision=1),
    "whose task is a file of code": put(provenance__config__task__name="./evil.py:Evil"),
    "whose data is a file of code": put(provenance__config__data__name="./evil.py"),
    "whose student is a file of code": put(provenance__config__student={"network": "./evil.py:Evil", "weights": None}),
}
CHECKED = ("of another revision",)  # what verify alone refuses


def met(damage: Damage, command: list[str]) -> Callable[[Path], list[str]]:
    """Damage a good record, beside others, and have a command meet it."""

    def made(folder: Path) -> list[str]:
        (folder / "evil.py").write_text(f"open({EXECUTED!r}, 'w')\n")
        home = copied(folder / "home", *COHORT)
        path = home / store.RECORDS / f"{record_of(home, 'mgd').run_id}.json"
        damage(path)
        return [*command, str(path.relative_to(folder))]

    return made


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every damage, in a drawn order, met by ``verify`` or by ``export``."""
    found = list(DAMAGED.items())
    for name, damage in chance.sample(found, len(found)):
        verify = name in CHECKED or chance.random() < 0.5
        command = ["leaderboard", "verify"] if verify else ["export"]
        yield Malformed(f"a record {name}, {command[-1]}", met(damage, command), [".json"]).case()
