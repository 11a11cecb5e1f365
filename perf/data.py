"""The loader: images a second of one core, by task on the embedded data and on big images, made on host and device.

    python perf/data.py [ROUNDS]

Printed are medians of CPU seconds, which a busy machine moves less than those of a clock. Samples come from memory, so
that what is measured is augmentation, targets and joining; and the cost of finding a sample on disk by itself. Where
there is a GPU, batches are also made there, and the seconds are those of a clock.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmark.config import catalog
from benchmark.training.randomness import Randomness
from tasks.base import Dataset, Info, Sample, datasets, tasks
from tasks.data.augment import Augment
from tasks.data.cache import Cached, DiskCache, MemoryCache
from tasks.data.clips import Frames
from tasks.data.loader import Images, Part, Plan, stream
from tasks.data.resident import Resident, resident_stream

BATCH, STEPS, KEPT = 8, 16, 32
CPU = torch.device("cpu")
BIG = (512, 1024)


class Streets(Dataset):
    """Noise of the size that Cityscapes is trained at."""

    name, provides, info = "streets", frozenset({"classes"}), Info(classes=tuple(map(str, range(19))))

    def ids(self, split: str) -> list[str]:
        """Four images."""
        return [f"{split}-{index}" for index in range(4)]

    def load(self, split: str, index: int) -> Sample:
        """Draw one."""
        rng = np.random.default_rng(index)
        labels = rng.integers(0, 19, BIG, np.uint8)
        return Sample(f"{split}-{index}", rng.integers(0, 256, (*BIG, 3), np.uint8), {"classes": labels})

    def manifest(self) -> str:
        """Nothing is written."""
        return ""

    def verify(self) -> list[str]:
        """Nothing can be wrong."""
        return []


def rates(name: str, dataset: Dataset, rounds: int) -> str:
    """Measure images a second of the labeled stream of a task, made on the host and on the devices that there are."""
    task = tasks[name](dataset.info)
    count = min(KEPT, len(dataset.ids("train")))
    images = Images(Frames(Cached(dataset, MemoryCache()), task.frames), "train", frozenset({task.annotation}))
    height, width = images[0].image.shape[:2]
    recipe = {"scale": (0.75, 1.5), **task.recipe}
    common = task, Augment((height, width), recipe["scale"], 0.5, 0.2), Randomness(0)
    plan = Plan([Part("labeled", range(count))], BATCH, 0, STEPS)
    resident = Resident(images, CPU)
    found = [
        f"{rate(lambda: stream(images, *common, plan), time.process_time, rounds):7.1f} on the host",
        f"{rate(lambda: resident_stream(resident, *common, plan), time.process_time, rounds):7.1f} resident",
    ]
    if torch.cuda.is_available():
        there = Resident(images, torch.device("cuda"))
        found.append(
            f"{rate(lambda: resident_stream(there, *common, plan), finished, rounds):9.1f} resident on the GPU"
        )
    return ", ".join(found)


def rate(opened: Callable[[], Iterator[object]], clock: Callable[[], float], rounds: int) -> float:
    """Measure the images a second of a stream."""
    seconds = []
    for _ in range(rounds + 1):  # the first fills the memory
        began = clock()
        for _ in opened():
            pass
        seconds.append(clock() - began)
    return BATCH * STEPS / statistics.median(seconds[1:])


def finished() -> float:
    """Return the time at which a GPU has done what it was given."""
    torch.cuda.synchronize()
    return time.perf_counter()


def found(dataset: Dataset, rounds: int) -> float:
    """Measure CPU seconds to find a sample on disk."""
    with tempfile.TemporaryDirectory() as folder:
        cached = Cached(dataset, DiskCache(Path(folder)))
        seconds = []
        for _ in range(rounds + 1):  # the first renders
            began = time.process_time()
            for index in range(KEPT):
                cached.load("train", index)
            seconds.append((time.process_time() - began) / KEPT)
    return statistics.median(seconds[1:])


def main(rounds: int) -> None:
    """Measure every task, then big images, then the disk."""
    catalog.load()
    torch.set_num_threads(1)
    print("images a CPU second")
    for name in sorted(tasks):
        print(f"{name:10} {rates(name, datasets[tasks[name].dataset](), rounds)}")
    print(f"{'seg, big':10} {rates('seg', Streets(), rounds)}, {BIG[0]}x{BIG[1]}")
    print(f"a sample of scenes is found on disk in {1e6 * found(datasets['scenes'](), rounds):.0f} us")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
