import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from methods.base import SUPERVISED
from methods.crf import ChainDistillation, chain_cross_entropy, grid_divergence
from methods.pixel import pixelwise_kl
from tasks.errors import InputError

PRECISIONS = [(torch.float64, 1e-5), (torch.float32, 1e-4)]
FACTORS = {"same": (True, True), "student finer": (False, True), "teacher finer": (True, False)}
B, N, C = 3, 4, 3
LENGTHS = torch.tensor([4, 1, 3])


def some(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def distribution(unary, transition, start=None, end=None):
    """Log-probability of every labelling of one sequence (n,C), by enumeration."""
    totals = []
    for y in itertools.product(range(unary.shape[1]), repeat=len(unary)):
        total = sum(unary[i, a] for i, a in enumerate(y))
        if transition is not None:
            total = total + sum(transition[a, b] for b, a in itertools.pairwise(y))
        total = total + (0.0 if start is None else start[y[0]]) + (0.0 if end is None else end[y[-1]])
        totals.append(total)
    return torch.stack(totals).log_softmax(dim=0)


def models(case="same"):
    structured = FACTORS[case]
    return [
        {
            "unary": some(10 * side, B, N, C),
            "transition": some(10 * side + 1, C, C) if chains else None,
            "start": some(10 * side + 2, C),
            "end": some(10 * side + 3, C),
        }
        for side, chains in enumerate(structured, start=1)
    ]


def loss(student, teacher, **options):
    named = {f"{who}_{key}": value for who, model in (("student", student), ("teacher", teacher))
             for key, value in model.items()}  # fmt: skip
    return chain_cross_entropy(**named, **options)


# one sequence


@pytest.mark.parametrize("case", FACTORS)
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["equal", "ragged"])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_cross_entropy_is_that_of_the_enumeration(case, lengths, temperature):
    student, teacher = models(case)
    sizes = [N] * B if lengths is None else lengths.tolist()
    total = 0.0
    for index, size in enumerate(sizes):
        q, p = (
            distribution(
                *(
                    None if part is None else part / temperature
                    for part in (each["unary"][index, :size], each["transition"], each["start"], each["end"])
                )
            )
            for each in (student, teacher)
        )
        total = total - (p.exp() * q).sum()
    found = loss(student, teacher, temperature=temperature, lengths=lengths)
    assert found.dtype == torch.float64
    assert found.item() == pytest.approx(temperature**2 * total.item() / sum(sizes), rel=1e-9)


@pytest.mark.parametrize("case", FACTORS)
@pytest.mark.parametrize("reduction", ["mean", "reference"])
def test_gradients_are_those_of_finite_differences(case, reduction):
    student, teacher = models(case)
    names = [name for name, value in student.items() if value is not None]

    def compute(*values):
        return loss(dict(student, **dict(zip(names, values, strict=True))), teacher, lengths=LENGTHS, temperature=1.5,
                    reduction=reduction)  # fmt: skip

    assert gradcheck(compute, [student[name].clone().requires_grad_() for name in names])


def test_at_a_temperature_of_one_the_reference_is_the_sum_over_positions_a_sequence():
    student, teacher = models()
    mean, reference = (loss(student, teacher, lengths=LENGTHS, reduction=kind) for kind in ("mean", "reference"))
    assert reference.item() == pytest.approx(mean.item() * LENGTHS.sum().item() / B, rel=1e-9)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_the_reference_is_the_authors(reference, dtype, tolerance):
    case = reference("crfkd_case1_T1", dtype)
    kept = case["hp_real_tag_ids"]
    first, stop = case["hp_start_id"], case["hp_stop_id"]
    inputs = {name: case[f"in_{name}"] for name in ("S_emis", "S_trans", "T_emis", "T_trans")}
    inputs["S_emis"].requires_grad_(), inputs["S_trans"].requires_grad_()

    def model(side):
        table = inputs[f"{side}_trans"]
        return {
            "unary": inputs[f"{side}_emis"][..., kept],
            "transition": table[kept][:, kept],
            "start": table[kept, first],
            "end": table[stop, kept],
        }

    found = loss(model("S"), model("T"), lengths=case["in_lengths"], reduction="reference")
    assert found.item() == pytest.approx(case["expected"].item(), rel=tolerance)
    assert found.item() == pytest.approx(case["expected_bruteforce_crossentropy"].item(), rel=tolerance)
    found.backward()
    for name in ("S_emis", "S_trans"):
        grad = inputs[name].grad
        assert grad.norm().item() == pytest.approx(case[f"grad_norm_{name}"].item(), rel=1e-4)
        torch.testing.assert_close(grad.double(), case[f"grad_{name}"].double(), rtol=1e-3, atol=1e-5)


def test_the_reference_tempers_tables_of_marginals_one_by_one():
    """Spelled out for one sequence of two labels and positions: pairs, start and end, each normalised on its own."""
    (student, teacher), tau = [{k: v[:1, :2, :2] if k == "unary" else v[:2, :2] if v.ndim == 2 else v[:2]
                                for k, v in each.items()} for each in models()], 3.0  # fmt: skip
    p = distribution(teacher["unary"][0], teacher["transition"], teacher["start"], teacher["end"]).exp().view(2, 2)
    pairs, start, end = ((table.log() / tau).flatten().softmax(0) for table in (p, p.sum(1), p.sum(0)))
    own = {name: value / tau for name, value in student.items()}
    unary = own["unary"][0]
    expected = (start * (unary[0] + own["start"])).sum() + (end * own["end"]).sum()
    expected = expected + (pairs.view(2, 2) * (unary[1] + own["transition"].T)).sum()  # [first, second]
    score = (unary[0] + own["start"])[:, None] + unary[1] + own["transition"].T + own["end"]
    found = loss(student, teacher, temperature=tau, reduction="reference")
    assert found.item() == pytest.approx(tau**2 * max(0.0, (score.logsumexp((0, 1)) - expected).item()), rel=1e-9)


def test_a_negative_reference_counts_as_zero():
    """Sharpened on its own, the teacher's start says label 1 and its pair says 0 after 0: no sequence has both."""
    joint = torch.tensor([[0.4, 0.3], [1e-6, 0.3]], dtype=torch.float64)  # [second label, first label]
    nothing, score = torch.zeros(1, 2, 2).double(), torch.tensor([0.0, 3.0]).double()
    unary = torch.stack([score, score.new_zeros(2)])[None]
    table = torch.tensor([[3.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    found = [
        chain_cross_entropy(unary, table, nothing, joint.log(), temperature=tau, reduction="reference").item()
        for tau in (1.0, 0.1)
    ]
    assert found[0] > 0.5
    assert found[1] == 0.0


@given(st.integers(0, 200))
def test_no_student_is_nearer_than_the_teacher_itself(seed):
    unary, table = some(seed, B, N, C), some(seed + 1, C, C)
    own, other = some(seed + 2, B, N, C), some(seed + 3, C, C)
    assert chain_cross_entropy(own, other, unary, table) >= chain_cross_entropy(unary, table, unary, table)


def test_the_teacher_gets_no_gradient():
    student, teacher = models()
    for value in (*student.values(), *teacher.values()):
        value.requires_grad_()
    for reduction in ("mean", "reference"):
        loss(student, teacher, reduction=reduction).backward()
    assert all(value.grad is not None for value in student.values())
    assert all(value.grad is None for value in teacher.values())


# a grid


def grid_models():
    return some(1, 2, C, 3, 4), some(2, 2, C, 3, 4), *(some(seed, C, C) for seed in (3, 4, 5, 6))


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
