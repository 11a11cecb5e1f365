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
from benchmark.conformance.kit import check_method, check_network, check_task, fitting, promises, usable
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
    for batch in _groups(chosen, further):
        fresh = [each for each in batch if each not in findings]
        _show_subjects(fresh, console)
        findings += fresh
    for each in findings if every else ():
        console.print(escape(f"{each.outcome:11}  {each}"), highlight=False)
    _show_faults(findings, console)
    return 0 if all(each.passed for each in findings) else 1


def _listed(word: str) -> list[str]:
    """Read one name or a list of them."""
    value = word.partition("=")[2].strip().removeprefix("[").removesuffix("]")
    return [each.strip() for each in value.split(",") if each.strip()]


def _groups(chosen: dict[str, list[str]], further: Sequence[str]) -> Iterator[list[Finding]]:
    """Check one subject after the other, so that a person sees how far it is."""
    if "student" in chosen:
        for task in chosen.get("task") or tasks:
            yield check_network(chosen["student"][0], task, methods=chosen.get("method"), words=further)
        return
    kind = next(iter(chosen))
    for name in chosen[kind]:
        if kind == "task":
            yield check_task(name, methods=chosen.get("method"), words=further)
            continue
        declared = check_method(name, tasks=[], words=further)
        yield declared
        if usable(declared):
            for task in chosen.get("task") or fitting(name, further):
                yield check_method(name, tasks=[task], words=further)


def _show_subjects(findings: Sequence[Finding], console: Console) -> None:
    """Print one line a subject: how many promises it keeps, and what was measured."""
    for subject in dict.fromkeys(each.subject for each in findings):
        own = [each for each in findings if each.subject == subject]
        count = Counter(each.outcome for each in own)
        parts = [f"{count['passed']} promises kept"]
        parts += [f"{count[kind]} {kind}" for kind in ("failed", "not checked") if count[kind]]
        parts += [f"{each.check}: {each.found}" for each in own if each.outcome == "measured"]
        console.print(escape(f"{subject}: {', '.join(parts)}"), highlight=False)


def _show_faults(findings: Sequence[Finding], console: Console) -> None:
    """Print every fault once, with the subjects that have it."""
    explained = promises()
    faults: dict[tuple[str, str, str], list[str]] = {}
    for each in findings:
        if not each.passed:
            faults.setdefault((each.check, each.found, each.fix), []).append(each.subject)
    for (check, found, fix), subjects in faults.items():
        console.print(f"[bold red]broken:[/] {escape(check)}", highlight=False)
        for label, text in (
            ("where", "; ".join(subjects)),
            ("promise", explained.get(check, "")),
            ("found", found),
            ("fix", fix),
        ):
            console.print(escape(f"  {label:8} {text}"), highlight=False)
