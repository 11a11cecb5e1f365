import pytest
import torch

from methods.base import SUPERVISED
from methods.coupled import ROLES, SPATIAL, TEMPORAL, Coupled
from tasks.errors import InputError
from tests.support import ROUNDING

BRANCH_TERMS = {SPATIAL, TEMPORAL, "spatial_truth", "temporal_truth"}


def at(make_step, index, branches=False, space="classes", **options):
    """Run one step of a training of ten; the student has branches of its own where asked for."""
    step = make_step(space)
    step.index = index
    if branches:
        plain = step.student_net.forward

        def forward(image):
            prediction = plain(image)
            level = prediction.maps[0]
            prediction.branches = {"still": (level + 0.1,), "moving": (2 * level,)}
            return prediction

        step.student_net.forward = forward
    torch.manual_seed(0)
    method = Coupled(step.setting(), **options)
    return step, method, method(step)


def test_step_one_is_the_branches_and_step_two_their_fusion(make_step):
    _, method, early = at(make_step, 4)
    assert set(early) == BRANCH_TERMS
    assert method.weights[SUPERVISED] == 0
    _, method, late = at(make_step, 5)
    assert set(late) == {SUPERVISED, *BRANCH_TERMS}
    assert method.weights == {SUPERVISED: 1, **dict.fromkeys(BRANCH_TERMS, 0.5)}
    for term in BRANCH_TERMS:
        assert late[term].item() == pytest.approx(0.1 * early[term].item(), rel=ROUNDING)


def test_branches_of_the_student_s_own_need_no_heads(make_step):
    step, method, terms = at(make_step, 0, branches=True)
    assert not list(method.parameters())
    student, teachers = step.student(step.labeled), [step.teacher(step.labeled, role) for role in ROLES]
    for role, branch, teacher in zip(ROLES, student.branches.values(), teachers, strict=True):
        student.maps = branch
        assert terms[role].item() == pytest.approx(step.output.divergence(student, teacher).item(), rel=ROUNDING)
        truth = step.output.supervised(branch, step.labeled.target)
        assert terms[f"{role}_truth"].item() == pytest.approx(truth.item(), rel=ROUNDING)


@pytest.mark.parametrize("space", ["classes", "depth", "boxes", "looks"])
def test_lent_heads_read_the_shared_feature_and_learn(make_step, space):
    step, method, terms = at(make_step, 0, space=space)
    assert [sum(p.numel() for p in head.parameters()) for head in method.heads] == [5 * step.output.channels] * 2
    for role, head in zip(ROLES, method.heads, strict=True):
        own = torch.autograd.grad(terms[f"{role}_truth"], list(head.parameters()), retain_graph=True)
        assert sum(g.abs().sum() for g in own) > 0
        stem = torch.autograd.grad(terms[role], step.student_net.stage1.weight, retain_graph=True)[0]
        assert stem.abs().sum() > 0


def test_the_truth_alone_and_the_teachers_alone(make_step):
    step, _, terms = at(make_step, 0, mu=1.0)
    assert set(terms) == {"spatial_truth", "temporal_truth"}
    assert not [call for call in step.calls if not call.startswith("student")]
    assert set(at(make_step, 0, mu=0.0)[2]) == {SPATIAL, TEMPORAL}


def test_branches_may_rest_in_step_two(make_step):
    step, _, terms = at(make_step, 9, later=0.0)
    assert set(terms) == {SUPERVISED}
    assert not [call for call in step.calls if not call.startswith("student")]


@pytest.mark.parametrize("options", [{"first": 1.0}, {"mu": 1.5}, {"later": -1.0}])
def test_options_out_of_range_are_named(make_step, options):
    with pytest.raises(InputError, match=next(iter(options))):
        at(make_step, 0, **options)


def test_a_student_without_shared_features_is_told(make_step):
    step = make_step()
    setting = step.setting()
    setting.student.shared = ()
    with pytest.raises(InputError, match="names 0 features"):
        Coupled(setting)
