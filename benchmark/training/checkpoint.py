"""Weights and resume states on disk: whole or not at all, and nothing that could run code when read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from leaderboards.atomic import atomic_write
from tasks.errors import InputError, first_line

STATE = "resume.pt"  # the resume state, in the folder of a run or a teacher that is not finished


def save_weights(weights: Mapping[str, Tensor], path: Path) -> str:
    """Write a state dict as safetensors and return the sha256 of the file."""
    data = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()})
    atomic_write(path, data)
    return hashlib.sha256(data).hexdigest()


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write a resume state."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    atomic_write(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read a resume state that ``save_state`` wrote; raises InputError where it is damaged."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive raises many kinds
        raise unusable(path, first_line(error)) from error
    if not isinstance(state, dict):
        raise unusable(path, f"it holds a {type(state).__name__}")
    return state


def unusable(path: Path, why: str) -> InputError:
    """Build the error for a resume state that cannot be taken up."""
    return InputError(f"resume state {path} cannot be taken up ({why}); delete it to start that run afresh")
