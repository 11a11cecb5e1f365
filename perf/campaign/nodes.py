"""A node of a simulated Ray cluster that dies in the middle of a sweep."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from perf.campaign.case import Case, require
from perf.campaign.finished import CHEAP, finished
from perf.campaign.homes import require_same, settled, with_an_earlier_run, words
from perf.campaign.process import PATIENCE, Outcome, aside

PROJECT = Path(__file__).parents[2]
SWEEP = ("-m", CHEAP, "method=[none,pixel]", "seed=0,1,2,3", "recipe.steps=60")
JOBS, NODES = 4, 2
BOTH_BUSY = 4  # at most so many of the eight runs have begun while there are jobs for both nodes
SMALL = {"object_store_memory": 100 * 1024**2}  # of a node


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield deaths without end, of each node in turn, at a random moment of a sweep of four jobs."""
    for number in itertools.count():
        begun, delay = chance.randint(1, BOTH_BUSY), chance.random()
        title = f"node {number % NODES}, {delay:.1f} s after run {begun} of 8 has begun"
        yield Case(title, partial(_killed, number % NODES, begun, delay))


def _killed(node: int, begun: int, delay: float, folder: Path) -> None:
    """Kill a node while the sweep runs, and hold the home against that of a serial sweep."""
    whole = settled(finished(*SWEEP))
    home = with_an_earlier_run(folder / "home")
    aside(partial(_swept, node, begun, delay, home))
    require_same(home, whole)


def _swept(node: int, begun: int, delay: float, home: Path) -> None:
    """Run the sweep in a process of its own, with a cluster whose node dies."""
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = str(PROJECT)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **SMALL})
    try:
        nodes = [cluster.add_node(num_cpus=1, **SMALL) for _ in range(NODES)]
        engine = ("hydra/launcher=ray", f"hydra.launcher.ray.init.address='{cluster.address}'")
        command = [sys.executable, "-m", "benchmark", *words("home", *SWEEP, *engine)]
        printed = home.with_name("printed")
        with printed.open("wb") as out:
            sweep = subprocess.Popen(command, cwd=home.parent, stdout=out, stderr=subprocess.STDOUT)
        while sweep.poll() is None and _begun(home) < begun:
            time.sleep(0.1)
        time.sleep(delay)
        require(sweep.poll() is None, "the sweep had ended before")
        cluster.remove_node(nodes[node], allow_graceful=False)
        code = sweep.wait(JOBS * PATIENCE)
    finally:
        cluster.shutdown()
    require(code == 0, f"exit code {code}: {Outcome(code, printed.read_text(errors='replace')).tail}")


def _begun(home: Path) -> int:
    """Count the runs that have taken a step."""
    return len({path.parent for name in ("resume.pt", "student.safetensors") for path in home.glob(f"runs/*/{name}")})
