"""Does a network that sees two frames of a clip tell better where people look than one that sees the newest alone?

    python perf/two_frames.py [HOME] [KEY=VALUE...]

Trains the two teachers of ``task=attention`` as students, on labels alone, three seeds each, and prints their NSS on
the test clips and the difference in standard deviations. All is kept in HOME, so a second call only prints.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
from collections.abc import Iterable

from rich.console import Console

from benchmark.config import compose
from benchmark.run import Run
from tasks.attention import Attention

SEEDS = (0, 1, 2)
RECIPE = ("task=attention", "method=none", "data.train=1024", "data.cache=disk", "recipe.steps=800", "recipe.lr=0.003")


def network(role: str) -> list[str]:
    """Write a teacher of the task as the words that make it the student."""
    spec = Attention.teachers[role]
    words = [f"student.decoder={spec.decoder}", f"student.encoder={spec.encoder}"]
    for part in ("encoder_options", "decoder_options"):
        words += [f"++student.{part}.{key}={json.dumps(value)}" for key, value in getattr(spec, part).items()]
    return words


def scores(role: str, home: str, words: Iterable[str]) -> list[float]:
    found = []
    for seed in SEEDS:
        config = compose.load([*RECIPE, *network(role), *words, f"seed={seed}", f"home={home}"])
        (record,) = Run(config, Console(file=io.StringIO())).execute()
        assert record.score is not None, record.status_reason
        found.append(record.score)
    print(f"{role:9} nss {statistics.mean(found):.3f} +- {statistics.stdev(found):.3f}  {found}", flush=True)
    return found


def main(home: str, words: list[str]) -> None:
    spatial, temporal = (scores(role, home, words) for role in ("spatial", "temporal"))
    gap = statistics.mean(temporal) - statistics.mean(spatial)
    pooled = (statistics.variance(spatial) / 2 + statistics.variance(temporal) / 2) ** 0.5
    print(f"two frames lead by {gap:.3f}, {gap / pooled:.1f} standard deviations of a run")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0] if given and "=" not in given[0] else "runs/two_frames", [word for word in given if "=" in word])
