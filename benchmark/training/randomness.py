"""Every random draw as a function of (seed, purpose, position), never of what was drawn before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Randomness:
    """Keyed generators of one run; implements ``tasks.base.Draws``."""

    seed: int

    def key(self, purpose: str, *position: int) -> int:
        """Hash (seed, purpose, position) to 63 bits."""
        text = "\0".join([str(self.seed), purpose, *map(str, position)])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1

    def numpy(self, purpose: str, *position: int) -> np.random.Generator:
        """Return a fresh NumPy generator for this purpose and position."""
        return np.random.Generator(np.random.Philox(self.key(purpose, *position)))

    def torch(self, purpose: str, *position: int) -> torch.Generator:
        """Return a fresh CPU torch generator for this purpose and position."""
        return torch.Generator().manual_seed(self.key(purpose, *position))

    @contextmanager
    def globally(self, purpose: str, *position: int) -> Iterator[None]:
        """Key torch's global generators within a block, for initial weights and dropout, which know no others."""
        devices = [torch.cuda.current_device()] if _on_cuda() else []
        with torch.random.fork_rng(devices=devices):
            self.reseed(purpose, *position)
            yield

    def reseed(self, purpose: str, *position: int) -> None:
        """Key torch's global generators anew, inside a block of ``globally``."""
        key = self.key(purpose, *position)
        torch.default_generator.manual_seed(key)
        if _on_cuda():
            torch.cuda.manual_seed(key)
        if torch.backends.mps.is_available():
            torch.mps.manual_seed(key)


def _on_cuda() -> bool:
    """Say whether a GPU is in use; torch.manual_seed would queue, with a stack trace, what it cannot seed yet."""
    return torch.cuda.is_initialized()
