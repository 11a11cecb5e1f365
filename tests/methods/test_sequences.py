import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from methods.crf import chain_cross_entropy
from tests.methods.enumeration import C, distribution, some

PRECISIONS = [(torch.float64, 1e-5), (torch.float32, 1e-4)]
FACTORS = {"same": (True, True), "student finer": (False, True), "teacher finer": (True, False)}
B, N = 3, 4
LENGTHS = torch.tensor([4, 1, 3])


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
