"""Any module as a network of the suite: output and features are read at named nodes of its graph, by torch.fx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tasks.base import Prediction
from tasks.errors import InputError, nearest

GRAPH = "graph."  # before the names of a module's parameters, once it is traced
SHOWN = 12  # names of nodes in a message


class Extracted(nn.Module):
    """A traced module that returns a Prediction.

    Args:
        graph: maps images to the values of nodes, by the nodes' names.
        output: the node whose value (N,C,h,w) is the raw map.
        features: names of features -> nodes, each (N,C,h,w), shallow to deep.
        strides: of the features.
        unused: names of the module's parameters that none of these values depends on.
    """

    def __init__(
        self,
        graph: nn.Module,
        output: str,
        features: Mapping[str, str],
        strides: Mapping[str, int],
        unused: Iterable[str] = (),
    ) -> None:
        super().__init__()
        self.unused = frozenset(f"{GRAPH}{name}" for name in unused)
        self.graph, self.output = graph, output
        self.features, self.strides = dict(features), dict(strides)
        self.deepest = max(features, key=lambda name: strides[name])
        self.shared = ("decoder",) if "decoder" in features else (self.deepest,)

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,3T,H,W) to a Prediction."""
        values = self.graph(image)
        features = {name: values[node] for name, node in self.features.items()}
        return Prediction(
            maps=(values[self.output],),
            features=features,
            strides=dict(self.strides),
            shared=self.shared,
            embedding=features[self.deepest].mean(dim=(2, 3)),
            size=(image.shape[-2], image.shape[-1]),
        )


def extract(model: nn.Module, blank: Tensor, output: str | None, features: Mapping[str, str]) -> Extracted:
    """Trace a module and read its output and features at nodes.

    Args:
        model: anything that torch.fx can trace.
        blank: an image, (N,3T,H,W), from which the strides of nodes are learnt.
        output: a node; the last one by default.
        features: names -> nodes; by default the last node of each stride on the way down, ``stage1`` at stride 2,
            ``stage2`` at 4 and so on, less the head: the last nodes, as far as they have the output's channels. The
            head reads the feature named ``decoder``, else the deepest.

    Raises InputError where the module cannot be traced, a node is unknown, or a value is no map (N,C,h,w).
    """
    nodes = _nodes(model)
    output = output or nodes[-1]
    for key, node in {"output": output, **{f"features.{name}": node for name, node in features.items()}}.items():
        if node not in nodes:
            raise InputError(f"{key}={node}: the network has no such node{nearest(node, nodes)}; {_listed(nodes)}")
    seen = _maps(model, nodes, blank)
    for node in (output, *features.values()):
        if node not in seen:
            raise InputError(f"node '{node}' holds no map (N,C,h,w) of the {len(blank)} images; {_listed(list(seen))}")
    chosen = dict(features) or _stages(_without_head(seen, seen[output].channels))
    if not chosen:
        raise InputError(f"no node has a map of stride 2 or more: name features of the network; {_listed(nodes)}")
    chosen = dict(sorted(chosen.items(), key=lambda pair: (pair[0] == "decoder", seen[pair[1]].stride)))
    graph = _traced(model, {output, *chosen.values()})
    unused = model.state_dict().keys() - graph.state_dict().keys()
    return Extracted(graph, output, chosen, {name: seen[node].stride for name, node in chosen.items()}, unused)


def _nodes(model: nn.Module) -> list[str]:
    """Name the nodes of a module's graph that both of its modes have, in order."""
    from torchvision.models.feature_extraction import get_graph_node_names  # takes seconds, so not at the top

    try:
        train, evaluation = get_graph_node_names(model)
    except Exception as error:  # torch.fx raises what the module's own code raises on symbols
        raise InputError(
            f"{type(model).__name__} cannot be traced by torch.fx ({type(error).__name__}: {error}); let its forward "
            "return a tasks.base.Prediction instead"
        ) from error
    return [node for node in evaluation if node in set(train)]


def _traced(model: nn.Module, nodes: Iterable[str]) -> nn.Module:
    """Trace a module: what comes of it gives the values of nodes by their names."""
    from torchvision.models.feature_extraction import create_feature_extractor  # takes seconds, so not at the top

    return create_feature_extractor(model, {node: node for node in nodes})


class _Map(NamedTuple):
    """What a node's value is like."""

    channels: int
    stride: int


def _maps(model: nn.Module, nodes: list[str], blank: Tensor) -> dict[str, _Map]:
    """Run the module once, and describe the nodes whose values are maps of the images."""
    with torch.no_grad():
        values = _traced(model, nodes).eval()(blank)
    return {
        node: _Map(value.shape[1], max(1, round(blank.shape[-1] / value.shape[-1])))
        for node, value in values.items()
        if isinstance(value, Tensor) and value.ndim == 4 and len(value) == len(blank) and value.shape[-1] > 0
    }


def _without_head(seen: Mapping[str, _Map], channels: int) -> dict[str, _Map]:
    """Leave out the last nodes, as far as they have the output's channels."""
    kept = list(seen.items())
    while kept and kept[-1][1].channels == channels:
        kept.pop()
    return dict(kept)


def _stages(seen: Mapping[str, _Map]) -> dict[str, str]:
    """Choose the last node of each stride before a larger one appears, from stride 2 on.

    Stages halve one after the other; a map that is far smaller than the one before has been pooled, and is none.
    """
    deepest, stages = 1, dict[int, str]()
    for node, (_, stride) in seen.items():
        if deepest > 1 and stride > 2 * deepest:
            continue
        deepest = max(deepest, stride)
        if stride == deepest > 1:
            stages[stride] = node
    return {f"stage{stride.bit_length() - 1}": node for stride, node in stages.items()}


def _listed(nodes: list[str]) -> str:
    """Name some nodes, the last ones, which lie next to the output."""
    more = f"... ({len(nodes) - SHOWN} before them) " if len(nodes) > SHOWN else ""
    return f"its nodes are {more}{', '.join(nodes[-SHOWN:])}"
