"""Registered networks: built from their options, checked against the task, whatever their forward returns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from tasks.base import Info, NetworkSpec, Prediction, networks
from tasks.errors import InputError
from tasks.networks.build import build_network
from tasks.networks.weights import load_weights
from tasks.segmentation import Segmentation

TASK = Segmentation(Info(classes=("sky", "road", "car")))
SIZE = (32, 64)


class Tiny(nn.Module):
    """A map at half the size."""

    def __init__(self, channels: int, *, width: int = 4) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, width, 3, 2, 1), nn.Conv2d(width, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image).relu())


class Whole(Tiny):
    """The same, as a Prediction."""

    def forward(self, image: Tensor) -> Prediction:
        body = self.body(image).relu()
        pooled, size = body.mean(dim=(2, 3)), (image.shape[-2], image.shape[-1])
        return Prediction((self.head(body),), {"body": body}, {"body": 2}, ("body",), pooled, size)


class Fixed(nn.Module):
    """Predicts two channels, whatever it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.body(image))


class Stubborn(Tiny):
    """Takes nothing but squares."""

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] != image.shape[-2]:
            raise ValueError("not square")
        return super().forward(image)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """The classes above, under their names in small letters."""
    with networks.restored():
        for cls in (Tiny, Whole, Fixed, Stubborn):
            networks.register(cls.__name__.lower())(cls)
        yield


@pytest.mark.parametrize("name", ["tiny", "whole"])
def test_a_class_becomes_a_network(name: str) -> None:
    network = build_network(TASK, NetworkSpec(network=name, options={"width": 6}), SIZE)
    prediction = network(torch.zeros(2, 3, *SIZE))
    assert prediction.maps[0].shape == (2, 3, 16, 32)
    assert list(prediction.strides.values()) == [2]
    assert prediction.embedding.shape == (2, 6)
    assert network.training


def test_weights_by_the_modules_own_names_fit_its_traced_form(tmp_path: Path) -> None:
    """As first weights, and as a teacher's checkpoint; the file that the suite writes fits as well."""
    model, path = Tiny(3), tmp_path / "own.safetensors"
    safetensors.torch.save_file(model.state_dict(), path)
    first = build_network(TASK, NetworkSpec(network="tiny", weights=str(path)), SIZE)
    torch.testing.assert_close(first.get_parameter("graph.body.weight"), model.body.weight, rtol=0, atol=0)
    later = build_network(TASK, NetworkSpec(network="tiny"), SIZE)
    load_weights(later, path)
    torch.testing.assert_close(later.get_parameter("graph.head.bias"), model.head.bias, rtol=0, atol=0)
    safetensors.torch.save_file(first.state_dict(), path)
    load_weights(build_network(TASK, NetworkSpec(network="tiny"), SIZE), path)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (NetworkSpec(network="tinny"), "unknown network 'tinny'.*tiny"),
        (NetworkSpec(network="tiny", options={"depth": 2}), "network 'tiny' has no option depth; it has width"),
        (NetworkSpec(network="tiny", options={"width": -1}), "network 'tiny' cannot be built: RuntimeError"),
        (NetworkSpec(network="fixed"), r"returns maps \[\(2, 2, 16, 32\)\]; task=seg expects \(N,3,h,w\)"),
        (NetworkSpec(network="stubborn"), r"fails on images \(2, 3, 32, 64\): ValueError: not square"),
        (NetworkSpec(network="tiny", features="body"), "features=body: expected names and nodes"),
        (NetworkSpec(network="whole", output="head"), "returns a Prediction, which names all"),
    ],
)
def test_faults_are_told(spec: NetworkSpec, says: str) -> None:
    with pytest.raises(InputError, match=says):
        build_network(TASK, spec, SIZE)
