"""How far does it scale: processes side by side on one card, big images, a sweep from end to end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from card.bench import Bench, Row, Rows, every

MPS = "nvidia-cuda-mps-control"  # lets processes compute on a card at the same time, not in turns


def measurements(bench: Bench) -> Rows:
    for shared in (False, True) if shutil.which(MPS) else (False,):
        for count in (1, 2) if bench.tiny else (1, 4, 8, 15):
            yield partial(processes, bench, count, shared)
    if not bench.tiny:
        yield partial(big, bench)
    yield partial(sweep, bench)


@contextmanager
def environment(shared: bool) -> Iterator[dict[str, str]]:
    """The environment of processes, which share the card by a daemon of their own where asked for."""
    if not shared:
        yield dict(os.environ)
        return
    with tempfile.TemporaryDirectory() as pipe:
        with_mps = {**os.environ, "CUDA_MPS_PIPE_DIRECTORY": pipe, "CUDA_MPS_LOG_DIRECTORY": pipe}
        subprocess.run([MPS, "-d"], env=with_mps, check=True)
        try:
            yield with_mps
        finally:
            subprocess.run([MPS], input=b"quit\n", env=with_mps, check=True)


def processes(bench: Bench, count: int, shared: bool) -> Row:
    """Runs of one seed each, started together."""
    words = bench.words("task=seg", "method=none", "recipe.steps=3" if bench.tiny else "recipe.steps=200")
    first = 1000 * (1 + count + 100 * shared)  # seeds that nobody has run
    start = time.perf_counter()
    with environment(shared) as environ:
        command = [sys.executable, "-m", "benchmark", "run", *words]
        jobs = [
            subprocess.Popen([*command, f"seed={first + i}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             env=environ) for i in range(count)
        ]  # fmt: skip
        faults = [job.communicate()[1].decode()[-200:] for job in jobs]
    seconds = time.perf_counter() - start
    faults = [fault for fault, job in zip(faults, jobs, strict=True) if job.returncode]
    return {
        "processes": count,
        "MPS": shared,
        "faults": faults,
        "seconds": seconds,
        "runs/minute": 60 * count / seconds,
    }


def big(bench: Bench) -> Row:
    """All methods on crops of 512x1024."""
    words = ("task=seg", every(bench.methods), "precision=bf16", "data.size=1024", "recipe.crop=[512,1024]")
    cohort = bench.train(*words, "recipe.batch=4", "recipe.steps=6", "data.train=16", "teacher.recipe.batch=4")
    faults = {each.name: each.reason for each in cohort.members if not each.active}
    return {
        "cohort at 512x1024": len(cohort.members),
        "faults": faults,
        "steps/s": cohort.recipe.steps / cohort.seconds,
    }


def sweep(bench: Bench) -> Row:
    """Runs from end to end, and what the time went into."""
    spent = {"teachers": 0.0, "students": 0.0, "scores and records": 0.0}
    for task in ("seg",) if bench.tiny else ("seg", "det"):
        for seed in (0,) if bench.tiny else (0, 1):
            words = (
                f"task={task}",
                f"seed={seed}",
                "method=[none,mgd]",
                "recipe.steps=4" if bench.tiny else "recipe.steps=80",
            )
            start = time.perf_counter()
            for member in bench.prepare(*words).members:
                member.log.close()
            prepared = time.perf_counter()
            records = bench.run(*words).execute()
            students = max(record.training.cohort_wall_s or 0.0 for record in records)
            spent["teachers"] += prepared - start
            spent["students"] += students
            spent["scores and records"] += time.perf_counter() - prepared - students
    return {"sweep": "task=seg" if bench.tiny else "task=seg,det seed=0,1", "seconds": sum(spent.values()), **spent}
