"""A cohort of methods against the same methods one by one: time, and whether the weights are the same bits.

    python perf/cohort.py task=seg method=[none,pixel,mgd] recipe.steps=60 teacher.recipe.steps=2

Prints the ratio of separate to together, where a step's time goes, and the bound that the measured shares allow.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmark import config
from benchmark.run import Run
from leaderboards.record import Record


def timed_run(home: Path, teachers: Path, words: list[str]) -> tuple[float, list[Record]]:
    """Train with cached teachers in a fresh home; return the seconds of training and the records."""
    home.mkdir()
    (home / "teachers").symlink_to(teachers)
    run = Run(config.load([*words, f"home={home}", "control=false"]), Console(file=io.StringIO()))
    start = time.perf_counter()
    records = run.execute()
    del run
    assert all(record.status == "ok" for record in records), [record.status_reason for record in records]
    return records[0].training.cohort_wall_s or time.perf_counter() - start, records


def main(words: list[str]) -> None:
    """Measure, and print what was measured."""
    methods = list(config.load(words).methods)
    others = [word for word in words if not word.startswith("method=")]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        warm = Run(config.load([*words, f"home={root / 'warm'}", "recipe.steps=2"]), Console(file=io.StringIO()))
        warm.execute()
        teachers = root / "warm" / "teachers"
        together, records = timed_run(root / "together", teachers, words)
        separate, same = 0.0, True
        for name, record in zip(methods, records, strict=True):
            seconds, (alone,) = timed_run(root / name, teachers, [*others, f"method={name}"])
            separate += seconds
            same &= alone.provenance.student_sha256 == record.provenance.student_sha256
            print(f"{name:12} alone {seconds:7.1f} s")
    print(f"separate {separate:.1f} s, together {together:.1f} s: {separate / together:.2f} x; same bytes: {same}")
    for record in records:
        cost = record.training
        print(
            f"{record.method.name:12} as alone {cost.wall_s:6.1f} s: data {cost.data_share:5.1%}, "
            f"teachers {cost.teacher_share:5.1%}, critic {cost.critic_share:5.1%}"
        )
    alone = sum(record.training.wall_s for record in records)
    shared = max(
        record.training.wall_s * (record.training.data_share + record.training.teacher_share) for record in records
    )
    own = sum(
        record.training.wall_s * (1 - record.training.data_share - record.training.teacher_share) for record in records
    )
    print(f"bound from these shares, data and teachers paid once: {alone / (own + shared):.2f} x")


if __name__ == "__main__":
    main(sys.argv[1:] or ["task=seg", "method=[none,pixel,mgd]", "recipe.steps=60", "teacher.recipe.steps=2"])
