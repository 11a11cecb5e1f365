"""From a specification to a network: the task's own builder, or a registered class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tasks.base import NetworkSpec, Prediction, Task, networks
from tasks.errors import InputError
from tasks.networks.extracted import extract
from tasks.networks.hub import whole
from tasks.networks.shrunk import Shrunk
from tasks.networks.weights import load_weights
from tasks.registry import options


def build_network(task: Task, spec: NetworkSpec, size: tuple[int, int]) -> nn.Module:
    """Build a network whose forward maps images (N,3*frames,H,W) to a Prediction.

    A class of the registry ``networks`` takes the number of channels of each raw map by position and its options by
    keyword. Its forward returns a Prediction; if it returns anything else, it is traced (``tasks.networks.extracted``).

    Args:
        task: what is predicted.
        spec: which network.
        size: (H,W) of an image that the network must take.

    With ``spec.shrink`` the network sees the image averaged over so many pixels each way.

    Raises InputError where the network is unknown, cannot be built, or does not fit the task.
    """
    if spec.shrink < 1:
        raise InputError(f"shrink={spec.shrink}: expected a whole number of pixels each way, 1 for all that there are")
    network = _on_its_pixels(task, whole(spec), tuple(-(-side // spec.shrink) for side in size))
    return Shrunk(network, spec.shrink) if spec.shrink > 1 else network


def _on_its_pixels(task: Task, spec: NetworkSpec, size: tuple[int, ...]) -> nn.Module:
    """Build the network itself, for images of the size that it sees."""
    if spec.network is None:
        return task.network(spec)
    model = _construct(networks[spec.network], spec, task.output.channels)
    if spec.weights is not None:
        load_weights(model, Path(spec.weights))
    blank = torch.zeros(2, 3 * task.frames, *size)
    network = _returning_predictions(model, spec, blank)
    with torch.no_grad():
        maps = network.eval()(blank).maps
    if any(each.ndim != 4 or each.shape[1] != task.output.channels for each in maps):
        raise InputError(
            f"network '{spec.network}' returns maps {[tuple(each.shape) for each in maps]}; task={task.name} expects "
            f"(N,{task.output.channels},h,w): use the number that the constructor is given, or choose student.output"
        )
    return network.train()


def _construct(cls: type[nn.Module], spec: NetworkSpec, channels: int) -> nn.Module:
    """Call a registered class: channels by position where it takes any, options by keyword."""
    takes = [each for each in inspect.signature(cls).parameters.values() if each.kind not in _KEYWORD]
    unknown = sorted(spec.options.keys() - options(cls).keys())
    if unknown:
        raise InputError(f"network '{spec.network}' has no option {', '.join(unknown)}; it has {_named(options(cls))}")
    try:
        return cls(*([channels] if takes else []), **spec.options)
    except InputError:
        raise
    except Exception as error:  # a class of the user's may raise anything
        raise InputError(f"network '{spec.network}' cannot be built: {type(error).__name__}: {error}") from error


_KEYWORD = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


def _named(found: Mapping[str, Any]) -> str:
    return ", ".join(found) or "none: its options are keyword-only arguments of the constructor"


def _named_nodes(features: Any) -> dict[str, str]:
    """Read what the configuration says of features: names -> nodes, or nothing."""
    if features is None:
        return {}
    if not isinstance(features, Mapping):
        raise InputError(f"features={features}: expected names and nodes, student.features={{early: NODE, late: NODE}}")
    return {str(name): str(node) for name, node in features.items()}


def _returning_predictions(model: nn.Module, spec: NetworkSpec, blank: torch.Tensor) -> nn.Module:
    """Return the module if its forward returns a Prediction, else its traced form."""
    try:
        with torch.no_grad():
            found = model.eval()(blank)
    except Exception as error:
        raise InputError(
            f"network '{spec.network}' fails on images {tuple(blank.shape)}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Prediction):
        return extract(model.train(), blank, spec.output, _named_nodes(spec.features))
    if spec.output or spec.features:
        raise InputError(f"network '{spec.network}' returns a Prediction, which names all: drop output= and features=")
    return model
