"""Strided 1x1 convolutions, which oneDNN gets wrong for few channels, keep their weights, names and results."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from benchmark.training.device import build_fabric, place
from benchmark.training.strided import Subsampled, subsample_strided


@given(inputs=st.integers(1, 15), outputs=st.integers(1, 9), size=st.integers(1, 17), stride=st.integers(2, 3))
def test_results_and_gradients_are_those_of_the_convolution(inputs: int, outputs: int, size: int, stride: int) -> None:
    reference = nn.Conv2d(inputs, outputs, 1, stride).double()
    guarded = subsample_strided(copy.deepcopy(reference))
    image = torch.randn(2, inputs, size, size + 1, dtype=torch.float64, requires_grad=True)
    for network in (reference, guarded):
        network(image).square().sum().backward()
    torch.testing.assert_close(guarded(image), reference(image))
    torch.testing.assert_close(guarded.weight.grad, reference.weight.grad)
    assert isinstance(guarded, Subsampled)
    assert guarded.state_dict().keys() == reference.state_dict().keys()


@pytest.mark.parametrize("channels", [1, 4, 7])
def test_a_placed_network_of_few_channels_survives_training(channels: int) -> None:
    """Without the change 60 steps corrupt the heap of a machine with AVX2: the process dies here or soon after."""
    fabric = build_fabric("cpu", "32")
    network = place(nn.Conv2d(channels, 8, 1, 2, bias=False), fabric, channels_last=True)
    image = torch.randn(16, channels, 16, 16).contiguous(memory_format=torch.channels_last)
    kept = []
    for _ in range(60):
        network.zero_grad()
        network(image).square().sum().backward()
        assert network.weight.grad is not None
        kept.append(network.weight.grad.clone())
    wide = network.weight.detach().double().requires_grad_()
    nn.functional.conv2d(image.double(), wide, stride=2).square().sum().backward()
    assert wide.grad is not None
    for gradient in kept:
        torch.testing.assert_close(gradient.double(), wide.grad, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 8, 1),
        nn.Conv2d(4, 8, 3, 2, padding=1),
        nn.Conv2d(16, 8, 1, 2),
        nn.Conv2d(4, 8, 1, 2, padding=1),
        nn.LazyConv2d(8, 1, 2),
    ],
    ids=["no stride", "larger", "a whole block", "padded", "a class of its own"],
)
def test_others_stay_as_they_are(convolution: nn.Module) -> None:
    assert type(subsample_strided(copy.deepcopy(convolution))) is type(convolution)
