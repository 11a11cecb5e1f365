"""SIGKILL at a random moment of every phase, then the same command once more."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from methods.base import methods
from perf.campaign import moments
from perf.campaign.case import Case, require
from perf.campaign.finished import finished, place
from perf.campaign.homes import leftovers, require_same, settled, with_an_earlier_run, words
from perf.campaign.moments import PHASES, Ear
from perf.campaign.process import Command, benchmark
from tasks.base import tasks

ALONE = ("training a teacher",)  # phases that are met only where there is no teacher yet
COHORTS = 2  # of each task: what nobody killed is made once
ATTEMPTS = 6  # to meet a phase that lasts a few milliseconds
measured: dict[object, dict[str, list[float]]] = {}  # words, teachers kept -> how long each phase took, each time


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield kills without end: each phase in turn, of any task and two methods, with and without loader processes."""
    fitting, number, phases = sorted(name for name, cls in methods.items() if not cls.control), 0, list(PHASES)
    cohorts = [(task, sorted(chance.sample(fitting, 2))) for task in sorted(tasks) for _ in range(COHORTS)]
    while True:
        phase, workers = phases[number % len(phases)], number % 2 * 2
        task, names = chance.choice(cohorts)
        chosen = (f"task={task}", f"method=[none,{','.join(names)}]", "data.cache=disk")
        title = f"{phase}, {' '.join(chosen[:2])} workers={workers}"
        yield Case(title, partial(_killed, chosen, phase, workers, random.Random(chance.random())))
        number += 1


def _killed(chosen: tuple[str, ...], phase: str, workers: int, chance: random.Random, folder: Path) -> None:
    """Kill a command in a phase, run it again, and hold what is there against a home that nobody killed."""
    whole = finished(*chosen)
    kept = phase not in ALONE and chance.random() < 0.7
    times = _measured(chosen, kept)
    require(phase in times, f"the phase was never met: {', '.join(times)}")
    command = words("home", *chosen, f"workers={workers}")
    for _ in range(ATTEMPTS):
        home = with_an_earlier_run(folder / "home")
        if kept:
            shutil.copytree(whole / "teachers", home / "teachers")
        if _kill_in(command, folder, phase, times[phase], chance):
            break
        shutil.rmtree(home)
        shutil.rmtree(folder / "cache", ignore_errors=True)
    else:
        require(False, f"not met in {ATTEMPTS} attempts")
    outcome = benchmark(command, folder, environment=moments.cache_of(folder))
    require(outcome.code in (0, 1), f"exit code {outcome.code}: {outcome.tail}")
    require(not list(leftovers(home)), f"left over: {[str(path.relative_to(home)) for path in leftovers(home)]}")
    require_same(home, settled(whole))


def _kill_in(command: list[str], folder: Path, phase: str, times: list[float], chance: random.Random) -> bool:
    """Start a command and kill it at a random moment of a phase; False where it was over first."""
    nth, delay = chance.randrange(len(times)), chance.random()
    ear = Ear()
    running = Command(command, folder, moments.watched(ear.writer), moments.cache_of(folder))
    ear.close_writer()
    met = -1
    while met < nth and (lines := ear.lines(1.0)) is not None:
        met += lines.count(("begin", phase))
    time.sleep(delay * times[nth])
    running.kill()
    ear.close()
    return running.wait().code == -signal.SIGKILL and met >= nth


def _measured(chosen: tuple[str, ...], kept: bool) -> dict[str, list[float]]:
    """Run words to their end, with teachers or without, and return how long each phase took."""
    if (chosen, kept) not in measured:
        folder = place() / f"timed {len(measured)}"
        home = with_an_earlier_run(folder / "home")
        if kept:
            shutil.copytree(finished(*chosen) / "teachers", home / "teachers")
        ear = Ear()
        running = Command(words(home, *chosen), folder, moments.watched(ear.writer), moments.cache_of(folder))
        ear.close_writer()
        measured[chosen, kept] = moments.durations(partial(ear.lines, 1.0))
        ear.close()
        outcome = running.wait()
        require(outcome.code in (0, 1), f"exit code {outcome.code}: {outcome.tail}")
        shutil.rmtree(folder)
    return measured[chosen, kept]
