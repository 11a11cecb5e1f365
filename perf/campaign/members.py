"""A member of a cohort that raises, diverges, leaks memory, sleeps or meddles, and teachers that are no numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from leaderboards import store
from perf.campaign.case import Case, require
from perf.campaign.finished import CHEAP, finished, record_of
from perf.campaign.homes import require_sound, with_an_earlier_run, words
from perf.campaign.process import benchmark
from tests.support import student_bytes

OTHERS = ("none", "pixel")
SOURCE = '''
"""A method that misbehaves."""

import sys
import time

import numpy as np
import torch

from methods.base import SUPERVISED, Method

held = []


class Bad(Method):
    """Misbehaves."""

    title = "bad"
    paper = "none"

    def __init__(self, setting):
        super().__init__(setting)
        self.weights["mine"] = 1.0
        self.layer = torch.nn.Linear(4, 4)
        self.begin()

    def begin(self):
        """Do nothing."""

    def forward(self, step):
        """Return the terms."""
        student, teacher = step.student(step.labeled), step.teacher(step.labeled)
        terms = {SUPERVISED: step.supervised(), "mine": self.output.divergence(student, teacher)}
        if step.index == 2:
            self.misbehave(step, terms)
        return terms

    def misbehave(self, step, terms):
        """Do nothing."""

'''
RAISES, DIVERGES, ENDS = ("failed",), ("diverged",), ("ok", "failed")
STEP = "misbehave(self, step, terms)"
BAD: dict[str, tuple[str, str, tuple[str, ...]]] = {  # what it does -> the function, its body, how its record may end
    "raises when it is built": ("begin(self)", "raise RuntimeError('not today')", RAISES),
    "returns no terms": ("forward(self, step)", "return None", RAISES),
    "raises": (STEP, "raise ValueError('no\\nmore')", RAISES),
    "leaves the process": (STEP, "sys.exit(3)", RAISES),
    "runs out of memory": (STEP, "torch.empty(1 << 50)", RAISES),
    "changes a teacher's prediction": (STEP, "step.teacher(step.labeled).maps[0].zero_()", RAISES),
    "changes the batch": (STEP, "step.labeled.image.zero_()", RAISES),
    "diverges": (STEP, "terms['mine'] = terms['mine'] * float('nan')", DIVERGES),
    "grows beyond all numbers": (STEP, "terms['mine'] = terms['mine'] * 1e38 * 1e38", DIVERGES),
    "leaks memory": (STEP, "held.append(torch.ones(50_000_000))", ENDS),
    "sleeps": (STEP, "time.sleep(3)", ENDS),
    "seeds everything anew": (STEP, "torch.manual_seed(5); np.random.seed(5); __import__('random').seed(5)", ENDS),
    "computes in float64 from now on": (STEP, "torch.set_default_dtype(torch.float64)", ENDS),
    "turns gradients off": (STEP, "torch.set_grad_enabled(False)", ENDS + DIVERGES),
}


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield members that misbehave, then teachers that are no numbers."""
    yield Case("a teacher that diverges", _teacher)
    for name in chance.sample(list(BAD), len(BAD)):
        yield Case(f"a member that {name}", partial(_member, *BAD[name]))


def _member(function: str, body: str, statuses: tuple[str, ...], folder: Path) -> None:
    """Train a member that misbehaves before two that do not; these must end with the bytes that they have alone."""
    (folder / "bad.py").write_text(f"{SOURCE}    def {function}:\n        {body}\n")
    home = with_an_earlier_run(folder / "home")
    outcome = benchmark(words("home", CHEAP, f"method=[./bad.py:Bad,{','.join(OTHERS)}]"), folder)
    require("Traceback" not in outcome.text, f"traceback: {outcome.tail}")
    found = record_of(home, "bad")
    require(found.status in statuses, f"recorded as {found.status}: {found.status_reason}")
    require(outcome.code == (0 if found.status == "ok" else 1), f"exit code {outcome.code}: {outcome.tail}")
    require(found.status == "ok" or found.status_reason, "no reason in the record")
    alone = finished(CHEAP, f"method=[{','.join(OTHERS)}]")
    for name in OTHERS:
        mine, expected = record_of(home, name), record_of(alone, name)
        require(mine.status == "ok", f"{name} {mine.status}: {mine.status_reason}")
        require(student_bytes(home, mine) == student_bytes(alone, expected), f"{name}: other bytes than alone")
        require(mine.scores == expected.scores, f"{name}: other scores than alone")
    require_sound(home)


def _teacher(folder: Path) -> None:
    """Train a teacher at a rate that makes it diverge: every run is recorded as failed, with the reason."""
    home = with_an_earlier_run(folder / "home")
    outcome = benchmark(words("home", CHEAP, "method=[none,pixel]", "teacher.recipe.lr=1e30"), folder)
    require("Traceback" not in outcome.text, f"traceback: {outcome.tail}")
    require(outcome.code == 1, f"exit code {outcome.code}: {outcome.tail}")
    records = [record for record in store.read([home])[0] if record.provenance.config]
    require([record.status for record in records] == ["failed"] * 2, f"recorded as {[r.status for r in records]}")
    require(all("teacher" in record.status_reason for record in records), f"reason: {records[0].status_reason}")
