import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import methods.cckd as module
from methods.base import SUPERVISED
from methods.cckd import CorrelationCongruence, balanced, correlation_congruence, draw_positions
from methods.pixel import pixelwise_kl
from tasks.errors import InputError
from tests.support import assert_alike

PRECISIONS = [(torch.float64, "_f64", 1e-5), (torch.float32, "", 1e-4)]
TERMS = [SUPERVISED, "pixel", "image", "region"]


def rows(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("reduction", ["mean", "reference"])
@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_reference_values(reference, reduction, dtype, key, tolerance):
    case = reference("cc_kdzoo_g04_p2", dtype)
    student = case["in_S"].requires_grad_()
    value = correlation_congruence(student, case["in_T"], float(case["hp_gamma"]), int(case["hp_P"]), reduction)
    value.backward()
    assert value.item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S{key}"].item(), rel=1e-4)
    assert_alike(student.grad.float(), case["grad_S"])


@given(seed=st.integers(0, 1000), order=st.integers(1, 4))
def test_laws(seed, order):
    student, teacher = rows(seed, 7, 5), rows(seed + 1, 7, 5)
    rotated = 3.0 * student @ torch.linalg.qr(rows(seed + 2, 5, 5)).Q
    value = correlation_congruence(student, teacher, order=order)
    assert value > 0.0
    assert correlation_congruence(student, student, order=order).item() == 0.0
    assert torch.isclose(correlation_congruence(teacher, student, order=order), value)
    assert torch.isclose(correlation_congruence(rotated, teacher, order=order), value)
    shuffle = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    assert torch.isclose(correlation_congruence(student[shuffle], teacher[shuffle], order=order), value)


def test_a_high_order_is_the_gaussian_kernel():
    student, teacher = (torch.nn.functional.normalize(rows(seed, 6, 3), dim=1) for seed in (0, 1))
    kernels = [torch.exp(-0.4 * torch.cdist(each, each).square()) for each in (student, teacher)]
    expected = (kernels[0] - kernels[1]).square().mean()
    assert correlation_congruence(student, teacher, gamma=0.4, order=20).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("block", [2, 5, 512])
def test_blocks_of_rows_change_nothing(monkeypatch, block):
    student, teacher = rows(0, 5, 3).requires_grad_(), rows(1, 5, 4)
    whole = torch.autograd.grad(correlation_congruence(student, teacher), student)[0]
    monkeypatch.setattr(module, "BLOCK", block)
    assert torch.allclose(torch.autograd.grad(correlation_congruence(student, teacher), student)[0], whole)
    assert torch.autograd.gradcheck(lambda s: correlation_congruence(s, teacher), student)


def test_rows_without_direction_are_finite():
    student = torch.zeros(3, 4, requires_grad=True)
    value = correlation_congruence(student, torch.randn(3, 2))
    value.backward()
    assert value > 0.0
    assert student.grad.abs().max() == 0.0
    assert correlation_congruence(torch.zeros(3, 4), torch.zeros(3, 2)).item() == 0.0


def test_each_class_is_drawn_as_often_as_every_other():
    groups = torch.cat([torch.zeros(900), torch.ones(90), torch.full((10,), 2.0)]).long()
    valid = torch.ones(1000, dtype=torch.bool)
    generator = torch.Generator().manual_seed(0)
    for weight, shares in ((balanced(groups, 4, valid), [1 / 3] * 3), (valid, [0.9, 0.09, 0.01])):
        drawn = torch.stack([draw_positions(weight, 6, generator) for _ in range(300)])
        assert all(len(set(each.tolist())) == 6 for each in drawn)
        counts = groups[drawn].flatten().bincount(minlength=3) / drawn.numel()
        assert counts.tolist() == pytest.approx(shares, abs=0.06)


def test_invalid_positions_come_last_and_count_for_nothing():
    valid = torch.tensor([True, False, True, False])
    weight = balanced(torch.tensor([0, 1, 0, 0]), 3, valid)
    assert weight.tolist() == [0.5, 0.0, 0.5, 0.0]
    assert sorted(draw_positions(weight, 3, torch.Generator().manual_seed(0))[:2].tolist()) == [0, 2]


def test_every_term_is_what_the_equation_says(make_step):
    step = make_step()
    terms = CorrelationCongruence(step.setting(), instances=10_000)(step)
    student, teacher = step.student(step.labeled), step.teacher(step.labeled)
    assert list(terms) == TERMS
    assert torch.equal(terms["pixel"], pixelwise_kl(student.maps[0], teacher.maps[0]))
    assert torch.equal(terms["image"], correlation_congruence(student.embedding, teacher.embedding))
    positions = [each.features["decoder"].movedim(1, -1).flatten(0, 2) for each in (student, teacher)]
    assert_alike(terms["region"], correlation_congruence(*positions))
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in step.student_net.parameters())


@pytest.mark.parametrize("sampling", ["uniform", "class"])
def test_a_student_like_its_teacher_has_nothing_to_learn(make_step, sampling):
    terms = CorrelationCongruence((step := make_step(same=True)).setting(), sampling=sampling, instances=9)(step)
    assert [terms[name].item() for name in TERMS[1:]] == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)


def test_invalid_positions_are_no_instances(make_step):
    step = make_step()
    step.labeled.inside[:, :, 8:] = False
    terms = CorrelationCongruence(step.setting(), instances=10_000)(step)
    student, teacher = step.student(step.labeled), step.teacher(step.labeled)
    left = [each.features["decoder"][..., :2].movedim(1, -1).flatten(0, 2) for each in (student, teacher)]
    share = (len(left[0]) / (3 * 4 * 4)) ** 2
    assert_alike(terms["region"], share * correlation_congruence(*left))


@pytest.mark.parametrize(("space", "channels"), [("mask", 1), ("classes", 4)])
def test_classes_come_from_the_teacher(make_step, space, channels):
    step = make_step(space)
    step.output.bounded = lambda prediction: prediction.maps[0]
    groups, kinds = CorrelationCongruence(step.setting(), bins=5)._groups(step, (4, 4))
    maps = step.teacher(step.labeled).maps[0]
    if channels > 1:
        assert kinds == 4
        assert torch.equal(groups, maps.argmax(dim=1).flatten())
    else:
        assert kinds == 5
        assert (groups.min(), groups.max()) == (0, 4)
        width = (maps.max() - maps.min()).item() / 5
        assert groups[0].item() == min(4, math.floor((maps.flatten()[0] - maps.min()).item() / width))


@pytest.mark.parametrize(
    ("option", "left"),
    [
        ({"pixel": 0.0}, [SUPERVISED, "image", "region"]),
        ({"image": 0.0, "region": 0.0}, TERMS[:2]),
        ({"pixel": 0.0, "image": 0.0, "region": 0.0}, [SUPERVISED]),
    ],
)
def test_terms_without_weight_cost_nothing(make_step, option, left):
    step = make_step()
    assert list(CorrelationCongruence(step.setting(), **option)(step)) == left
    assert len(step.calls) == (1 if left == [SUPERVISED] else 2)


@pytest.mark.parametrize("option", [{"region": -1.0}, {"gamma": 0.0}, {"order": 0}, {"instances": 0}])
def test_senseless_options_are_refused(make_step, option):
    with pytest.raises(InputError, match=next(iter(option))):
        CorrelationCongruence(make_step().setting(), **option)
