import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from methods.base import SUPERVISED
from methods.crf import ChainDistillation, grid_divergence
from methods.pixel import pixelwise_kl
from tasks.errors import InputError
from tests.methods.enumeration import C, distribution, grid_models, some


def enumerated_grid(student, teacher, tables, temperature=1.0, valid=None):
    """Sum of the divergences of all unbroken stretches of rows and columns."""
    total = 0.0
    for image, line_student in enumerate(student):
        for transposed, own, other in ((False, tables[0], tables[2]), (True, tables[1], tables[3])):
            maps = [each.mT if transposed else each for each in (line_student, teacher[image])]
            inside = (
                torch.ones_like(maps[0][0]).bool() if valid is None else valid[image].mT if transposed else valid[image]
            )
            for row, marks in enumerate(inside.tolist()):
                start = 0
                for mark, stretch in itertools.groupby(marks):
                    end = start + len(list(stretch))
                    if mark:
                        q, p = (
                            distribution(each[:, row, start:end].T / temperature, table / temperature)
                            for each, table in zip(maps, (own, other), strict=True)
                        )
                        total += (p.exp() * (p - q)).sum().item()
                    start = end
    return total


def test_grid_divergence_is_that_of_the_enumeration():
    student, teacher, *tables = grid_models()
    expected = enumerated_grid(student, teacher, tables) / (2 * 2 * 3 * 4)
    assert grid_divergence(student, teacher, *tables).item() == pytest.approx(expected, rel=1e-9)


def test_masked_positions_restart_the_chain():
    student, teacher, *tables = grid_models()
    valid = torch.tensor(
        [[[1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 1]], [[0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, 1]]]
    ).bool()
    expected = enumerated_grid(student, teacher, tables, 2.0, valid) / (2 * valid.sum().item())
    student.requires_grad_()
    found = grid_divergence(student, teacher, *tables, temperature=2.0, valid=valid)
    assert found.item() == pytest.approx(expected, rel=1e-9)
    found.backward()
    assert student.grad.abs().amax(dim=1)[~valid].max() == 0.0
    nothing = grid_divergence(student, teacher, *tables, valid=torch.zeros_like(valid))
    assert nothing.item() == 0.0


def test_gradients_of_the_grid_are_those_of_finite_differences():
    student, teacher, *tables = grid_models()
    valid = some(7, 2, 3, 4) > -0.5
    inputs = [each.clone().requires_grad_() for each in (student, tables[0], tables[1])]
    assert gradcheck(
        lambda s, across, down: grid_divergence(s, teacher, across, down, *tables[2:], temperature=1.5, valid=valid),
        inputs,
    )


@given(st.floats(0.5, 4.0), st.integers(0, 100))
def test_without_transitions_the_grid_is_pixelwise(temperature, seed):
    student, teacher = some(seed, 2, C, 3, 4), some(seed + 1, 2, C, 3, 4)
    none = torch.zeros(C, C).double()
    expected = pixelwise_kl(student, teacher, temperature) / temperature**2
    torch.testing.assert_close(grid_divergence(student, teacher, none, none, none, none, temperature), expected)
    torch.testing.assert_close(grid_divergence(student, teacher, None, None, None, None, temperature), expected)


def test_equal_models_are_at_no_distance():
    student, _, across, down, *_ = grid_models()
    exact = student.float(), across.float(), down.float()
    assert grid_divergence(exact[0], exact[0], exact[1], exact[2], exact[1], exact[2]).item() == pytest.approx(
        0, abs=1e-5
    )


def test_half_precision_is_computed_in_full():
    student, teacher, *tables = (each.bfloat16() for each in grid_models())
    found = grid_divergence(student, teacher, *tables)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(grid_divergence(*(e.float() for e in (student, teacher, *tables))).item())


# the method


@pytest.mark.parametrize("factors", list(itertools.product(["grid", "rows", "columns", "positions"], repeat=2)))
def test_every_pair_of_factorisations_learns(make_step, factors):
    step = make_step()
    method = ChainDistillation(step.setting(), student_factors=factors[0], teacher_factors=factors[1])
    method(step)["grid"].backward()
    assert step.student_net.head.weight.grad.abs().max() > 0
    assert (method.chains.transitions.grad is None) == (factors[0] == "positions")


def test_incompatible_factorisations_compare_neighbours_that_the_teacher_leaves_independent(make_step):
    """A teacher of rows, a student of columns: the teacher's column is a product of the labels' marginals."""
    step = make_step(batch=1, size=8)
    method = ChainDistillation(step.setting(), student_factors="columns", teacher_factors="rows", temperature=2.0)
    method.calibration.table[:] = some(3, 1, 2, 4, 4)
    own, other = (step.output.label_scores(each)[0].detach().double() / 2.0
                  for each in (step.student(step.labeled), step.teacher(step.labeled)))  # fmt: skip
    marginals = []
    for row in other[0].unbind(1):  # C,W
        joint = distribution(row.T, method.calibration.table[0, 0].double() / 2.0).exp().view(4, 4)
        marginals.append(torch.stack([joint.sum(1), joint.sum(0)], dim=1))
    table = method.chains.transitions.view(2, 4, 4)[1].double().detach() / 2.0
    expected = 0.0
    for x in range(2):
        p = distribution(torch.stack([each[:, x].log() for each in marginals]), None)
        q = distribution(own[0, :, :, x].T, table)
        expected += (p.exp() * (p - q)).sum().item()
    assert method(step)["grid"].item() == pytest.approx(4.0 * expected / 4, rel=1e-3)


def test_boxes_are_also_told_apart_by_their_divergence(make_step):
    assert "output" in ChainDistillation(make_step("boxes").setting())(make_step("boxes"))
    assert "output" not in ChainDistillation(make_step("classes").setting())(make_step("classes"))


def test_transitions_start_as_the_labels_suggest_and_are_not_decayed(make_step):
    plain = ChainDistillation(make_step("classes").setting())
    assert plain.chains.transitions.ndim == 1
    torch.testing.assert_close(plain.chains.transitions.view(2, 4, 4)[0], 0.1 * torch.eye(4))
    ordered = ChainDistillation(make_step("depth").setting())
    assert ordered.chains.transitions.view(2, 48, 48)[1, 3, 7].item() == -2.0
    assert ordered.calibration.table[0, 0, 10, 9].item() == -0.5


def test_a_calibrated_teacher_is_what_is_learned_from(make_step):
    step = make_step()
    method = ChainDistillation(step.setting(), fit_images=3)
    before = method(step)["grid"].item()
    method.calibrate([step])
    assert method.calibration.table.abs().sum() > 0
    assert method(step)["grid"].item() != before
    assert "calibration.table" in method.state_dict()
    again = ChainDistillation(step.setting(), fit_images=3)
    again.calibrate([make_step()])
    assert torch.equal(again.calibration.table, method.calibration.table)


def test_labels_that_the_truth_does_not_tell_are_the_teachers(make_step, monkeypatch):
    step = make_step()
    monkeypatch.setattr(type(step.output), "labels", lambda self, target, sizes: None)
    method = ChainDistillation(step.setting())
    method.calibrate([step])
    assert method.calibration.scale.item() == 1.0
    assert method.calibration.table.isfinite().all()


def test_terms_and_bad_options(make_step):
    step = make_step()
    assert set(ChainDistillation(step.setting(), weight=0.0)(step)) == {SUPERVISED}
    for bad in ({"weight": -1.0}, {"temperature": 0.0}, {"fit_images": 0}, {"fit_steps": -1}):
        with pytest.raises(InputError, match=next(iter(bad))):
            ChainDistillation(step.setting(), **bad)
