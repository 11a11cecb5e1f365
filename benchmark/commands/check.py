"""``benchmark check``: a method, a task or a network against the suite's promises, in words."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from rich.console import Console
from rich.markup import escape

from benchmark.config import compose
from benchmark.conformance.finding import Finding
from benchmark.conformance.kit import check_network, check_task, examine_method, promises
from tasks.base import tasks
from tasks.errors import InputError

KINDS = ("method", "task", "student")


def check(words: Sequence[str], every: bool, console: Console) -> int:
    """Check what the words name, print what is found, and return 0 where every promise is kept, else 1.

    ``student=`` says that a network is checked, on the task; else the first of ``method=`` and ``task=`` says what is
    checked, the other one with what.
    """
    compose.check_words(words)
    chosen = {key: _listed(word) for word in words if (key := word.partition("=")[0]) in KINDS}
    if not chosen:
        raise InputError(
            "nothing to check: expected method=NAME, task=NAME or student=NAME, e.g. benchmark check method=pixel"
        )
    further = [word for word in words if word.partition("=")[0] not in KINDS]
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces half precision
    torch.set_num_threads(1)  # tiny networks gain nothing from threads
    findings: list[Finding] = []
    for group in _groups(chosen, further):
        _show_subjects(group, console)
        findings += group
    for finding in findings if every else ():
        console.print(escape(f"{finding.outcome:11}  {finding}"), highlight=False)
    _show_faults(findings, console)
    return 0 if all(finding.passed for finding in findings) else 1


def _listed(word: str) -> list[str]:
    """Read one name or a list of them."""
    value = word.partition("=")[2].strip().removeprefix("[").removesuffix("]")
    return [name.strip() for name in value.split(",") if name.strip()]


def _groups(chosen: dict[str, list[str]], further: Sequence[str]) -> Iterator[Sequence[Finding]]:
    """Check one subject after the other, so that a person sees how far it is."""
    if "student" in chosen:
        for task in chosen.get("task") or tasks:
            yield check_network(chosen["student"][0], task, methods=chosen.get("method"), words=further)
        return
    kind = next(iter(chosen))
    for name in chosen[kind]:
        if kind == "task":
            yield check_task(name, methods=chosen.get("method"), words=further)
        else:
            yield from examine_method(name, chosen.get("task"), further)


def _show_subjects(findings: Sequence[Finding], console: Console) -> None:
    """Print one line a subject: how many promises it keeps, and what was measured."""
    for subject in dict.fromkeys(finding.subject for finding in findings):
        about = [finding for finding in findings if finding.subject == subject]
        count = Counter(finding.outcome for finding in about)
        parts = [f"{count['passed']} promises kept"]
        parts += [f"{count[kind]} {kind}" for kind in ("failed", "not checked") if count[kind]]
        parts += [f"{finding.check}: {finding.found}" for finding in about if finding.outcome == "measured"]
        console.print(escape(f"{subject}: {', '.join(parts)}"), highlight=False)


def _show_faults(findings: Sequence[Finding], console: Console) -> None:
    """Print every fault once, with the subjects that have it."""
    explained = promises()
    faults: dict[tuple[str, str, str], list[str]] = {}
    for finding in findings:
        if not finding.passed:
            faults.setdefault((finding.check, finding.found, finding.fix), []).append(finding.subject)
    for (check, fault, fix), subjects in faults.items():
        console.print(f"[bold red]broken:[/] {escape(check)}", highlight=False)
        told = {"where": "; ".join(subjects), "promise": explained.get(check, ""), "found": fault, "fix": fix}
        for label, text in told.items():
            console.print(escape(f"  {label:8} {text}"), highlight=False)
