import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.base import Prediction
from tasks.metrics.fixation import correlation, density_nss, kl_divergence
from tasks.outputs.fixation import UNKNOWN, Fixation
from tests.support import ROUNDING, assert_alike

SIZE = (6, 9)


def logits(seed, count=2, size=SIZE):
    return torch.randn(count, 1, *size, generator=torch.Generator().manual_seed(seed))


def density(seed, count=2, size=SIZE):
    return torch.rand(count, *size, generator=torch.Generator().manual_seed(seed)) ** 3


def prediction(maps, size=SIZE, inside=None):
    return Prediction((maps,), {}, {}, (), torch.zeros(len(maps), 1), size, inside)


@settings(deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_task_loss_is_the_metrics_own(seed):
    maps, target = logits(seed), density(seed + 1)
    found = maps[:, 0].double().flatten(1).softmax(dim=1).unflatten(1, SIZE).numpy()
    pairs = list(zip(found, target.double().numpy(), strict=True))
    kl, cc, nss = (np.mean([score(*pair) for pair in pairs]) for score in (kl_divergence, correlation, density_nss))
    assert Fixation().supervised([maps], target).item() == pytest.approx(kl, rel=ROUNDING)
    both = Fixation(cc=2.0, nss=0.5).supervised([maps], target).item()
    assert both == pytest.approx(kl + 2 * (1 - cc) - 0.5 * nss, rel=1e-3)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-5, 5), scale=st.floats(0.01, 255))
def test_neither_the_height_of_the_map_nor_the_scale_of_the_density_matters(seed, shift, scale):
    maps, target, space = logits(seed), density(seed + 1), Fixation(cc=1.0, nss=0.1)
    moved = space.supervised([maps + shift], scale * target)
    assert moved.item() == pytest.approx(space.supervised([maps], target).item(), rel=1e-3)
    away = prediction(logits(seed + 2))
    near = space.divergence(prediction(maps), away).item()
    assert space.divergence(prediction(maps + shift), away).item() == pytest.approx(near, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("space", [Fixation(), Fixation(cc=1.0, nss=0.1)])
def test_padding_is_as_if_cut_off(space):
    maps, target = logits(0), density(1)
    target[:, :, 5:] = UNKNOWN
    cut = space.supervised([maps[..., :5]], target[..., :5])
    assert space.supervised([maps], target).item() == pytest.approx(cut.item(), rel=ROUNDING)
    valid = target >= 0
    whole = [prediction(each, inside=valid) for each in (maps, logits(2))]
    small = [prediction(each[..., :5], (6, 5)) for each in (maps, logits(2))]
    assert space.divergence(*whole).item() == pytest.approx(space.divergence(*small).item(), rel=ROUNDING)
    assert_alike(space.probability(whole[0])[..., :5], space.probability(small[0]))
    assert (space.hard_targets(whole[0])[..., 5:] == UNKNOWN).all()


def test_an_image_without_a_density_does_not_count():
    maps, target = logits(0, 3), density(1, 3)
    target[1] = 0
    rest = Fixation().supervised([maps[::2]], target[::2])
    assert Fixation().supervised([maps], target).item() == pytest.approx(rest.item(), rel=ROUNDING)


def test_the_temperature_keeps_the_size_of_gradients():
    student, teacher, space = prediction(logits(0)), prediction(0.01 * logits(1)), Fixation()
    student.maps[0].mul_(0.01)
    soft, hard = space.divergence(student, teacher, 8.0), space.divergence(student, teacher)
    assert soft.item() == pytest.approx(hard.item(), rel=0.05)


def test_pseudo_labels_are_the_teacher_s_distribution():
    teacher, space = prediction(logits(0)), Fixation()
    labels = space.hard_targets(teacher)
    assert_alike(labels.sum(dim=(1, 2)), torch.ones(2))
    assert space.supervised(teacher.maps, labels).item() == pytest.approx(0, abs=ROUNDING)


def test_the_summary_says_where_and_how_widely():
    point = torch.full((1, 1, *SIZE), -50.0)
    point[0, 0, 1, 6] = 50.0
    flat = torch.zeros(1, 1, *SIZE)
    summary = Fixation().summary(prediction(torch.cat([point, flat])))
    assert_alike(summary[0], torch.tensor([6.5 / 9, 1.5 / 6, 0.0, 0.0]))
    variance = [(1 - 1 / n**2) / 12 for n in (9, 6)]
    assert_alike(summary[1], torch.tensor([0.5, 0.5, *variance]))


@pytest.mark.parametrize("size", [16, 512])
def test_the_optional_terms_do_not_depend_on_the_resolution(size):
    """A prediction that is right has a CC of one, however many pixels share the probability."""
    place = (torch.arange(size) + 0.5) / size - 0.5
    bump = -8 * (place[:, None] ** 2 + place[None] ** 2)
    maps, target = (bump[None, None],), bump.exp()[None]
    plain, cc, nss = (
        Fixation(**options).supervised(maps, target).item() for options in ({}, {"cc": 1.0}, {"nss": 1.0})
    )
    assert cc - plain == pytest.approx(0.0, abs=1e-4)
    weight = bump.exp() / bump.exp().sum()
    z = (weight - weight.mean()) / weight.std(correction=0)
    assert plain - nss == pytest.approx(float((weight * z).sum()), rel=1e-3)


def test_a_critic_cannot_tell_a_student_that_has_nothing_left_to_learn():
    space, fine = Fixation(), prediction(3 * logits(0, size=(12, 18)), size=(48, 72))
    student, _ = space.alike(fine, prediction(logits(1), size=(48, 72)))
    assert space.divergence(student, fine).item() == pytest.approx(0, abs=1e-6)
    assert_alike(*space.bounded_alike(student, fine))
