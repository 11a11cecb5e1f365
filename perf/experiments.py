"""What the papers' experiments cost: multiply-accumulates and steps counted; time and memory of a few steps measured.

    python perf/experiments.py [NAME...]                                    # the table of docs/experiments.md, exact
    python perf/experiments.py NAME... --measure [--device cuda] [--precision bf16] [--steps 12]

The first computes nothing and needs neither data nor a card. The second trains each network of an experiment for a few
steps at its own size and batch, on rendered images and with random weights, about a minute an experiment on a card: the
median step, the wait for data left out, the peak of memory, and the hours that all steps would take. A whole run trains
each teacher, the student alone, and the student with each method.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

import benchmark
from benchmark.config import catalog, compose
from benchmark.config.schema import Config, Recipe
from benchmark.run import Run
from benchmark.training.assemble import control
from benchmark.training.cost import count_macs, count_parameters
from tasks.base import Info, NetworkSpec, datasets, tasks
from tasks.networks.build import build_network

FOLDER = Path(benchmark.__file__).parent / "conf" / "experiment"
PAPERS = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem not in ("smoke", "camvid_small"))
COCO = Info(categories=tuple(map(str, range(80))), category_ids=tuple(range(80)))  # which its JSON names
WHOLE = (768, 1024)  # an image of ShanghaiTech B, where crops are a share of it
WARM = 2  # steps that do not count


def size_of(config: Config, recipe: Recipe) -> tuple[int, int]:
    """Height and width of a training batch."""
    size = recipe.crop or config.data["size"] or WHOLE
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def counted(spec: NetworkSpec, config: Config, recipe: Recipe) -> tuple[float, float]:
    """Millions of parameters, and billions of multiply-accumulates of one training image's forward pass."""
    info = getattr(datasets[config.data["name"]], "info", COCO)
    task = tasks[config.task["name"]](info, **{key: value for key, value in config.task.items() if key != "name"})
    size = size_of(config, recipe)
    network = build_network(task, replace(spec, weights=None), size).eval()
    parameters = count_parameters(network)
    macs = count_macs(network.to("meta"), torch.zeros(1, 3 * task.frames, *size, device="meta"))
    return parameters / 1e6, macs / 1e9


def row(name: str) -> str:
    """Count one experiment; a line of a table."""
    config = compose.load([f"experiment={name}"])
    teacher = config.teacher.recipe
    parts = [(config.student, config.recipe), *((spec, teacher) for spec in config.teacher.networks.values())]
    found = [counted(spec, config, recipe) for spec, recipe in parts]
    steps = " / ".join(f"{recipe.steps} x {recipe.batch}" for recipe in (config.recipe, teacher))
    passes = [macs * recipe.steps * recipe.batch / 1e6 for (_, macs), (_, recipe) in zip(found, parts, strict=True)]
    height, width = size_of(config, config.recipe)
    cells = [
        f"`{name}`",
        f"{height} x {width}",
        " / ".join(f"{parameters:.3g}" for parameters, _ in found),
        " / ".join(f"{macs:.3g}" for _, macs in found),
        steps,
        " / ".join(f"{each:.3g}" for each in passes),
    ]
    return f"| {' | '.join(cells)} |"


def embedded(name: str, steps: int, words: list[str]) -> Config:
    """An experiment on the embedded data, images as large as its batches, weights drawn at random."""
    config = compose.load([f"experiment={name}", *words])
    side, few = max(size_of(config, config.recipe)), max(config.recipe.batch, config.teacher.recipe.batch)
    known = compose.load([f"task={config.task['name']}", f"data.size={side}", f"data.train={2 * few}"])
    labeled = config.data["labeled"]
    config.data = {**known.data, "val": 1, "test": 1, "labeled": labeled}
    config.student = replace(config.student, weights=None)
    config.teacher.networks = {role: replace(spec, weights=None) for role, spec in config.teacher.networks.items()}
    config.teacher.control = "untrained"
    config.recipe = replace(config.recipe, steps=steps)
    return config


def trainings(name: str, steps: int, words: list[str]) -> Iterator[tuple[str, Config, int]]:
    """Each training of an experiment: what it is called, as a few steps of it, and how many there are."""
    whole = compose.load([f"experiment={name}"])
    for role, spec in whole.teacher.networks.items():
        config = embedded(name, steps, words)
        config.student, config.methods = replace(spec, weights=None), {control().name: {}}
        config.recipe = replace(whole.teacher.recipe, steps=steps)
        yield f"teacher {role}", config, whole.teacher.recipe.steps
    for method in (control().name, *whole.methods):
        config = embedded(name, steps, words)
        config.methods = {method: config.methods.get(method, {})}
        config.control = False
        yield method, config, whole.recipe.steps


def measure(name: str, steps: int, words: list[str]) -> None:
    """Train every network of an experiment for a few steps; a line of a table each."""
    for what, config, whole in trainings(name, steps, words):
        with tempfile.TemporaryDirectory() as home:
            config.home = home
            run = Run(config, Console(file=io.StringIO()))
            cohort = run.prepare(run.contestants)
            cohort.train()
        (member,) = cohort.members
        if not member.active:
            raise SystemExit(f"{name}, {what}: {member.status}, {member.reason}")
        step = statistics.median(member.timing.steps[WARM:])
        memory = f"{member.peak_bytes / 2**30:.2f}" if member.peak_bytes else "not told by a CPU"
        print(f"| `{name}` | {what} | {1000 * step:.0f} | {memory} | {step * whole / 3600:.1f} |", flush=True)


def main(arguments: list[str]) -> None:
    """Count, or measure, the experiments that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=PAPERS, metavar="NAME", help="of experiments; all by default")
    parser.add_argument("--measure", action="store_true", help="train for a few steps, rather than count")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="32", choices=["32", "bf16"])
    parser.add_argument("--steps", type=int, default=12)
    chosen = parser.parse_args(arguments)
    if chosen.steps <= WARM:
        parser.error(f"--steps {chosen.steps}: expected more than {WARM}, which do not count")
    catalog.load()
    if not chosen.measure:
        print("| experiment | images of | parameters, M | GMACs an image | steps x images | forward PMACs |")
        print("|---|---|---|---|---|---|")
        for name in chosen.names:
            print(row(name), flush=True)
        return
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    means = f"{torch.get_num_threads()} threads, precision={chosen.precision}, medians of {chosen.steps - WARM} steps"
    print(f"{card}, {means}\n")
    print("| experiment | training | ms a step | GiB at most | hours |")
    print("|---|---|---|---|---|")
    for name in chosen.names:
        measure(name, chosen.steps, [f"device={chosen.device}", f"precision={chosen.precision}", "save_every=1e9"])


if __name__ == "__main__":
    main(sys.argv[1:])
