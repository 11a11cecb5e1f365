import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from methods.base import SUPERVISED
from methods.pixel import Pixel, channelwise_kl, pixelwise_kl
from tasks.errors import InputError
from tests.support import assert_alike

LOSSES = [pixelwise_kl, channelwise_kl]
CASES = [("pixkd_cirkd_t4", pixelwise_kl), ("cwd_mmrazor_t4", channelwise_kl)]


def maps(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("reduction", ["mean", "reference"])
@pytest.mark.parametrize(("name", "loss"), CASES)
@pytest.mark.parametrize(("dtype", "key", "tolerance"), [(torch.float64, "_f64", 1e-5), (torch.float32, "", 1e-4)])
def test_reference_values(reference, name, loss, reduction, dtype, key, tolerance):
    case = reference(name, dtype)
    student = case["in_S"].requires_grad_()
    value = loss(student, case["in_T"], float(case["hp_temperature"]), reduction=reduction)
    value.backward()
    assert value.item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S{key}"].item(), rel=1e-4)
    assert_alike(student.grad.float(), case["grad_S"])


@pytest.mark.parametrize("loss", LOSSES)
@given(seed=st.integers(0, 1000), temperature=st.sampled_from([0.5, 1.0, 4.0]))
def test_zero_at_the_teacher_and_positive_elsewhere(loss, seed, temperature):
    teacher, student = maps(seed, 2, 3, 4, 5), maps(seed + 1, 2, 3, 4, 5)
    assert loss(teacher, teacher, temperature).item() == 0.0
    assert loss(student, teacher, temperature).item() > 0.0


@given(seed=st.integers(0, 1000))
def test_softmax_does_not_see_a_constant(seed):
    student, teacher = maps(seed, 2, 3, 4, 5), maps(seed + 1, 2, 3, 4, 5)
    a_class, a_position = maps(seed + 2, 2, 3, 1, 1), maps(seed + 3, 2, 1, 4, 5)
    assert torch.isclose(pixelwise_kl(student + a_position, teacher), pixelwise_kl(student, teacher))
    assert torch.isclose(channelwise_kl(student + a_class, teacher), channelwise_kl(student, teacher))


@pytest.mark.parametrize("loss", LOSSES)
def test_invalid_positions_take_no_part(loss):
    student, teacher, valid = maps(0, 2, 3, 4, 5).requires_grad_(), maps(1, 2, 3, 4, 5), torch.ones(2, 4, 5).bool()
    valid[:, :, 3:] = False
    value = loss(student, teacher, 2.0, valid)
    value.backward()
    assert torch.isclose(value, loss(student[..., :3], teacher[..., :3], 2.0))
    assert student.grad[..., 3:].abs().max() == 0.0
    assert not torch.isclose(value, loss(student, teacher, 2.0, valid, reduction="reference"))


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_valid_gives_zero_with_a_gradient(loss):
    student = maps(0, 1, 2, 3, 3).requires_grad_()
    value = loss(student, maps(1, 1, 2, 3, 3), 1.0, torch.zeros(1, 3, 3).bool())
    value.backward()
    assert value.item() == 0.0
    assert student.grad.abs().max() == 0.0


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_and_stopped_teacher(loss):
    student, teacher = maps(0, 2, 3, 3, 2).requires_grad_(), maps(1, 2, 3, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: loss(s, teacher, 3.0), student)
    loss(student, teacher, 3.0).backward()
    assert teacher.grad is None


@pytest.mark.parametrize("loss", LOSSES)
def test_half_precision_is_computed_in_full(loss):
    student, teacher = maps(0, 2, 3, 4, 4).bfloat16(), maps(1, 2, 3, 4, 4).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(student=student, teacher=teacher, temperature=2.0)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss(student.float(), teacher.float(), 2.0))


def test_pixel_is_the_divergence_of_the_output_space(make_step):
    step = make_step()
    terms = Pixel(step.setting(), temperature=2.0)(step)
    student, teacher = step.student(step.labeled).maps[0], step.teacher(step.labeled).maps[0]
    assert torch.equal(terms["pixel"], pixelwise_kl(student, teacher, 2.0))
    assert torch.equal(terms[SUPERVISED], step.supervised())


def test_pixel_without_weight_asks_no_teacher(make_step):
    step = make_step()
    assert list(Pixel(step.setting(), weight=0.0)(step)) == [SUPERVISED]
    assert step.calls == ["student:labeled"]


@pytest.mark.parametrize("option", [{"weight": -1.0}, {"temperature": 0.0}, {"weight": float("nan")}])
def test_senseless_options_are_refused(make_step, option):
    with pytest.raises(InputError, match=next(iter(option))):
        Pixel(make_step().setting(), **option)
