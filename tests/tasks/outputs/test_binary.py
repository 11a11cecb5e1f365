import math

import pytest
import torch

from tasks.base import Prediction
from tasks.outputs.binary import Binary, binary_kl, soft_iou_loss
from tests.support import ROUNDING, assert_alike


def predicted(logits, inside=None, size=None):
    logits = torch.as_tensor(logits, dtype=torch.float32)
    return Prediction((logits,), {}, {}, (), torch.zeros(1, 1), size or tuple(logits.shape[-2:]), inside)


def test_kl_equals_its_definition():
    student, teacher = torch.tensor([0.3, -2.0, 4.0]), torch.tensor([1.0, 0.5, -3.0])
    for tau in (1.0, 4.0):
        q, p = (teacher / tau).sigmoid(), (student / tau).sigmoid()
        expected = tau**2 * (q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log())
        assert_alike(binary_kl(student, teacher, tau), expected)


def test_kl_equals_that_of_two_classes():
    student, teacher = torch.randn(7), torch.randn(7)
    two = [torch.stack([z, torch.zeros_like(z)], dim=1).log_softmax(1) for z in (student, teacher)]
    expected = torch.nn.functional.kl_div(two[0], two[1], reduction="none", log_target=True).sum(1)
    assert_alike(binary_kl(student, teacher), expected)


def test_kl_is_finite_for_extreme_logits():
    student = torch.tensor([200.0, -200.0], requires_grad=True)
    loss = binary_kl(student, torch.tensor([-200.0, 200.0])).sum()
    assert loss.item() == pytest.approx(400.0, rel=ROUNDING)
    assert torch.autograd.grad(loss, student)[0].isfinite().all()


def test_supervised_by_hand():
    logits = torch.tensor([[[[2.0, -1.0, 5.0]]]])
    target = torch.tensor([[[1.0, 0.0, -1.0]]])  # the last position does not count
    p = logits.flatten().sigmoid()
    entropy = -(math.log(p[0]) + math.log(1 - p[1])) / 2
    iou = 1 - (p[0] + 1) / (1 + p[1] + 1)
    assert Binary().supervised([logits], target).item() == pytest.approx(entropy + iou.item(), rel=ROUNDING)


@pytest.mark.parametrize("target", [0.0, 0.25, 0.5, 1.0])
def test_iou_loss_is_smallest_where_the_prediction_is_the_target(target):
    everywhere = torch.ones(1, 1, 4, dtype=torch.bool)
    candidates = torch.linspace(0, 1, 21, dtype=torch.float64)
    losses = [
        soft_iou_loss(p.expand(1, 1, 4), torch.full((1, 1, 4), target, dtype=torch.float64), everywhere).item()
        for p in candidates
    ]
    assert losses.index(min(losses)) == round(20 * target)
    assert min(losses) == pytest.approx(0.0, abs=1e-12)


def test_iou_loss_of_hard_masks_is_that_of_products():
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(3, 5, 7, generator=generator, dtype=torch.float64)
    t = (torch.rand(3, 5, 7, generator=generator) > 0.6).double()
    expected = (1 - ((p * t).sum((1, 2)) + 1) / ((p + t - p * t).sum((1, 2)) + 1)).mean()
    assert_alike(soft_iou_loss(p, t, torch.ones(3, 5, 7, dtype=torch.bool)), expected)


def test_iou_loss_of_empty_masks_is_zero():
    nothing = torch.zeros(2, 3, 3)
    assert soft_iou_loss(nothing, nothing, torch.ones(2, 3, 3, dtype=torch.bool)) == 0
    assert soft_iou_loss(nothing + 1, nothing, torch.zeros(2, 3, 3, dtype=torch.bool)) == 0


def test_logits_are_resized_to_the_target():
    target = torch.zeros(1, 8, 8)
    coarse = torch.full((1, 1, 2, 2), 3.0)
    assert Binary().supervised([coarse], target) == pytest.approx(
        Binary().supervised([torch.full((1, 1, 8, 8), 3.0)], target).item(), rel=ROUNDING
    )


def test_hard_targets_threshold_at_a_half_and_ignore_padding():
    inside = torch.tensor([[[True, True, False]]])
    labels = Binary().hard_targets(predicted([[[[0.1, -0.1, 9.0]]]], inside))
    assert labels.tolist() == [[[1.0, 0.0, -1.0]]]
    assert Binary().labeled(labels, (1, 3)).tolist() == [[[True, True, False]]]


def test_mix_and_paste():
    a, b = torch.tensor([[[1.0, 1.0, -1.0, 0.0]]]), torch.tensor([[[0.0, 1.0, 1.0, -1.0]]])
    assert_alike(Binary().mix(a, b, torch.tensor([0.25])), torch.tensor([[[0.25, 1.0, -1.0, -1.0]]]))
    mask = torch.tensor([[[True, False, True, False]]])
    assert Binary().paste(a, b, mask).tolist() == [[[0.0, 1.0, 1.0, 0.0]]]


def test_summary_and_bounded():
    prediction = predicted([[[[1.0, 3.0, 100.0]]]], torch.tensor([[[True, True, False]]]))
    assert Binary().summary(prediction).tolist() == [[2.0]]
    assert_alike(Binary().bounded(prediction), prediction.maps[0].sigmoid())
