"""Weights from files and hubs: safetensors alone, and only where every name and shape fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from tasks.errors import InputError
from tasks.networks.normalise import PREFIX, adopt

EXTRACTED = "graph."  # before the names of a module that was traced, see tasks.networks.extracted


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file; raises InputError for a missing file, a pickle, or a damaged file."""
    if not path.is_file():
        raise InputError(f"weights {path}: no such file; give the path of a .safetensors file")
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        kind = " (it looks like a pickle, which could run code when opened)" if _is_pickle(path) else ""
        raise InputError(
            f"weights {path}: expected a safetensors file, found something else{kind}: {error}; convert it where you "
            "trust it: safetensors.torch.save_file(torch.load(PATH, weights_only=True), 'weights.safetensors')"
        ) from error


def _below(prefix: str, found: dict[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put a prefix before the names of a file where the network's names all have it, and the file's do not."""
    if any(name.startswith(prefix) for name in found) or not all(name.startswith(prefix) for name in expected):
        return found
    return {f"{prefix}{name}": tensor for name, tensor in found.items()}


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4)
    return head[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def load_weights(network: nn.Module, path: Path, *, partial: bool = False) -> None:
    """Load a safetensors file into a network, and with it the normalisation of images that it was saved with.

    Args:
        network: what to fill.
        path: the file.
        partial: also accept a file with the encoder alone (all names below ``encoder.``, or those of the encoder
            itself); everything else keeps its initial values.

    Raises InputError naming the parameters that are missing, unexpected or of another shape.
    """
    found = read_weights(path)
    adopt(network, found)
    expected = network.state_dict()
    found = _below(EXTRACTED, found, expected)
    if partial and found and not any(name in expected for name in found):
        found = {f"encoder.{name}": tensor for name, tensor in found.items()}
    encoder = ("encoder.", PREFIX)
    if partial and found and all(name.startswith(encoder) for name in found):
        expected = {name: tensor for name, tensor in expected.items() if name.startswith(encoder)}
    faults = [f"missing {name}" for name in expected.keys() - found.keys()]
    faults += [f"unexpected {name}" for name in found.keys() - expected.keys()]
    faults += [
        f"{name} is {tuple(found[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if faults:
        raise InputError(
            f"weights {path} are of another architecture: {len(faults)} of {len(expected)} tensors do not fit, "
            f"e.g. {'; '.join(sorted(faults)[:3])}; give the decoder, encoder and options that they were trained with"
        )
    network.load_state_dict(found, strict=False)


def from_hub(name: str, channels: int) -> nn.Module:
    """Fetch a published segmentation-models-pytorch checkpoint, or read one from a folder laid out like the hub's.

    Raises InputError when it cannot be had (offline, unknown name) or has another number of classes.
    """
    import segmentation_models_pytorch as smp

    try:
        model = smp.from_pretrained(name, upsampling=1)
    except Exception as error:  # the hub client raises many kinds
        raise InputError(
            f"hub:{name} cannot be had ({type(error).__name__}: {error}); check the name, go online once, or give "
            "the path of a folder with config.json and model.safetensors as hub:PATH"
        ) from error
    classes = model.segmentation_head[0].out_channels
    if classes != channels:
        raise InputError(f"hub:{name} predicts {classes} classes, the dataset has {channels}: not the same benchmark")
    return model
