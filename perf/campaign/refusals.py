"""What a malformed input must lead to: one line that names it and how to mend it, exit code 2, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perf.campaign.case import Case, require
from perf.campaign.homes import snapshot
from perf.campaign.process import Outcome, benchmark

SAID = re.compile(r"^(error|fault): ", re.MULTILINE)
MENDS = ("; ", "expected", "did you mean", "known:", "install")  # how a message says what to do
EXECUTED = "executed"  # a file that code hidden in an input writes, in the folder of the command


@dataclass(frozen=True)
class Malformed:
    """One malformed input.

    Args:
        id: what is wrong.
        write: makes the input in a folder, and returns the words of the command that meets it.
        names: what the message must contain, of which the input's name is one.
    """

    id: str
    write: Callable[[Path], list[str]]
    names: Sequence[str]

    def case(self) -> Case:
        """Return the case: the command, and what must hold of it."""
        return Case(self.id, self._run)

    def _run(self, folder: Path) -> None:
        words = self.write(folder)
        before = snapshot(folder)
        outcome = benchmark(words, folder)
        require_refused(outcome, self.names)
        require(not (folder / EXECUTED).exists(), "code was executed")
        after = snapshot(folder)
        harmed = sorted(name for name in before if after.get(name) != before[name])
        require(not harmed, f"changed or lost: {', '.join(harmed[:4])}")


def require_refused(outcome: Outcome, names: Sequence[str]) -> None:
    """Hold the end of a command against what a malformed input must lead to."""
    require("Traceback" not in outcome.text, f"traceback: {outcome.tail}")
    require(outcome.code == 2, f"exit code {outcome.code}: {outcome.tail}")
    lines = [line for line in outcome.text.splitlines() if SAID.match(line)]
    require(lines, f"no line of an error: {outcome.tail}")
    errors = [line for line in lines if line.startswith("error: ")]
    last = outcome.text.rstrip().splitlines()[-1]
    require(not errors or errors == [last], f"more than one line: {outcome.tail}")
    for name in names:
        require(any(name in line for line in lines), f"'{name}' is not named: {lines[0]}")
    require(any(mark in line for line in lines for mark in MENDS), f"no way to mend it: {lines[0]}")
