"""Maps are brought to one size as torch does it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tasks import resizing
from tasks.resizing import resize

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
    monkeypatch.setattr(resizing, "PRODUCTS", 5)
    values = torch.randn(1, 2, 6, 3)
    assert torch.equal(resize(values, (12, 6)), torchs(values, (12, 6)))


def test_half_precision_becomes_float32_and_maps_of_the_size_stay_as_they_are():
    values = torch.randn(1, 2, 4, 4)
    assert resize(values, (4, 4)) is values
    assert resize(values.bfloat16(), (8, 8)).dtype == torch.float32
