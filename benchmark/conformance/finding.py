"""What a check finds, in words, and how a list of checks is gone through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

Outcome = Literal["passed", "failed", "not checked", "measured"]
Subject = TypeVar("Subject")


class Verdict(NamedTuple):
    """What one check says of one subject."""

    outcome: Outcome
    found: str  # in words
    fix: str = ""  # what to do about it, where the check failed


def kept(found: str) -> Verdict:
    """Say that a promise is kept."""
    return Verdict("passed", found)


def broken(found: str, fix: str) -> Verdict:
    """Say that a promise is broken, and what to do about it."""
    return Verdict("failed", found, fix)


@dataclass(frozen=True)
class Finding:
    """A verdict with its place: which check, on what."""

    check: str
    subject: str  # e.g. "method pixel on seg"
    outcome: Outcome
    found: str
    fix: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to mend; a check that was not made, or only measures, has no fault."""
        return self.outcome != "failed"

    def __str__(self) -> str:
        return f"{self.subject}, {self.check}: {self.found}" + (f"; fix: {self.fix}" if self.fix else "")


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """One promise: a function that looks whether it is kept, and the checks without which it would mislead."""

    run: Callable[[Subject], Verdict]
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The function's name, in words."""
        return self.run.__name__.replace("_", " ")

    @property
    def promise(self) -> str:
        """The first line of the function's docstring."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]


class Checks(list[Check[Subject]], Generic[Subject]):
    """Checks in their order; a decorator enters each, and names its premises."""

    def promise(self, *after: str) -> Callable[[Callable[[Subject], Verdict]], Callable[[Subject], Verdict]]:
        """Return the decorator that enters a check which would mislead unless the checks ``after`` hold."""

        def enter(run: Callable[[Subject], Verdict]) -> Callable[[Subject], Verdict]:
            self.append(Check(run, after))
            return run

        return enter


def examine(checks: Sequence[Check[Subject]], subject: Subject, label: str) -> list[Finding]:
    """Make every check, also after faults; one whose premises do not hold is "not checked", one that raises failed.

    Args:
        checks: in an order that has every premise before what rests on it.
        subject: what the checks look at.
        label: the subject in words.
    """
    findings: list[Finding] = []
    for check in checks:
        holding = {finding.check for finding in findings if finding.outcome in ("passed", "measured")}
        missing = [name for name in check.after if name not in holding]
        if missing:
            verdict = Verdict("not checked", f"it would say nothing before this holds: {', '.join(missing)}")
        else:
            verdict = _run(check, subject)
        findings.append(Finding(check.name, label, *verdict))
    return findings


def _run(check: Check[Any], subject: Any) -> Verdict:
    """Make a check; whatever it raises is a fault of what it looks at."""
    try:
        return check.run(subject)
    except Exception as error:  # a plugin may raise anything
        return broken(f"raised {type(error).__name__}: {error}", f"make this work: {check.promise}")
