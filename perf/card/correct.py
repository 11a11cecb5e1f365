"""Is it right: every cell, first-step terms against the CPU, together and alone, resumed, and with equal bits."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from deterministic import cost

from benchmark.training.device import CUBLAS_WORKSPACE
from card.bench import Bench, Row, Rows, distance, every, finish, weights


class Killed(BaseException):
    """Stands for the end of a process."""


def measurements(bench: Bench) -> Rows:
    """Every cell in both precisions; bits; what determinism costs.

    cuBLAS asks for its workspace once a process: here it is the reproducible one throughout.
    """
    os.environ.setdefault(CUBLAS_WORKSPACE, ":4096:8")
    for task in bench.tasks:
        yield partial(first_terms, bench, task)
        for precision in ("32", "bf16"):
            yield partial(cells, bench, task, precision)
    for deterministic in ("false", "true"):
        yield partial(reproduction, bench, deterministic)
    yield partial(cost_of_determinism, bench)


def first_terms(bench: Bench, task: str) -> Row:
    """Hold every term of the first step against the CPU's: the largest distance, as a share of the term."""
    words = (f"task={task}", every(bench.methods), "recipe.steps=1", "teacher.control=untrained")
    here, there = (bench.train(*words, f"device={kind}") for kind in ("cpu", bench.device.type))
    apart = {
        f"{own.name}.{term}": abs(other.signals.first_terms[term] - value) / max(abs(value), 1e-4)
        for own, other in zip(here.members, there.members, strict=True)
        for term, value in own.signals.first_terms.items()
        if other.active
    }
    worst = max(apart, key=apart.__getitem__)
    return {"first terms against the CPU": task, "terms": len(apart), "furthest": worst, "apart": apart[worst]}


@contextmanager
def watched(bench: Bench) -> Iterator[None]:
    """Let everything that waits for the card warn."""
    if not bench.is_card:
        yield
        return
    torch.cuda.set_sync_debug_mode("warn")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def cells(bench: Bench, task: str, precision: str) -> Row:
    """Train all methods, and count what waited for the device."""
    cohort = bench.prepare(f"task={task}", every(bench.methods), f"precision={precision}")
    with warnings.catch_warnings(record=True) as seen, watched(bench):
        warnings.simplefilter("always")
        finish(cohort)
    waits = [each for each in seen if "synchroniz" in str(each.message)]
    faults = {each.name: each.reason for each in cohort.members if not each.active}
    peaks = {each.name: round(cohort.memory.figure(each, len(cohort.members))[0]) for each in cohort.members}
    return {"cells": task, "precision": precision, "cohort steps/s": cohort.recipe.steps / cohort.seconds,
            "waits a step": len(waits) / bench.steps, "MiB": peaks, "faults": faults}  # fmt: skip


def reproduction(bench: Bench, deterministic: str) -> Row:
    """How far apart are two trainings alone, alone and in the cohort, whole and killed halfway?"""
    words = ("task=seg", f"deterministic={deterministic}")
    together = weights(bench.train(*words, every(bench.methods)))["mgd"]
    first, second = (weights(bench.train(*words, "method=mgd"))["mgd"] for _ in range(2))
    cut = resumed(bench, *words)
    return {"deterministic": deterministic, "alone-alone": distance(first, second),
            "alone-cohort": distance(first, together), "whole-resumed": distance(first, cut)}  # fmt: skip


def resumed(bench: Bench, *words: str) -> torch.Tensor:
    """The weights after a training that was killed halfway, and went on."""
    words = (*words, "method=mgd", "save_every=0")
    cohort = bench.prepare(*words)
    whole = cohort.batches

    def cut(start: int) -> Iterator[object]:
        for index, batches in enumerate(whole(start), start):
            if index == bench.steps // 2:
                raise Killed
            yield batches

    cohort.batches = cut
    try:
        cohort.train()
    except Killed:
        again = bench.prepare(*words)
        assert again.start == bench.steps // 2
        return weights(finish(again))["mgd"]
    raise AssertionError("it was not killed")


def cost_of_determinism(bench: Bench) -> Row:
    """What deterministic=true costs: the ratio of seconds, by task."""
    rounds, steps = (1, 2) if bench.tiny else (3, 20)
    chosen = [task for task in ("seg", "det") if task in bench.tasks]
    ratios = {task: cost(bench.words(f"task={task}", every(bench.methods)), steps, rounds) for task in chosen}
    return {f"deterministic=true over false, {task}": ratio for task, ratio in ratios.items()}
