import pytest
import torch

from methods.base import SUPERVISED
from methods.cwd import ChannelWise
from methods.pixel import channelwise_kl
from tasks.base import Prediction
from tests.support import assert_alike


def test_class_maps_are_compared_as_they_are(make_step):
    step = make_step()
    terms = ChannelWise(step.setting())(step)
    student, teacher = step.student(step.labeled).maps[0], step.teacher(step.labeled).maps[0]
    assert torch.equal(terms["channel"], channelwise_kl(student, teacher, 4.0))
    assert torch.equal(terms[SUPERVISED], step.supervised())


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e3])
def test_a_single_map_has_no_unit(make_step, unit):
    """Densities in heads a pixel or in heads a hectare teach the same."""
    step = make_step("density")
    method = ChannelWise(step.setting(), temperature=1.0)
    student, teacher = step.student(step.labeled).maps[0].detach(), step.teacher(step.labeled).maps[0]
    base = method._level(student, teacher, None)
    assert base > 0.0
    assert_alike(method._level(unit * student, unit * teacher, None), base)


def test_a_constant_map_is_finite(make_step):
    step = make_step("density")
    student = torch.zeros(2, 1, 4, 4, requires_grad=True)
    value = ChannelWise(step.setting())._level(student, torch.zeros(2, 1, 4, 4), None)
    value.backward()
    assert value.item() == 0.0
    assert student.grad.isfinite().all()


def test_pyramid_levels_are_averaged_and_sizes_aligned(make_step):
    step = make_step()
    method = ChannelWise(step.setting())
    student, teacher = step.student(step.labeled), step.teacher(step.labeled)
    one = method(step)["channel"]
    finer = torch.nn.functional.interpolate(teacher.maps[0], scale_factor=2, mode="nearest")
    levels = (
        Prediction(**{**vars(student), "maps": student.maps * 2}),
        Prediction(**{**vars(teacher), "maps": (teacher.maps[0], finer)}),
    )
    step.student, step.teacher = (lambda batch, each=each: each for each in levels)
    assert_alike(method(step)["channel"], one)


def test_a_student_with_the_teachers_counts_in_its_own_cells_has_nothing_to_learn(make_step):
    """Maps of stride 8 and 1: heads belong to areas, and are summed over the coarser cells."""
    step = make_step("density")
    images, _, height, width = step.labeled.image.shape
    fine = torch.rand(images, 1, height, width, generator=torch.Generator().manual_seed(0)) ** 8
    coarse = fine.unflatten(3, (width // 8, 8)).unflatten(2, (height // 8, 8)).mean(dim=(3, 5))
    ours, theirs = ({**vars(step.teacher(step.labeled)), "maps": (maps,)} for maps in (coarse, fine))
    step.student, step.teacher = lambda batch: Prediction(**ours), lambda batch: Prediction(**theirs)
    assert ChannelWise(step.setting())(step)["channel"].abs() < 1e-6
    seen = step.output.bounded_alike(step.student(step.labeled), step.teacher(step.labeled))
    assert_alike(*seen)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_on_a_single_map_it_is_half_the_centred_squared_error_over_the_teachers_variance(make_step, scale):
    step = make_step("density")
    generator = torch.Generator().manual_seed(0)
    student, teacher = (scale * torch.rand(2, 1, 6, 8, generator=generator).double() for _ in range(2))
    found = ChannelWise(step.setting(), temperature=300.0)._level(student, teacher, None)
    apart = student - teacher
    centred = apart - apart.mean(dim=(2, 3), keepdim=True)
    expected = centred.square().mean() / (2 * teacher.var(correction=0))
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0)


def test_padding_has_no_part_in_the_teachers_deviation(make_step):
    method = ChannelWise(make_step("density").setting())
    student, teacher = torch.rand(2, 1, 4, 8), torch.rand(2, 1, 4, 8)
    inside = torch.ones(2, 4, 8, dtype=torch.bool)
    inside[:, :, 6:] = False
    base = method._level(student, teacher, inside)
    wild = [torch.where(inside[:, None], each, 1e3 * each) for each in (student, teacher)]
    assert_alike(method._level(*wild, inside), base)
