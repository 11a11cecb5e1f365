"""What a terminal says of records at fault."""

import io

from rich.console import Console

from benchmark.commands.faults import show_faults
from leaderboards.store import Fault

BAD = Fault("a/bad.json", "not a record")
TWICE = [Fault(f"b/{seed}.json", "was read before", "duplicate", f"a/{seed}.json") for seed in range(3)]


def said(*faults):
    file = io.StringIO()
    show_faults(faults, Console(file=file, width=200))
    return file.getvalue().splitlines()


def test_nothing_is_said_of_no_fault():
    assert said() == []


def test_a_fault_is_a_line():
    assert said(BAD, TWICE[0]) == [
        "warning: a/bad.json: unreadable: not a record",
        "warning: b/0.json: duplicate: was read before (a/0.json)",
    ]


def test_runs_that_two_homes_share_are_one_line():
    assert said(*TWICE, BAD) == [
        "warning: a/bad.json: unreadable: not a record",
        "warning: 3 runs were read twice, without a contradiction; the first is b/0.json",
    ]
