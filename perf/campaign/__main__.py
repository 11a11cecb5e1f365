"""A campaign of faults: what was made to happen, how often, and whether what must hold held.

    python -m perf.campaign [--only FAMILY ...] [--count N] [--seed S]

Prints the table of docs/reliability.md, and below it every case that is broken, with its reason; the exit code is 1
where there is one. Each case has a folder of its own, which is removed where the case held.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmark.config import compose
from benchmark.training import cost
from perf.campaign.case import Broken, Case, Family
from perf.campaign.families import FAMILIES
from tasks.data.cache import ROOT
from tests.support import TINY

WARM = (  # what commands import when they need it
    *("segmentation_models_pytorch", "scipy.io", "albumentations", "jinja2", "benchmark.commands.boards"),
    *("benchmark.commands.export", "benchmark.commands.sweep", "benchmark.commands.verify", "benchmark.commands.data"),
)


def attempt(case: Case, folder: Path) -> str:
    """Run a case; return why it is broken, or nothing."""
    folder.mkdir()
    try:
        case.run(folder)
    except Broken as broken:
        return str(broken)
    except Exception as error:
        return f"the case itself failed: {traceback.format_exception_only(error)[-1].strip()}"
    shutil.rmtree(folder, ignore_errors=True)
    return ""


def run_family(family: Family, count: int, seed: int, place: Path) -> tuple[int, list[tuple[Case, str]]]:
    """Run some cases of a family; return how many, and those that are broken."""
    broken, done = [], 0
    for case in itertools.islice(family.cases(random.Random(f"{seed} {family.name}")), count):
        began = time.monotonic()
        reason = attempt(case, place / f"{family.name} {done:03d}")
        done += 1
        print(f"{family.name} {done:3d} {time.monotonic() - began:5.1f} s  {case.id}  {reason}", file=sys.stderr)
        if reason:
            broken.append((case, reason))
    return done, broken


def main() -> int:
    """Run the campaign; return 1 where a case is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[family.name for family in FAMILIES], metavar="FAMILY")
    parser.add_argument("--count", type=int, help="cases of each family, instead of its own number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where cases are made; what is broken stays there")
    chosen = parser.parse_args()
    prepare()
    place = chosen.folder or Path(tempfile.mkdtemp(prefix="campaign "))
    place.mkdir(parents=True, exist_ok=True)
    os.environ[ROOT] = str(place / "cache")
    found = []
    for family in FAMILIES:
        if not chosen.only or family.name in chosen.only:
            found.append((family, *run_family(family, chosen.count or family.count, chosen.seed, place)))
    print("| fault | cases | held | must hold |\n|---|---:|---:|---|")
    for family, done, broken in found:
        print(f"| {family.fault} | {done} | {done - len(broken)} | {family.holds} |")
    for family, _, broken in found:
        for case, reason in broken:
            print(f"\nbroken: {family.name}: {case.id}: {reason}")
    return 1 if any(broken for *_, broken in found) else 0


def prepare() -> None:
    """Import, and compose, what all commands need, before they are forked."""
    for module in WARM:
        importlib.import_module(module)
    compose.load(TINY)
    cost.REPEATS = 2  # no case asks how long a forward pass takes


if __name__ == "__main__":
    sys.exit(main())
