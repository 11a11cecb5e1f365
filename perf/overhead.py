"""The runner against a bare PyTorch loop with the same networks, data and loss.

    python perf/overhead.py [steps] [rounds]

Rounds alternate between the two; printed are the median seconds of each and the median of the ratios.
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.console import Console
from torch import nn

from benchmark.config import compose
from benchmark.run import Run
from benchmark.training.optimizer import learning_rate
from benchmark.training.step import arrived


def bare(run: Run, temperature: float | None) -> float:
    """Train as a script would: loader, forward, loss, backward, step; with the teacher's divergence where asked for."""
    recipe, problem = run.config.recipe, run.problem
    network = problem.build_network(run.config.student, run.draws).train()
    teacher: nn.Module | None = next(iter(run.teachers.values())).network if temperature is not None else None
    decayed = [each for each in network.parameters() if each.ndim > 1]
    others = [each for each in network.parameters() if each.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
    start = time.perf_counter()
    for index, batch in enumerate(problem.batches(recipe, run.draws, 0, unlabeled=False)):
        placed = arrived(batch["labeled"], problem.fabric)
        image, target = placed.image, placed.target
        logits = network(image).maps[0]
        full = F.interpolate(logits, size=target.shape[-2:], mode="bilinear", align_corners=False)
        loss = F.cross_entropy(full, target, ignore_index=255)
        if teacher is not None:
            with torch.no_grad():
                wanted = teacher(image).maps[0]
            terms = F.kl_div(logits.log_softmax(1), wanted.log_softmax(1), reduction="none", log_target=True).sum(1)
            valid = (
                F.interpolate(batch["labeled"].inside[:, None].float(), size=terms.shape[-2:], mode="area")[:, 0] >= 0.5
            )
            loss = loss + terms[valid].mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, index)
        optimizer.step()
    return time.perf_counter() - start


def runner(run: Run, name: str) -> float:
    """Train as the suite does, logs and saved states included."""
    contestant = next(each for each in run.contestants if each.name == name)
    cohort = run.prepare([contestant])
    cohort.train()
    for member in cohort.members:
        member.state_file.unlink(missing_ok=True)
    return cohort.seconds


def compare(label: str, rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> None:
    """Alternate the two and print medians."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    mine, other = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{label:6} runner {mine:6.2f} s, bare loop {other:6.2f} s: ratio {ratio:.3f} (median of {rounds})")


def main(steps: int, rounds: int) -> None:
    """Measure both methods."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["task=seg", "method=[none,pixel]", f"recipe.steps={steps}", "teacher.recipe.steps=2"]
        run = Run(compose.load([*words, f"home={Path(folder)}"]), Console(file=io.StringIO()))
        run.prepare(run.contestants)
        bare(run, 1.0)  # render every image once
        compare("none", rounds, lambda: runner(run, "none"), lambda: bare(run, None))
        compare("pixel", rounds, lambda: runner(run, "pixel"), lambda: bare(run, 1.0))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]) if len(sys.argv) > 2 else (160, 3))
