"""What all output spaces do with maps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.outputs import maps
from tasks.outputs.maps import nearest, resize

SIZES = [((6, 6), (24, 24)), ((3, 7), (12, 20)), ((24, 32), (5, 9)), ((1, 1), (8, 8)), ((8, 4), (8, 16))]


def torchs(values: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(values, size=size, mode="bilinear", align_corners=False)


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_maps_are_resized_as_torch_does_it_and_so_are_their_gradients(source, target):
    values = torch.randn(2, 3, *source, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    gradient = torch.randn(2, 3, *target, dtype=torch.float64)
    made = []
    for form in (resize, torchs):
        leaf = values.clone().requires_grad_()
        result = form(leaf, target)
        (back,) = torch.autograd.grad(result, leaf, gradient)
        made.append((result, back))
    torch.testing.assert_close(made[0], made[1], rtol=1e-10, atol=1e-10)


def test_larger_maps_are_resized_by_torch(monkeypatch):
    monkeypatch.setattr(maps, "PRODUCTS", 5)
    values = torch.randn(1, 2, 6, 3)
    assert torch.equal(resize(values, (12, 6)), torchs(values, (12, 6)))


def test_half_precision_becomes_float32_and_maps_of_the_size_stay_as_they_are():
    values = torch.randn(1, 2, 4, 4)
    assert resize(values, (4, 4)) is values
    assert resize(values.bfloat16(), (8, 8)).dtype == torch.float32


@pytest.mark.parametrize(("source", "target"), [*SIZES, ((25, 9), (10, 6))])
def test_the_nearest_value_is_the_one_that_holds_the_centre_of_a_cell(source, target):
    values = torch.arange(source[0] * source[1]).view(1, *source)
    rows, columns = ([int((i + 0.5) * s / t) for i in range(t)] for s, t in zip(source, target, strict=True))
    assert nearest(values, target)[0].tolist() == [[row * source[1] + column for column in columns] for row in rows]
    assert nearest(values.bool(), target).dtype == torch.bool
