"""What deterministic=true costs: seconds of the full cohort with it over those without, alternating.

    python perf/deterministic.py [KEY=VALUE...]

Without ``task=`` it goes through all tasks, without ``method=`` all methods take part. Printed are the medians of
ROUNDS ratios. On a CPU every algorithm gives the same bits every time anyway: what is printed there is what the
machine's noise makes of a ratio of one. The answer for a GPU needs a GPU.
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
from collections.abc import Sequence

from rich.console import Console

from benchmark.config import catalog, compose
from benchmark.run import Run
from benchmark.training.device import choose, set_numerics
from methods.base import methods
from tasks.base import tasks

ROUNDS, STEPS = 3, 20


def seconds(words: Sequence[str], deterministic: bool, steps: int) -> float:
    """Train, and say how long it took."""
    chosen = [*words, f"recipe.steps={steps}", f"deterministic={str(deterministic).lower()}"]
    run = Run(compose.load(chosen), Console(file=io.StringIO()))
    cohort = run.prepare([each for each in run.contestants if not each.refusal])
    cohort.train()
    for member in cohort.members:
        member.state_file.unlink(missing_ok=True)
    return cohort.seconds


def cost(words: Sequence[str], steps: int = STEPS, rounds: int = ROUNDS) -> float:
    """Return the median ratio, after a short training of each for what is made once."""
    for deterministic in (False, True):
        seconds(words, deterministic, 2)
    ratios = []
    for _ in range(rounds):
        without, with_it = (seconds(words, deterministic, steps) for deterministic in (False, True))
        ratios.append(with_it / without)
    set_numerics(tf32=False, deterministic=False)
    return statistics.median(ratios)


def main(words: list[str]) -> None:
    catalog.load()
    given = {word.partition("=")[0] for word in words}
    device, why = choose(compose.load(words).device)
    print(f"on {device} ({why})")
    everyone = [] if "method" in given else [f"method=[{','.join(sorted(methods))}]"]
    for task in [[]] if "task" in given else [[f"task={task}"] for task in sorted(tasks)]:
        with tempfile.TemporaryDirectory() as home:
            ratio = cost(["control=false", "teacher.recipe.steps=2", f"home={home}", *everyone, *words, *task])
        print(
            f"{' '.join(task)} deterministic=true takes {ratio:.2f} x the time (median of {ROUNDS})".strip(), flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])
