import pytest
import torch

from methods.base import SUPERVISED
from methods.pixel import pixelwise_kl
from methods.stkd import SimilarityTransfer, similarity_transfer
from tasks.errors import InputError
from tests.support import assert_alike


@pytest.mark.parametrize("shape", [(6, 5), (2, 5, 3, 4)])
def test_similarity_transfer_is_the_softened_divergence(shape):
    student, teacher = (torch.randn(*shape, dtype=torch.float64) for _ in range(2))
    student.requires_grad_()
    p, q = (each.div(4).softmax(dim=1) for each in (teacher, student))
    expected = 16 * (p * (p.log() - q.log())).sum(dim=1).mean()
    assert torch.isclose(similarity_transfer(student, teacher), expected)
    assert similarity_transfer(teacher, teacher).item() == 0.0
    assert torch.autograd.gradcheck(lambda s: similarity_transfer(s, teacher), student)


def test_both_terms_see_the_mixed_images(make_step):
    step = make_step()
    terms = SimilarityTransfer(step.setting(), temperature=2.0)(step)
    mixed = step.mixed(1.0)
    student, teacher = step.student(mixed).maps[0], step.teacher(mixed).maps[0]
    assert torch.equal(terms["similarity"], pixelwise_kl(student, teacher, 2.0))
    full = torch.nn.functional.interpolate(student, (16, 16), mode="bilinear")
    one, other = (
        torch.nn.functional.cross_entropy(full, labels, reduction="none").mean(dim=(1, 2))
        for labels in (step.labeled.target, step.labeled.target[mixed.order])
    )
    expected = (mixed.weight * one + (1 - mixed.weight) * other).mean()
    assert_alike(terms[SUPERVISED], expected)
    assert step.calls == ["student:mixed.1.0", "deep:mixed.1.0"]


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.9, {SUPERVISED: 0.1, "similarity": 0.9}), (1.0, {SUPERVISED: 0.0, "similarity": 1.0})]
)
def test_the_weight_shares_the_objective_out(make_step, weight, expected):
    assert SimilarityTransfer(make_step().setting(), weight=weight).weights == pytest.approx(expected)


def test_without_weight_no_teacher_is_asked(make_step):
    step = make_step()
    assert list(SimilarityTransfer(step.setting(), weight=0.0)(step)) == [SUPERVISED]
    assert step.calls == ["student:mixed.1.0"]


@pytest.mark.parametrize("option", [{"weight": 1.5}, {"weight": float("nan")}, {"temperature": 0.0}, {"alpha": 0.0}])
def test_senseless_options_are_refused(make_step, option):
    with pytest.raises(InputError, match=next(iter(option))):
        SimilarityTransfer(make_step().setting(), **option)
