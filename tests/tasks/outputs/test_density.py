import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.base import Prediction
from tasks.outputs.bayesian import BayesianDensity, bayesian, stack_points
from tasks.outputs.density import Density, cell, overlap, pool, spread
from tests.support import ROUNDING, assert_alike


def predicted(maps, size, inside=None):
    return Prediction((maps,), {}, {}, (), torch.zeros(len(maps), 1), size, inside)


def test_cell_finds_the_stride():
    assert cell((96, 96), (12, 12)) == 8
    assert cell((30, 42), (8, 11)) == 4
    assert cell((9, 17), (2, 3)) == 8
    assert cell((5, 5), (1, 1)) == 8
    with pytest.raises(ValueError, match="do not cover"):
        cell((96, 96), (10, 10))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 4, 8, 16]), st.integers(0, 9))
def test_pool_and_spread_keep_the_count(height, width, stride, seed):
    density = torch.rand(2, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    size = (-(-height // stride), -(-width // stride))
    pooled = pool(density, size)
    torch.testing.assert_close(pooled.sum((1, 2)), density.sum((1, 2)))
    back = spread(pooled, (height, width))
    assert back.shape == density.shape
    torch.testing.assert_close(pool(back, size), pooled)


def test_pool_pads_to_whole_cells():
    assert pool(torch.ones(1, 9, 17), (2, 3)).tolist() == [[[64, 64, 8], [8, 8, 1]]]


def test_maps_hold_heads_in_64_pixels_at_every_stride():
    target = torch.full((1, 32, 32), 1 / 64)  # 16 heads
    for stride in (1, 4, 8, 16):
        maps = torch.ones(1, 1, 32 // stride, 32 // stride)
        assert Density().supervised([maps], target).item() == pytest.approx(0, abs=1e-10)
        assert Density().pixels(predicted(maps, (32, 32))).sum().item() == pytest.approx(16, rel=ROUNDING)


def test_losses_by_hand():
    target = torch.zeros(2, 16, 8)
    target[0, 3, 3] = 2.0
    maps = torch.tensor([[[[1.0], [0.5]]], [[[0.0], [0.0]]]])  # stride 8: heads a cell
    assert Density().supervised([maps], target).item() == pytest.approx((1 + 0.25) / 4, rel=ROUNDING)
    assert Density("reference").supervised([maps], target).item() == pytest.approx((1 + 0.25) / 2, rel=ROUNDING)
    teacher = predicted(torch.zeros(2, 1, 2, 1), (16, 8))
    assert Density().divergence(predicted(maps, (16, 8)), teacher).item() == pytest.approx((1 + 0.25) / 4, rel=ROUNDING)
    assert Density("reference").divergence(predicted(maps, (16, 8)), teacher).item() == pytest.approx(
        (1 + 0.25) / 2, rel=ROUNDING
    )


def test_divergence_between_strides_compares_counts():
    fine, coarse = torch.rand(1, 1, 9, 5), torch.rand(1, 1, 5, 3)
    expected = pool(fine[:, 0], (5, 3)) / 4
    found = Density().divergence(predicted(coarse, (36, 20)), predicted(fine, (36, 20)))
    assert_alike(found, ((coarse[:, 0] - expected) ** 2).mean())


def test_pseudo_labels_give_back_the_map():
    maps = torch.randn(2, 1, 4, 6) - 1  # negative densities count
    target = Density().hard_targets(predicted(maps, (30, 45)))
    assert target.shape == (2, 30, 45)
    assert Density().supervised([maps], target).item() == pytest.approx(0, abs=1e-9)
    assert_alike(target.sum((1, 2)), maps.sum((1, 2, 3)))


def test_mixing_adds_counts_and_pasting_moves_them():
    a, b = torch.full((1, 4, 4), 0.5), torch.full((1, 4, 4), 0.25)
    assert Density().mix(a, b, torch.tensor([0.75])).sum().item() == pytest.approx(0.75 * 8 + 0.25 * 4, rel=ROUNDING)
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[:, :, :2] = True
    assert Density().paste(a, b, mask).sum().item() == pytest.approx(4 + 2, rel=ROUNDING)


def test_summary_is_the_count_over_the_area():
    maps = torch.tensor([[[[3.0, 1.0], [0.0, 0.0]]]])
    assert Density().summary(predicted(maps, (16, 16))).item() == 1.0
    inside = torch.zeros(1, 16, 16, dtype=torch.bool)
    inside[:, :8] = True
    assert Density().summary(predicted(maps, (16, 16), inside)).item() == 2.0


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 60), st.integers(1, 60))
def test_overlap_keeps_the_count(h, w, height, width):
    density = np.random.default_rng(h * w).normal(size=(h, w))
    resized = overlap(density, (height, width))
    assert resized.shape == (height, width)
    assert resized.sum() == pytest.approx(density.sum(), abs=1e-9)


def test_overlap_by_hand():
    np.testing.assert_allclose(overlap(np.array([[1.0, 2.0, 3.0]]), (1, 2)), [[2.0, 4.0]])
    np.testing.assert_allclose(overlap(np.array([[1.0, 2.0]]), (1, 3)), [[2 / 3, 1.0, 4 / 3]])
    np.testing.assert_array_equal(overlap(np.eye(3), (3, 3)), np.eye(3))


def reference_bayesian(counts, points, size, stride, sigma, background):
    """The published procedure, image by image."""
    losses = []
    axis_y, axis_x = (torch.arange(0, n, stride).double() + stride / 2 for n in size)
    for density, xy in zip(counts, points, strict=True):
        if len(xy) == 0:
            losses.append(density.sum().abs())
            continue
        distance = (xy[:, 1, None] - axis_y)[:, :, None] ** 2 + (xy[:, 0, None] - axis_x)[:, None] ** 2
        distance = distance.flatten(1)
        nearest = distance.min(dim=0, keepdim=True).values
        distance = torch.cat([distance, (background * min(size) - nearest.sqrt()) ** 2])
        share = (-distance / (2 * sigma**2)).softmax(dim=0)
        expected = (share * density.flatten()).sum(dim=1)
        losses.append((torch.cat([torch.ones(len(xy)), torch.zeros(1)]) - expected).abs().sum())
    return torch.stack(losses)


def test_bayesian_loss_equals_the_published_procedure():
    draw = torch.Generator().manual_seed(0)
    size = (32, 48)
    points = [torch.rand(k, 2, generator=draw, dtype=torch.float64) * 30 for k in (3, 0, 9)]
    counts = torch.rand(3, 4, 6, generator=draw, dtype=torch.float64)
    expected = reference_bayesian(counts, points, size, 8, 8.0, 1.0)
    target = stack_points([p.float() for p in points], size)
    target = target._replace(xy=target.xy.double())
    for i, each in enumerate(points):
        target.xy[i, : len(each)] = each
    torch.testing.assert_close(bayesian(counts, target, reduction="reference"), expected.mean())
    torch.testing.assert_close(bayesian(counts, target), (expected / torch.tensor([4, 1, 10])).mean())


def test_bayesian_targets():
    space = BayesianDensity(4.0)
    a = stack_points([torch.tensor([[1.0, 1.0], [30.0, 5.0]])], (16, 32))
    b = stack_points([torch.tensor([[2.0, 9.0]])], (16, 32))
    mask = torch.zeros(1, 16, 32, dtype=torch.bool)
    mask[:, :, :16] = True
    assert space.paste(a, b, mask).weight.tolist() == [[0.0, 1.0, 1.0]]
    assert space.mix(a, b, torch.tensor([0.75])).weight.tolist() == [[0.75, 0.75, 0.25]]
    assert space.labeled(a, (16, 32)).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_points_mixed_with_themselves_ask_for_the_density_that_they_ask_for_alone(share):
    """Twins share a cell by their weights, so a right density has no error whatever the weight."""
    target = stack_points([torch.tensor([[8.0, 8.0], [24.0, 20.0]])], (32, 32))
    both = BayesianDensity().mix(target, target, torch.tensor([share]))
    counts = torch.rand(1, 8, 8)
    alone, mixed = (bayesian(counts, each, reduction="reference").item() for each in (target, both))
    assert mixed == pytest.approx(alone, rel=ROUNDING)
