"""A card of its own for each process, as long as there are enough: processes of one machine share them out."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig

from benchmark.launchers.engine import Result, Task
from benchmark.runs.folders import held_now


@dataclass(frozen=True)
class OnACard:
    """A task that runs on the card that fewest others use, where a job leaves the device open and there are several."""

    task: Task

    def __call__(self, composed: DictConfig) -> Result:
        """Run the task, holding the card's place until it ends."""
        count = torch.cuda.device_count() if composed.device == "auto" else 0
        if count < 2:
            return self.task(composed)
        with taken(count) as card:
            composed.device = f"cuda:{card}"
            return self.task(composed)


@contextmanager
def taken(count: int, folder: Path | None = None) -> Iterator[int]:
    """Take a place on one of ``count`` cards: a free card, else one with one other process, and so on."""
    folder = folder or Path(tempfile.gettempdir()) / f"densedistill-cards-{os.getuid()}"
    for place, card in ((place, card) for place in itertools.count() for card in range(count)):
        with held_now(folder / f"{card}-{place}") as free:
            if free:
                yield card
                return
