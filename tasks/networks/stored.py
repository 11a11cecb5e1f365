"""Files of weights: safetensors, and PyTorch's own as far as they hold nothing but tensors."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from tasks.errors import InputError

INSIDE = ("state_dict", "model_state_dict", "model_state", "model", "network", "net", "params", "weights")
PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how PyTorch's files begin
FOREIGN = re.compile(r"GLOBAL ([\w.]+)")  # in the words of torch.load
WAY_OUT = (
    "where you trust the file, keep its tensors alone: torch.save({'state_dict': MODEL.state_dict()}, 'weights.pth'), "
    "MODEL being what torch.load(FILE, weights_only=False) gives or fills"
)


class Stored(NamedTuple):
    """The tensors of a file by name, and the keys below which they lay."""

    tensors: Mapping[str, Tensor]
    inside: str = ""


def read_weights(path: Path) -> Stored:
    """Read a safetensors file, or a state dict that PyTorch wrote, perhaps inside of a training checkpoint.

    Nothing is unpickled but tensors and plain containers (``torch.load(weights_only=True)``). Raises InputError for a
    missing file, a damaged one, and one that holds other objects.
    """
    if not path.is_file():
        raise InputError(f"weights {path}: no such file; give the path of a .safetensors, .pth, .pt or .ckpt file")
    with path.open("rb") as file:
        pickled = file.read(2) in PICKLES
    if pickled:
        return _state_dict(path, _loaded(path))
    try:
        return Stored(safetensors.torch.load_file(path))
    except safetensors.SafetensorError as error:
        raise InputError(
            f"weights {path}: expected a safetensors file, or one that torch.save wrote, found something else: {error}"
        ) from error


def _loaded(path: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # of other protocols of pickle; what fails is told below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = FOREIGN.search(str(error))
        what = f" ({found[1]})" if found else ""
        raise InputError(
            f"weights {path}: expected tensors alone, found a pickle of other objects{what}, which could run code when "
            f"opened; {WAY_OUT}"
        ) from error
    except Exception as error:  # a damaged archive raises whatever its reader meets
        first = next(iter(str(error).splitlines()), "")
        raise InputError(
            f"weights {path}: expected a file that torch.save wrote, found one that cannot be read "
            f"({type(error).__name__}: {first}); {WAY_OUT}"
        ) from error


def _state_dict(path: Path, found: Any) -> Stored:
    """Look for the state dict in what a training loop saved; InputError where there is none."""
    keys: list[str] = []
    while isinstance(found, Mapping):
        key = next((key for key in INSIDE if isinstance(found.get(key), Mapping)), None)
        if key is None:
            break
        keys.append(key)
        found = found[key]
    tensors = {}
    if isinstance(found, Mapping):
        tensors = {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if not tensors:
        there = f"keys {', '.join(map(str, list(found)[:8]))}" if isinstance(found, Mapping) else type(found).__name__
        raise InputError(
            f"weights {path}: expected a state dict, names and tensors, alone or below {', '.join(INSIDE)}; "
            f"found {there}"
        )
    return Stored(tensors, ".".join(keys))
