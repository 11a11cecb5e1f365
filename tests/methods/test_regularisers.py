"""The controls without a teacher, which tell regularisation from knowledge."""

import math

import pytest
import torch
import torch.nn.functional as F

from methods.base import SUPERVISED, methods
from methods.smoothing import uniform_cross_entropy
from tasks.errors import InputError
from tests.methods.conftest import SPACES

REGULARISERS = sorted(name for name, cls in methods.items() if cls.regulariser)


def test_they_are_there_and_have_no_teacher():
    assert {"mixup", "cutmix", "smoothing"} <= set(REGULARISERS)
    for name in REGULARISERS:
        assert methods[name].needs.teachers == ()
        assert not methods[name].control


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_they_see_images_and_targets_made_alike(make_step, space, name):
    step = make_step(space)
    method = methods[name](step.setting())
    loss = method(step)[SUPERVISED]
    batch = step.mixed(1.0) if name == "mixup" else step.pasted(labeled=True)
    expected = step.output.supervised(step.student_net(batch.image).maps, batch.target)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert step.calls == [f"student:{batch.name}"]


def test_a_labeled_batch_is_pasted_into_itself_with_its_labels(make_step):
    step = make_step("classes")
    pasted = step.pasted(labeled=True)
    below, above = pasted.sources
    assert below.image.equal(step.labeled.image)
    order = [int((step.labeled.image == image).flatten(1).all(dim=1).nonzero()) for image in above.image]
    assert sorted(order) == [0, 1, 2]
    assert pasted.target.equal(torch.where(pasted.mask, step.labeled.target[order], step.labeled.target))
    assert pasted.image.equal(torch.where(pasted.mask[:, None], step.labeled.image[order], step.labeled.image))
    assert step.pasted().target is None, "of unlabeled images nothing is known"


def test_label_smoothing_is_cross_entropy_with_soft_labels(make_step):
    step = make_step("classes", size=4)
    method = methods["smoothing"](step.setting(), share=0.2)
    terms = method(step)
    assert method.weights == {SUPERVISED: 0.8, "uniform": 0.2}
    scores = step.student(step.labeled).maps[0]
    assert terms["uniform"].item() == pytest.approx(-F.log_softmax(scores, dim=1).mean().item(), rel=1e-5)


def test_a_sure_student_pays_more_than_one_that_knows_nothing(make_step):
    step = make_step("mask")
    student = step.student(step.labeled)
    student.maps = (torch.zeros_like(student.maps[0]),)
    assert uniform_cross_entropy(step.output, student).item() == pytest.approx(math.log(2), rel=1e-5)
    student.maps = (student.maps[0] + 8.0,)
    assert uniform_cross_entropy(step.output, student).item() > 3.9


@pytest.mark.parametrize("space", SPACES)
def test_label_smoothing_is_for_classes(space):
    refusal = methods["smoothing"].refuses(SPACES[space][0]())
    assert (refusal == "") == (space in ("classes", "mask"))


def test_a_share_outside_its_range_is_refused(make_step):
    with pytest.raises(InputError, match="'share' of the probability"):
        methods["smoothing"](make_step().setting(), share=1.0)
