"""Output and features of any module are read at the nodes of its graph."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tasks.errors import InputError
from tasks.networks.extracted import extract

BLANK = torch.zeros(2, 3, 32, 64)


class Plain(nn.Module):
    """Two stages of stride 2, a decoder, a head, resized to the image."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4)
        self.second, self.third = nn.Conv2d(4, 8, 3, 2, 1), nn.Conv2d(8, 8, 1)
        self.head = nn.Conv2d(8, 5, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        deep = self.third(self.second(self.norm(self.first(image)).relu()))
        return {"out": nn.functional.interpolate(self.head(deep), image.shape[-2:], mode="bilinear")}


class Branching(nn.Module):
    """What torch.fx cannot trace: a branch on values."""

    def forward(self, image: Tensor) -> Tensor:
        return image if image.sum() > 0 else -image


def test_values_are_those_of_the_module() -> None:
    model, image = Plain().eval(), torch.randn(2, 3, 32, 64)
    network = extract(model, BLANK, None, {}).eval()
    prediction = network(image)
    torch.testing.assert_close(prediction.maps[0], model(image)["out"], rtol=0, atol=0)
    assert prediction.strides == {"stage1": 2, "stage2": 4}
    assert prediction.shared == ("stage2",)
    assert prediction.features["stage1"].shape == (2, 4, 16, 32)
    first = model.norm(model.first(image)).relu()
    torch.testing.assert_close(prediction.features["stage1"], first, rtol=0, atol=0)
    deepest = prediction.features["stage2"]
    assert deepest.shape == (2, 8, 8, 16)
    torch.testing.assert_close(prediction.embedding, deepest.mean(dim=(2, 3)), rtol=0, atol=0)


def test_named_nodes_are_read() -> None:
    """A name `decoder` says what the head reads; names may come in any order."""
    network = extract(Plain(), BLANK, "head", {"decoder": "third", "deep": "second", "early": "first"})
    prediction = network(BLANK)
    assert prediction.maps[0].shape == (2, 5, 8, 16)
    assert prediction.strides == {"early": 2, "deep": 4, "decoder": 4}
    assert prediction.shared == ("decoder",)


def test_it_trains_in_both_modes() -> None:
    network = extract(Plain(), BLANK, None, {})
    network.train()(torch.randn(2, 3, 32, 64)).maps[0].sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    mean = network.graph.get_buffer("norm.running_mean").clone()
    network.eval()(torch.randn(2, 3, 32, 64))
    torch.testing.assert_close(network.graph.get_buffer("norm.running_mean"), mean, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("output", "features", "says"),
    [
        ("haed", {}, "output=haed: the network has no such node.*'head'"),
        (None, {"deep": "secnd"}, "features.deep=secnd: the network has no such node.*'second'"),
        ("getattr", {}, "node 'getattr' holds no map"),
    ],
)
def test_wrong_nodes_are_named(output: str | None, features: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        extract(Plain(), BLANK, output, features)


def test_what_cannot_be_traced_is_told() -> None:
    with pytest.raises(InputError, match=r"Branching cannot be traced by torch.fx .*return a tasks.base.Prediction"):
        extract(Branching(), BLANK, None, {})
