"""Memory of a forward pass, counted."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.training.activations import peak_activations

BYTES = 4  # of a float32
PLANE = 8 * 8 * BYTES


class Chain(nn.Module):
    """Two convolutions, the first wider; nothing is kept between them."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.narrow(self.wide(image))


class Skip(Chain):
    """The same, but the first output is needed again at the end."""

    def forward(self, image: Tensor) -> Tensor:
        wide = self.wide(image)
        return self.narrow(wide).sum() + wide.sum()


def test_what_lives_at_once_is_counted() -> None:
    """Both outputs are there when the second is made; weights and the image are not counted."""
    assert peak_activations(Chain(), torch.zeros(1, 3, 8, 8)) == (6 + 2) * PLANE


def test_what_is_kept_counts_until_it_is_dropped() -> None:
    """The wide map, and the two sums and their total beside it: the narrow map is gone by then."""
    assert peak_activations(Skip(), torch.zeros(1, 3, 8, 8)) == (6 + 2) * PLANE + BYTES


def test_views_and_changes_in_place_cost_nothing() -> None:
    network = nn.Sequential(nn.Conv2d(3, 6, 1), nn.ReLU(inplace=True), nn.Flatten())
    assert peak_activations(network, torch.zeros(1, 3, 8, 8)) == 6 * PLANE


def test_it_grows_with_the_batch() -> None:
    one, four = (peak_activations(Chain(), torch.zeros(count, 3, 8, 8)) for count in (1, 4))
    assert four == 4 * one
