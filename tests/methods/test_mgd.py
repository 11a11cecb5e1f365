import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from methods.base import SUPERVISED
from methods.mgd import MultiGranularity, image_level, pixel_level, region_level
from tasks.base import Prediction
from tasks.errors import InputError
from tasks.outputs.categorical import Categorical
from tests.support import ROUNDING, assert_alike

PRECISIONS = [(torch.float64, "_f64", 1e-5), (torch.float32, "", 1e-4)]
TERMS = [SUPERVISED, "pixel_labeled", "pixel_unlabeled", "image", "region"]


def maps(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_image_level_reference(reference, dtype, key, tolerance):
    case = reference("mgd_image_level", dtype)
    student = case["in_S"].requires_grad_()
    value = case["hp_lambda_1"] * image_level(student, case["in_T"], reduction="reference")
    value.backward()
    assert value.item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S{key}"].item(), rel=1e-4)
    mean = image_level(student, case["in_T"])
    assert (0.002 * 2 * 21 * mean).item() == pytest.approx(value.item(), rel=ROUNDING)


@pytest.mark.parametrize("reduction", ["mean", "reference"])
@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_region_level_reference(reference, reduction, dtype, key, tolerance):
    case = reference("mgd_region_level_14x14", dtype)
    student = case["in_S"].requires_grad_()
    value = case["hp_lambda_2"] * region_level(student, case["in_T"], int(case["hp_grid"]), reduction)
    value.backward()
    assert value.item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S{key}"].item(), rel=1e-4)


@pytest.mark.parametrize(("dtype", "key", "tolerance"), PRECISIONS)
def test_pixel_level_reference(reference, dtype, key, tolerance):
    """Pasted argmaxes are the argmaxes of pasted logits; the mirrored terms of the authors' total are constants."""
    case = reference("mgd_pixel_unlabeled", dtype)
    output, mask = Categorical(4), case["in_mask"][:, 0].bool()

    def labels(net: int) -> Tensor:
        first, second = (case[f"in_{u}_net{net}"] for u in ("u0", "u1"))
        return output.paste(*(output.hard_targets(prediction(logits)) for logits in (first, second)), mask)

    for net in (1, 2, 3):
        assert torch.equal(labels(net), case[f"pseudo_label_net{net}"])
    student = case["in_S_mixed"].requires_grad_()
    value = pixel_level(output, [student], [labels(2), labels(3)])
    value.backward()
    assert value.item() == pytest.approx(case["student_only_part"].item(), rel=max(tolerance, 1e-5))
    assert student.grad.norm().item() == pytest.approx(case[f"grad_norm_S_mixed{key}"].item(), rel=1e-4)
    mirrored = sum(pixel_level(output, [case[f"in_mixed_net{net}"]], [labels(1)]) for net in (2, 3))
    assert (value + mirrored).item() == pytest.approx(case[f"expected{key}"].item(), rel=tolerance)


def prediction(logits: Tensor) -> Prediction:
    return Prediction((logits,), {}, {}, (), logits.mean(dim=(2, 3)), (logits.shape[-2], logits.shape[-1]))


@given(seed=st.integers(0, 1000), grid=st.sampled_from([1, 3, 7]))
def test_laws_of_the_region_level(seed, grid):
    student, teacher = maps(seed, 2, 4, 9, 8), maps(seed + 1, 2, 4, 9, 8)
    rotation = torch.linalg.qr(maps(seed + 2, 4, 4)).Q
    rotated = 3.0 * torch.einsum("dc,nchw->ndhw", rotation, student)
    value = region_level(student, teacher, grid)
    assert value >= 0.0
    assert region_level(student, student, grid).item() == pytest.approx(0.0, abs=1e-12)
    assert torch.isclose(region_level(rotated, teacher, grid), value)
    assert torch.isclose(region_level(teacher, student, grid), value)


@given(seed=st.integers(0, 1000))
def test_laws_of_the_image_level(seed):
    student, teacher = maps(seed, 3, 5), maps(seed + 1, 3, 5)
    assert image_level(student, student).item() == 0.0
    assert torch.isclose(image_level(teacher, student), image_level(student, teacher))
    halves = [image_level(student[part], teacher[part]) for part in (slice(0, 1), slice(1, 3))]
    assert torch.isclose((halves[0] + 2 * halves[1]) / 3, image_level(student, teacher))


def test_gradients():
    student, teacher = maps(0, 2, 3, 5, 4).requires_grad_(), maps(1, 2, 6, 5, 4)
    assert torch.autograd.gradcheck(lambda s: region_level(s, teacher, 3), student)
    assert torch.autograd.gradcheck(lambda s: image_level(s, teacher[:, :3]), student)


@pytest.mark.parametrize("size", [1, 6])
def test_features_without_direction_are_finite(size):
    student = torch.zeros(1, 3, size, size, requires_grad=True)
    value = region_level(student, torch.zeros(1, 5, size, size))
    value.backward()
    assert value.item() == 0.0
    assert student.grad.abs().max() == 0.0


def test_every_term_is_what_the_equation_says(make_step):
    step = make_step()
    terms = MultiGranularity(step.setting(), grid=3)(step)
    output, pasted = step.output, step.pasted()
    student, labeled = step.student(pasted), step.student(step.labeled)
    deep, wide = (step.teacher(pasted, role) for role in ("deep", "wide"))
    assert list(terms) == TERMS
    hard = {role: output.hard_targets(step.teacher(step.labeled, role)) for role in ("deep", "wide")}
    assert_alike(terms["pixel_labeled"], sum(output.supervised(labeled.maps, hard[role]) for role in hard))
    u0, u1 = pasted.sources
    pseudo = [
        torch.where(pasted.mask, *(output.hard_targets(step.teacher(u, role)) for u in (u1, u0)))
        for role in ("deep", "wide")
    ]
    assert_alike(terms["pixel_unlabeled"], sum(output.supervised(student.maps, each) for each in pseudo))
    assert torch.equal(terms["image"], image_level(student.maps[0], deep.maps[0]))
    assert torch.equal(terms["region"], region_level(student.features["decoder"], wide.features["decoder"], 3))
    sum(terms.values()).backward()
    assert all(p.grad.isfinite().all() for p in step.student_net.parameters())
    assert all(p.grad is None for net in step.teacher_nets.values() for p in net.parameters())


def test_the_authors_normalisation_is_an_option(make_step):
    step = make_step()
    terms = MultiGranularity(step.setting(), grid=3, reduction="reference")(step)
    pasted = step.pasted()
    student, deep, wide = step.student(pasted), step.teacher(pasted, "deep"), step.teacher(pasted, "wide")
    assert torch.equal(terms["image"], image_level(student.maps[0], deep.maps[0], "reference"))
    assert torch.equal(terms["region"], region_level(student.features["decoder"], wide.features["decoder"], 3))


def test_a_student_like_its_teachers_has_nothing_to_learn_from_them(make_step):
    terms = MultiGranularity((step := make_step(same=True)).setting())(step)
    assert terms["image"].item() == pytest.approx(0.0, abs=1e-9)
    assert terms["region"].item() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("option", "left", "forwards"),
    [
        ({"pixel": 0.0}, [SUPERVISED, "image", "region"], 4),
        ({"image": 0.0, "region": 0.0}, TERMS[:3], 8),
        ({"pixel": 0.0, "image": 0.0, "region": 0.0}, [SUPERVISED], 1),
    ],
)
def test_terms_without_weight_cost_nothing(make_step, option, left, forwards):
    step = make_step()
    assert list(MultiGranularity(step.setting(), **option)(step)) == left
    assert len(step.calls) == forwards


def test_networks_without_shared_features_are_refused(make_step):
    step = make_step()
    setting = step.setting()
    setting.teachers["wide"].shared = ()
    with pytest.raises(InputError, match="shared"):
        MultiGranularity(setting)


@pytest.mark.parametrize("option", [{"region": -1.0}, {"grid": 0}, {"image": float("inf")}])
def test_senseless_options_are_refused(make_step, option):
    with pytest.raises(InputError, match=next(iter(option))):
        MultiGranularity(make_step().setting(), **option)
