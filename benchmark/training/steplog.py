"""The log of steps: one JSON object a line, written in batches so that no step waits for the device."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tasks.errors import InputError


class StepLog:
    """Collects the terms of each step on the device and writes them when flushed.

    Args:
        path: the JSONL file; lines of later steps, left by a killed process, are cut off.
        start: the step that comes next.
        tensorboard: also write the values for TensorBoard, beside the file.
    """

    def __init__(self, path: Path, start: int, tensorboard: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = path.read_bytes().splitlines(keepends=True)[:start] if path.exists() else []
        self._file = path.open("a", encoding="utf-8")
        length = sum(map(len, kept))
        if os.fstat(self._file.fileno()).st_size > length:
            self._file.truncate(length)  # in place: a kill now loses no line
        self._pending: list[tuple[int, float, tuple[str, ...], Tensor]] = []
        self._writer = _tensorboard(path.parent / "tensorboard", start) if tensorboard else None
        self.last: dict[str, float] = {}

    def add(self, step: int, rate: float, values: dict[str, Tensor]) -> None:
        """Keep the values of a step, still on the device."""
        stacked = torch.stack([value.detach().float() for value in values.values()])
        self._pending.append((step, rate, tuple(values), stacked))

    def flush(self) -> tuple[int, str] | None:
        """Write what was kept; return the first step with a value that is not finite, and which, or None."""
        fault = None
        if not self._pending:
            return fault
        read = iter(torch.cat([values for *_, values in self._pending]).tolist())  # the device is waited for once
        for step, rate, names, _ in self._pending:
            self.last = dict(zip(names, read, strict=False))
            broken = [name for name, value in self.last.items() if not math.isfinite(value)]
            if broken and fault is None:
                fault = step, ", ".join(f"{name}={self.last[name]}" for name in broken)
            line = {name: value if math.isfinite(value) else str(value) for name, value in self.last.items()}
            self._file.write(json.dumps({"step": step, "lr": rate, **line}) + "\n")
            if self._writer is not None:
                for name, value in {"lr": rate, **self.last}.items():
                    self._writer.add_scalar(name, value, step)
        self._pending.clear()
        self._file.flush()
        return fault

    def forget(self) -> None:
        """Leave out what was kept: it lies on a device that cannot be read any more."""
        self._pending.clear()

    def close(self) -> None:
        """Write what is left and close the file; a second call does nothing."""
        if not self._file.closed:
            self.flush()
            self._file.close()
            if self._writer is not None:
                self._writer.close()


def _tensorboard(folder: Path, start: int) -> Any:
    """Open a writer for TensorBoard; raises InputError where the extra is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError("tensorboard=true needs an extra: pip install 'densedistill[tensorboard]'") from error
    return SummaryWriter(str(folder), purge_step=start)
