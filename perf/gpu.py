"""What a GPU gives: is it right, how fast is it, how far does it scale?

    python perf/gpu.py [--device cuda] [--parts correct,fast,scale] [--out FOLDER] [--tiny]

Each part takes about eight minutes on one card: it stops between two measurements when they are over, and what was left
out is named. Written are ``gpu.json`` and ``gpu.md``, with the card's name. ``--device cpu --tiny`` runs every line of
it on a processor in a minute or two, and says nothing of a GPU. The measurements are in ``perf/card/``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from card import correct, fast, scale
from card.bench import Bench, Row, Rows

from benchmark.config import catalog

MINUTES = 8  # of a part
PARTS: dict[str, Callable[[Bench], Rows]] = {
    "correct": correct.measurements,
    "fast": fast.measurements,
    "scale": scale.measurements,
}


def measure(part: str, bench: Bench) -> list[Row]:
    """Make the measurements of a part until its time is over; one that fails says why."""
    rows: list[Row] = []
    end = time.monotonic() + 60 * MINUTES
    for number, row in enumerate(PARTS[part](bench)):
        if time.monotonic() > end:
            rows.append({"left out": f"measurement {number} of {part}: {MINUTES} minutes are over"})
            continue
        try:
            rows.append(row())
        except Exception as error:  # a table with a hole is worth more than none
            rows.append({"failed": f"measurement {number} of {part}: {type(error).__name__}: {error}"})
        print(part, json.dumps(rows[-1]), flush=True)
    return rows


def markdown(card: str, found: Mapping[str, Sequence[Row]]) -> str:
    """Tell all parts as tables."""
    lines = [f"# {card}, torch {torch.__version__}", ""]
    for part, rows in found.items():
        lines += [f"## {part}", "", "| what | figures |", "|---|---|"]
        for row in rows:
            words = [f"{key} {value}" for key, value in row.items() if not isinstance(value, float)]
            figures = [f"{key} {value:.4g}" for key, value in row.items() if isinstance(value, float)]
            cells = (", ".join(each).replace("|", "\\|").replace("\n", " ") for each in (words, figures))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Measure the parts that were asked for; 1 where a measurement failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--tiny", action="store_true")
    chosen = parser.parse_args(arguments)
    parts = chosen.parts.split(",")
    if unknown := set(parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if chosen.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no CUDA device here; --device cpu --tiny runs the code without one")
    catalog.load()
    card = torch.cuda.get_device_name() if chosen.device == "cuda" else "No GPU: a processor, to run the code"
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(chosen.device, chosen.tiny, Path(home))
        found = {part: measure(part, bench) for part in parts}
    chosen.out.mkdir(parents=True, exist_ok=True)
    report = {"card": card, "torch": torch.__version__, **found}
    (chosen.out / "gpu.json").write_text(json.dumps(report, indent=2) + "\n")
    (chosen.out / "gpu.md").write_text(markdown(card, found))
    return int(any("failed" in row for rows in found.values() for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
