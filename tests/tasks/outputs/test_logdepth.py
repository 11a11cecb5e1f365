import math

import pytest
import torch

from tasks.base import Prediction
from tasks.outputs.logdepth import LogDepth, silog
from tests.support import ROUNDING, assert_alike

SPACE = LogDepth(10.0)


def predicted(metres, inside=None):
    maps = torch.as_tensor(metres, dtype=torch.float32).log()
    return Prediction((maps,), {}, {}, (), torch.zeros(1, 1), tuple(maps.shape[-2:]), inside)


def test_silog_by_hand():
    e = [0.5, -0.1, 0.2]
    depth = torch.tensor([[[1.0, 2.0, 3.0, 7.0]]])
    found = depth.log() + torch.tensor([[[*e, 9.0]]])
    valid = torch.tensor([[[True, True, True, False]]])
    squares, mean = sum(x * x for x in e) / 3, sum(e) / 3
    assert silog(found, depth, valid).item() == pytest.approx(math.sqrt(squares - 0.85 * mean**2), rel=ROUNDING)
    assert silog(found, depth, valid, focus=1.0).item() == pytest.approx(math.sqrt(squares - mean**2), rel=ROUNDING)


def test_reference_pools_the_batch_and_multiplies_by_ten():
    draw = torch.Generator().manual_seed(0)
    found, depth = torch.randn(2, 4, 5, generator=draw), 1 + torch.rand(2, 4, 5, generator=draw)
    valid = torch.rand(2, 4, 5, generator=draw) > 0.5
    error = (found - depth.log())[valid]
    expected = 10 * (error.var(correction=0) + 0.15 * error.mean() ** 2).sqrt()
    assert_alike(silog(found, depth, valid, reduction="reference"), expected)


def test_the_default_is_a_mean_over_images():
    draw = torch.Generator().manual_seed(0)
    maps, depth = torch.randn(4, 1, 4, 5, generator=draw), 1 + torch.rand(4, 4, 5, generator=draw)
    halves = (SPACE.supervised([maps[:2]], depth[:2]) + SPACE.supervised([maps[2:]], depth[2:])) / 2
    assert_alike(SPACE.supervised([maps], depth), halves)


def test_a_global_factor_costs_little():
    depth = 1 + torch.rand(1, 4, 5)
    exact = depth.log()[:, None]
    assert SPACE.supervised([exact], depth) < 1e-3
    assert SPACE.supervised([exact + 1], depth).item() == pytest.approx(math.sqrt(0.15), rel=1e-3)


def test_missing_depth_and_depth_from_the_cap_on_do_not_count():
    depth = torch.tensor([[[2.0, 0.0, 10.0, 55.0]]])
    assert SPACE.labeled(depth, (1, 4)).tolist() == [[[True, False, False, False]]]
    maps = torch.tensor([[[[2.0, 5.0, 5.0, 5.0]]]], requires_grad=True)
    loss = SPACE.supervised([maps], depth)
    assert loss.item() == pytest.approx((2 - math.log(2)) * math.sqrt(0.15), rel=ROUNDING)
    assert torch.autograd.grad(loss, maps)[0][..., 1:].abs().sum() == 0


def test_an_image_without_depth_leaves_the_mean_alone():
    depth, maps = torch.ones(2, 1, 1), torch.ones(2, 1, 1, 1)
    depth[1] = 0
    assert SPACE.supervised([maps], depth) == SPACE.supervised([maps[:1]], depth[:1])


def test_divergence_is_the_mean_log_ratio_over_valid_positions():
    inside = torch.tensor([[[True, True, False]]])
    student, teacher = predicted([[[[2.0, 1.0, 9.0]]]], inside), predicted([[[[1.0, 4.0, 1.0]]]], inside)
    assert SPACE.divergence(student, teacher).item() == pytest.approx((math.log(2) + math.log(4)) / 2, rel=ROUNDING)
    assert SPACE.divergence(student, teacher, 4.0) == SPACE.divergence(student, teacher)


def test_hard_targets_are_metres():
    inside = torch.tensor([[[True, True, False]]])
    target = SPACE.hard_targets(predicted([[[[2.0, 12.0, 3.0]]]], inside))
    assert target.flatten().tolist() == pytest.approx([2.0, 0.0, 0.0], rel=ROUNDING)


def test_superposed_images_have_depth_only_where_one_dominates():
    a, b = torch.full((3, 1, 1), 2.0), torch.full((3, 1, 1), 5.0)
    assert SPACE.mix(a, b, torch.tensor([0.8, 0.5, 0.1])).flatten().tolist() == [2.0, 0.0, 5.0]


def test_summary_is_mean_and_deviation_of_the_logarithm():
    prediction = predicted([[[[1.0, math.e**2, 77.0]]]], torch.tensor([[[True, True, False]]]))
    assert_alike(SPACE.summary(prediction), torch.tensor([[1.0, 1.0]]))


def test_bounded_is_half_at_half_the_cap():
    assert_alike(SPACE.bounded(predicted([[[[5.0, 10.0]]]])).flatten(), torch.tensor([0.5, 2 / 3]))


def test_metres_are_finite():
    assert SPACE.metres(torch.tensor([1e9, -1e9])).tolist() == pytest.approx([1e3, 1e-3], rel=ROUNDING)
