"""How fast is it: the runner against bare loops on data that lies on the card, feeding, kernels, optimisers."""

from __future__ import annotations

from functools import partial

import torch

from benchmark.training.cohort import Cohort
from benchmark.training.optimizer import build_optimizer
from benchmark.training.step import arrived
from card.bench import Bench, Row, Rows, every, finish

LONG = 60  # steps, the first WARM of which do not count
WARM = 20
FAST = ("precision=bf16", "channels_last=true")
FEEDING = (*(f"data.cache=disk workers={count}" for count in (0, 8, 15)), "data.cache=device")
STORED = "stored batches"  # of a few steps, again and again: no loader at all


def measurements(bench: Bench) -> Rows:
    for task in ("seg",) if bench.tiny else ("seg", "det"):
        for chosen in (["none"], ["pixel"], bench.methods):
            for feeding in (FEEDING[0], FEEDING[-1]) if bench.tiny else FEEDING:
                yield partial(runner, bench, task, chosen, feeding)
        yield partial(runner, bench, task, ["none"], STORED)
        yield partial(runner, bench, task, bench.methods, STORED)
        yield partial(over_bare, bench, task)
        for mode in (None,) if bench.tiny else (None, "default"):
            yield partial(bare, bench, task, mode)
        yield partial(kernels, bench, task)
        for variant in ("fused", "foreach", "loop"):
            yield partial(optimiser, bench, task, variant)
        for words in (), ("channels_last=true",):
            yield partial(formats, bench, task, words)


def timed(bench: Bench, cohort: Cohort) -> tuple[float, float]:
    """Images a second of a cohort after warming up, and the share of time that the device idled for data."""
    finish(cohort)
    warm = 1 if bench.tiny else WARM
    first = cohort.members[0]
    own = [sum(member.timing.steps[i] for member in cohort.members) for i in range(warm, cohort.recipe.steps)]
    waits = first.timing.data[warm:]
    total = sum(own) + sum(waits)
    return cohort.recipe.batch * len(own) / total, sum(waits) / total


def long(bench: Bench) -> str:
    return f"recipe.steps={bench.steps if bench.tiny else LONG}"


def runner(bench: Bench, task: str, chosen: list[str], feeding: str) -> Row:
    words = ("data.cache=disk",) if feeding == STORED else feeding.split()
    cohort = bench.prepare(f"task={task}", every(chosen), long(bench), *words, *FAST)
    if feeding == STORED:
        stored = [step for step, _ in zip(cohort.batches(0), range(3), strict=False)]
        cohort.batches = lambda start: (stored[index % len(stored)] for index in range(start, cohort.recipe.steps))
    speed, idle = timed(bench, cohort)
    name = chosen[0] if len(chosen) == 1 else f"cohort of {len(cohort.members)}"
    return {"runner": name, "task": task, "feeding": feeding, "images/s": speed, "idle for data": idle}


def bare(bench: Bench, task: str, mode: str | None) -> Row:
    """Forward, task loss, backward and step of one student on one batch that lies on the device, in bf16."""
    cohort = bench.prepare(f"task={task}", "method=none", *FAST)
    (member,) = cohort.members
    member.log.close()
    batch = arrived(next(cohort.batches(0))["labeled"], cohort.conditions.fabric)
    image = batch.image.contiguous(memory_format=torch.channels_last)
    network = member.network.train()
    forward = torch.compile(network, mode=mode) if mode else network

    def step() -> None:
        with torch.autocast(bench.device.type, torch.bfloat16):
            maps = forward(image).maps
        member.optimizer.zero_grad()
        cohort.conditions.output.supervised([each.float() for each in maps], batch.target).backward()
        member.optimizer.step()

    return {"bare loop": f"compile {mode}", "task": task, "images/s": cohort.recipe.batch / bench.typical(step)}


def over_bare(bench: Bench, task: str) -> Row:
    """The goal: the runner on resident data against the fastest bare loop of the same network; 0.7 is asked for."""
    compiled = () if bench.tiny else ("compile=true",)
    cohort = bench.prepare(f"task={task}", "method=none", long(bench), "data.cache=device", *compiled, *FAST)
    ours, _ = timed(bench, cohort)
    theirs = bare(bench, task, None if bench.tiny else "reduce-overhead")["images/s"]
    return {"runner over bare loop": task, "runner images/s": ours, "bare images/s": theirs, "ratio": ours / theirs}


def kernels(bench: Bench, task: str) -> Row:
    """What the profiler counts in a step of the cohort, and the share of time that the device was busy."""
    from torch.profiler import ProfilerActivity, profile

    cohort = bench.prepare(f"task={task}", every(bench.methods), "precision=bf16")
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if bench.is_card else [])]
    with profile(activities=kinds) as seen:
        finish(cohort)
    on_device = [event for event in seen.events() if event.device_type == torch.autograd.DeviceType.CUDA]
    busy = sum(event.device_time for event in on_device) / 1e6
    return {"profiled cohort": task, "kernels a step": len(on_device) / bench.steps, "busy": busy / cohort.seconds}


def optimiser(bench: Bench, task: str, variant: str) -> Row:
    cohort = bench.prepare(f"task={task}", "method=none")
    (member,) = cohort.members
    member.log.close()
    for parameter in member.trained:
        parameter.grad = torch.zeros_like(parameter)
    made = build_optimizer(member.network, [], cohort.recipe)
    for group in made.param_groups:
        group |= {"fused": variant == "fused", "foreach": variant == "foreach"}
    return {"optimiser": variant, "task": task, "ms a step": 1000 * bench.typical(made.step)}


def formats(bench: Bench, task: str, words: tuple[str, ...]) -> Row:
    """One student alone in each memory format: group normalisation gives back the other one on a GPU."""
    cohort = bench.prepare(f"task={task}", "method=none", long(bench), "precision=bf16", *words)
    return {"format": " ".join(words) or "contiguous", "task": task, "images/s": timed(bench, cohort)[0]}
