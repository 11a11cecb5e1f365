import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import methods.skt as skt
from methods.base import SUPERVISED
from methods.pixel import pixelwise_kl
from methods.skt import StructuredTransfer, inter_layer_relation, intra_layer_pattern
from tasks.errors import InputError

PRECISIONS = [(torch.float64, "_f64", 1e-5), (torch.float32, "", 1e-4)]
NAMES = [*(f"f{k}" for k in range(6)), "out"]
TERMS = [SUPERVISED, "soft", "intra", "inter"]


def maps(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layers(seed: int) -> list[Tensor]:
    return [maps(seed, 2, 3, 9, 12), maps(seed + 1, 2, 5, 5, 6), maps(seed + 2, 2, 1, 3, 3)]


@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_reference_values(reference, dtype, key, tolerance):
    case = reference("skt_full_n1_33x41", dtype)
    student = [case[f"in_S_{name}"].requires_grad_() for name in NAMES]
    teacher = [case[f"in_T_{name}"] for name in NAMES]
    terms = {
        "cos": intra_layer_pattern(student[:6], teacher[:6], reduction="reference"),
        "fsp": inter_layer_relation(student, teacher, reduction="reference"),
        "hard": (student[6] - case["in_target"]).square().sum(),
        "soft": (student[6] - teacher[6]).square().sum(),
    }
    terms["total"] = terms["hard"] + terms["soft"] + 0.5 * terms["fsp"] + 0.5 * terms["cos"]
    for term, value in terms.items():
        assert value.item() == pytest.approx(case[f"expected_{term}{key}"].item(), rel=tolerance)
        slopes = torch.autograd.grad(value, student, retain_graph=True, allow_unused=True)
        for name, slope in zip(NAMES, slopes, strict=True):
            expected = case.get(f"{term}__grad_norm_S_{name}")
            assert (slope is None or slope.norm() == 0) if expected is None else True
            if expected is not None:
                assert slope.norm().item() == pytest.approx(expected.item(), rel=1e-4)


@given(seed=st.integers(0, 1000))
def test_laws_of_the_intra_layer_pattern(seed):
    student, teacher = [maps(seed, 2, 4, 3, 5)], [maps(seed + 1, 2, 4, 3, 5)]
    rotation = torch.linalg.qr(maps(seed + 2, 4, 4)).Q
    value = intra_layer_pattern(student, teacher)
    assert 0.0 <= value <= 2.0
    assert intra_layer_pattern(teacher, teacher).item() == pytest.approx(0.0, abs=1e-12)
    assert torch.isclose(intra_layer_pattern(teacher, student), value)
    assert torch.isclose(intra_layer_pattern([3.0 * student[0]], teacher), value)
    rotated = [[torch.einsum("dc,nchw->ndhw", rotation, each[0])] for each in (student, teacher)]
    assert torch.isclose(intra_layer_pattern(*rotated), value)


@given(seed=st.integers(0, 1000))
def test_laws_of_the_inter_layer_relation(seed):
    student, teacher = layers(seed), layers(seed + 10)
    value = inter_layer_relation(student, teacher)
    assert value > 0.0
    assert inter_layer_relation(teacher, teacher).item() == pytest.approx(0.0, abs=1e-12)
    assert torch.isclose(inter_layer_relation(teacher, student), value)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    permuted = [[each[0], each[1][:, order], each[2]] for each in (student, teacher)]
    assert torch.isclose(inter_layer_relation(*permuted), value)
    shifted = [student[0] + 7.0, *student[1:]]
    assert torch.isclose(inter_layer_relation(shifted, teacher), value)


def test_means_do_not_depend_on_how_a_batch_is_split():
    student, teacher = layers(0), layers(5)
    for loss, count in ((inter_layer_relation, 3), (intra_layer_pattern, 3)):
        halves = [
            loss([x[i : i + 1] for x in student[:count]], [x[i : i + 1] for x in teacher[:count]]) for i in (0, 1)
        ]
        assert torch.isclose(sum(halves) / 2, loss(student[:count], teacher[:count]))


def test_gradients():
    student, teacher = [maps(k, 1, 2, 4, 3) for k in (0, 1)], [maps(k, 1, 2, 4, 3) for k in (2, 3)]
    for each in student:
        each.requires_grad_()
    for loss in (intra_layer_pattern, inter_layer_relation):
        assert torch.autograd.gradcheck(lambda *s, loss=loss: loss(s, teacher), student)


@pytest.mark.parametrize("sizes", [(7, 3), (11, 4), (6, 5)])
def test_strides_that_are_no_powers_of_two_are_pooled_too(sizes):
    student = [maps(k, 1, 2, size, size).requires_grad_() for k, size in enumerate(sizes)]
    value = inter_layer_relation(student, [maps(k + 5, 1, 2, size, size) for k, size in enumerate(sizes)])
    value.backward()
    assert value > 0.0


@pytest.mark.parametrize("held", [1, 200, 2**24])
def test_parts_of_a_batch_change_nothing(monkeypatch, held):
    student, teacher = layers(0), layers(5)
    whole = inter_layer_relation(student, teacher)
    monkeypatch.setattr(skt, "HELD", held)
    assert torch.isclose(inter_layer_relation(student, teacher), whole)


def test_vectors_without_direction_are_finite():
    student = [torch.zeros(1, 3, 2, 2, requires_grad=True)]
    teacher = torch.randn(1, 3, 2, 2)
    teacher[..., 0] = 0.0
    value = intra_layer_pattern(student, [teacher])
    value.backward()
    assert value.item() == 1.0
    assert student[0].grad.abs().max() == 0.0
    assert intra_layer_pattern([teacher], [teacher]).item() == pytest.approx(0.0, abs=1e-5)
    assert intra_layer_pattern(student, [torch.zeros(1, 3, 2, 2)]).item() == 0.0


@pytest.mark.parametrize("reduction", ["mean", "reference"])
def test_every_term_is_what_the_equation_says(make_step, reduction):
    step = make_step()
    method = StructuredTransfer(step.setting(), reduction=reduction)
    terms = method(step)
    student, teacher = step.student(step.labeled), step.teacher(step.labeled)
    names = ["stage1", "stage2", "decoder"]
    own = [method.adaptors[name](student.features[name]) for name in names]
    other = [teacher.features[name] for name in names]
    assert list(terms) == TERMS
    assert torch.equal(terms["soft"], pixelwise_kl(student.maps[0], teacher.maps[0]))
    assert torch.equal(terms["intra"], intra_layer_pattern(own, other, reduction))
    outputs = [prediction.maps[0].softmax(dim=1) for prediction in (student, teacher)]
    related = [*own, outputs[0]], [*other, outputs[1]]
    assert torch.equal(terms["inter"], inter_layer_relation(*related, reduction))
    sum(terms.values()).backward()
    for module in (method, step.student_net):
        assert all(p.grad.isfinite().all() and p.grad.abs().max() > 0 for p in module.parameters() if p.ndim > 1)


def test_coarse_features_take_no_part_in_relations(make_step):
    method = StructuredTransfer(make_step().setting(), stride=2)
    assert method.taps == ["stage1", "stage2", "decoder"]
    assert method.related == ["stage1"]


@pytest.mark.parametrize(
    ("option", "left", "adapted"),
    [
        ({"soft": 0.0}, [SUPERVISED, "intra", "inter"], 3),
        ({"intra": 0.0, "stride": 2}, [SUPERVISED, "soft", "inter"], 1),
        ({"inter": 0.0}, [SUPERVISED, "soft", "intra"], 3),
        ({"intra": 0.0, "inter": 0.0}, [SUPERVISED, "soft"], 0),
        ({"soft": 0.0, "intra": 0.0, "inter": 0.0}, [SUPERVISED], 0),
    ],
)
def test_terms_without_weight_cost_nothing(make_step, option, left, adapted):
    step = make_step()
    method = StructuredTransfer(step.setting(), **option)
    assert list(method(step)) == left
    assert len(method.adaptors) == adapted


def test_networks_that_cannot_be_compared_are_refused(make_step):
    setting = make_step().setting()
    with pytest.raises(InputError, match="raise its option 'stride' to 2"):
        StructuredTransfer(setting, stride=1)
    setting.teachers["deep"].features = {"p3": torch.zeros(1, 1, 1, 1)}
    with pytest.raises(InputError, match="same name"):
        StructuredTransfer(setting)


@pytest.mark.parametrize("option", [{"inter": -1.0}, {"stride": 0}])
def test_senseless_options_are_refused(make_step, option):
    with pytest.raises(InputError, match=next(iter(option))):
        StructuredTransfer(make_step().setting(), **option)
