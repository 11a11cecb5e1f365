"""How fast scenes are rendered on one core: ``python perf/render.py``; the aim is 10 ms an image of 96 pixels.

Processor time of this thread is what is measured, so that a busy machine tells the same.
"""

from __future__ import annotations

import statistics
import time

from tasks.datasets.scenes import Scenes

IMAGES = 200


def main() -> None:
    for size in (64, 96, 128):
        dataset = Scenes(size=size, train=IMAGES)
        dataset.load("val", 0)  # imports and caches of the processor are not what is measured
        seconds = []
        for index in range(IMAGES):
            start = time.thread_time()
            dataset.load("train", index)
            seconds.append(time.thread_time() - start)
        median, mean, worst = statistics.median(seconds), statistics.mean(seconds), max(seconds)
        print(
            f"{size:4d} px: median {1e3 * median:5.2f} ms, mean {1e3 * mean:5.2f} ms, worst {1e3 * worst:5.2f} ms, "
            f"{1 / mean:5.0f} images/s"
        )


if __name__ == "__main__":
    main()
