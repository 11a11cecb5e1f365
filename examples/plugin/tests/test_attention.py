"""What holds of attention transfer."""

import pytest
import torch
from densedistill_example.attention import attention_distance


def test_a_value_by_hand():
    student = torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]])  # attention (1/2, 0): direction (1, 0)
    teacher = torch.tensor([[[[0.0, 3.0]]]])  # attention (0, 9): direction (0, 1)
    assert attention_distance(student, teacher).item() == pytest.approx(2.0)


def test_equal_attention_costs_nothing_whatever_the_scale_and_the_width():
    student = torch.rand(2, 3, 4, 4)
    teacher = 5 * student.repeat(1, 2, 1, 1)
    assert attention_distance(student, teacher).item() == pytest.approx(0.0, abs=1e-6)


def test_features_that_vanish_pass_a_finite_gradient():
    student = torch.zeros(1, 2, 3, 3, requires_grad=True)
    attention_distance(student, torch.rand(1, 2, 3, 3)).backward()
    assert student.grad.isfinite().all()


def test_the_gradient_in_double_precision():
    student = torch.rand(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    teacher = torch.rand(2, 4, 3, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda each: attention_distance(each, teacher), (student,))
