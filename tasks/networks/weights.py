"""Weights from files into networks, only where every name and shape fits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from tasks.errors import InputError
from tasks.networks.extracted import Extracted
from tasks.networks.fitting import Fit, fit
from tasks.networks.normalise import PREFIX, adopt
from tasks.networks.stored import read_weights

ENCODERS = ("encoder.", "encoder.model.")  # before the names of an encoder's own file, that of timm in a wrapper


def load_weights(network: nn.Module, path: Path, *, partial: bool = False) -> Fit:
    """Load a file into a network, and with it the normalisation of images that it was saved with.

    Names may have what training loops put before them (``module.``, ``model.``), and may lack what all names of the
    network have, as those of a module do that was traced, or that a user's class wraps. Auxiliary heads and losses are
    left out.

    Args:
        network: what to fill.
        path: a safetensors file, or a state dict that PyTorch wrote.
        partial: also accept a file with the encoder alone (all names below ``encoder.``, or those of the encoder
            itself, as timm and torchvision publish them); everything else keeps its initial values.

    Raises InputError that counts the parameters that are missing, unexpected or of another shape, and names the first,
    and for weights that are no finite numbers.
    """
    stored = read_weights(path)
    adopt(network, stored.tensors)
    optional = network.unused if isinstance(network, Extracted) else frozenset[str]()
    expected = network.state_dict()
    put = ("", *_shared(list(expected)), *(ENCODERS if partial else ()))
    found = fit(stored.tensors, expected, put, optional)
    encoder = ("encoder.", PREFIX)
    if partial and found.tensors and all(name.startswith(encoder) for name in (*found.tensors, *found.unexpected)):
        expected = {name: tensor for name, tensor in expected.items() if name.startswith(encoder)}
        found = fit(stored.tensors, expected, put, optional)
    if found.faults:
        below = f", below '{stored.inside}'," if stored.inside else ""
        raise InputError(
            f"weights {path}{below} are of another architecture: {len(found.tensors)} of {found.expected} tensors have "
            f"a place, but {found.faults}; give the decoder, encoder and options that they were trained with"
        )
    broken = [
        name for name, _ in network.named_parameters() if name in found.tensors and not _finite(found.tensors[name])
    ]
    if broken:
        raise InputError(
            f"weights {path}: expected finite numbers, found NaN or infinity in {len(broken)} of {found.expected} "
            f"tensors, the first {broken[0]}; take a checkpoint from before the training diverged"
        )
    network.load_state_dict(found.tensors, strict=False)
    return found


def _finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(tensor.float().isfinite().all())


def _shared(names: Sequence[str]) -> list[str]:
    """List what all names begin with, part by part: ``graph.``, ``graph.net.``."""
    levels = zip(*(name.split(".")[:-1] for name in names), strict=False)  # as many as the shortest name has
    same = [level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, levels)]
    return [".".join(same[:count]) + "." for count in range(1, len(same) + 1)]
