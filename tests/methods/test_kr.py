import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from methods.base import SUPERVISED, Setting
from methods.kr import GRID, KnowledgeRepresenting, aggregate, sparse_prior, stages
from tasks.base import Prediction
from tasks.errors import InputError
from tasks.outputs.categorical import Categorical
from tests.support import ROUNDING, assert_alike

seeds = st.integers(0, 1000)


def maps(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def prediction(strides: dict[str, int], widths: dict[str, int], shared: tuple[str, ...], seed: int = 0) -> Prediction:
    features = {k: maps(seed + i, 2, widths[k], 32 // s, 48 // s).float() for i, (k, s) in enumerate(strides.items())}
    return Prediction((torch.zeros(2, 3, 8, 12),), features, strides, shared, torch.zeros(2, 4), (32, 48))


@given(seed=seeds, keep=st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_it_is_the_formula_entry_by_entry(seed, keep):
    student, teacher = maps(seed, 2, 4, GRID, GRID), maps(seed + 1, 2, 4, GRID, GRID)
    prior = sparse = 0.0
    for n in range(2):
        own, other = ([channel.flatten() / channel.norm() for channel in each[n]] for each in (student, teacher))
        own, other = torch.cat(own).tolist(), torch.cat(other).tolist()
        kept = sorted(range(len(other)), key=lambda i: -abs(other[i]))[: round(keep * len(other))]
        for i, (mine, theirs) in enumerate(zip(own, other, strict=True)):
            prior += (mine - theirs) ** 2 * (i in kept)
            sparse += abs(mine) * (i not in kept)
    found = sparse_prior(student, teacher, keep)
    assert [each.item() for each in found] == pytest.approx([prior / (2 * 4 * 49), sparse / (2 * 4 * 49)])


@given(seed=seeds)
def test_laws(seed):
    student, teacher = maps(seed, 2, 4, 14, 21), maps(seed + 1, 2, 4, 9, 12)
    prior, sparse = sparse_prior(student, teacher)
    assert prior > 0 < sparse
    assert sparse_prior(teacher, teacher)[0].item() == pytest.approx(0.0, abs=1e-12)
    assert sparse_prior(student, teacher, keep=1.0)[1] == 0
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    scale = torch.arange(1.0, 5.0, dtype=torch.float64)[:, None, None]
    for own, other in ((student * scale, teacher), (student, 3 * teacher), (student[:, order], teacher[:, order])):
        torch.testing.assert_close(sparse_prior(own, other), (prior, sparse))
    halves = [torch.stack(sparse_prior(student[i : i + 1], teacher[i : i + 1])) for i in (0, 1)]
    torch.testing.assert_close(torch.stack(halves).mean(dim=0), torch.stack([prior, sparse]))


def test_zeros_are_never_marked():
    student, teacher = maps(0, 1, 1, GRID, GRID), maps(1, 1, 1, GRID, GRID)
    teacher[..., 0] = 0
    free = (student / student.norm()).abs()[teacher == 0]
    assert sparse_prior(student, teacher, keep=1.0)[1].item() == pytest.approx(free.sum().item() / 49)


def test_the_teacher_learns_nothing_and_nothing_breaks_without_a_direction():
    student, teacher = torch.zeros(2, 3, 9, 9, requires_grad=True), torch.zeros(2, 3, 5, 5, requires_grad=True)
    prior, sparse = sparse_prior(student, teacher)
    (prior + sparse).backward()
    assert (prior.item(), sparse.item()) == (0.0, 0.0)
    assert teacher.grad is None
    assert student.grad.isfinite().all()


def test_stages_are_those_of_the_backbone_or_the_levels_of_a_pyramid():
    backbone = {"stage1": 2, "stage2": 4, "stage3": 4, "decoder": 4}
    widths = {"stage1": 3, "stage2": 5, "stage3": 5, "decoder": 8}
    assert stages(prediction(backbone, widths, ("decoder",))) == [["stage1"], ["stage2", "stage3"]]
    pyramid = {"stage2": 4, "p2": 4, "p3": 8}
    assert stages(prediction(pyramid, dict.fromkeys(pyramid, 4), ("p2", "p3"))) == [["p2"], ["p3"]]
    only = prediction({"decoder": 4}, {"decoder": 4}, ("decoder",))
    assert stages(only) == [["decoder"]]
    with pytest.raises(InputError, match="names no feature"):
        stages(prediction({}, {}, ()))


def test_a_stage_is_the_mean_of_its_scaled_blocks():
    made = prediction({"a": 4, "b": 4}, {"a": 3, "b": 3}, ())
    scaled = [each / each.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() for each in made.features.values()]
    assert_alike(aggregate(made, ["a", "b"]), (scaled[0] + scaled[1]) / 2)


def method(own, other, **options):
    return KnowledgeRepresenting(Setting(Categorical(3), own, {"deep": other}), **options)


def test_stages_are_paired_from_the_deepest_on_with_adaptors_where_widths_differ():
    own = prediction({"s1": 2, "s2": 4}, {"s1": 3, "s2": 5}, ())
    other = prediction({"s1": 2, "s2": 4, "s3": 8}, {"s1": 9, "s2": 3, "s3": 8}, ())
    built = method(own, other)
    assert built.pairs == [(["s1"], ["s2"]), (["s2"], ["s3"])]
    assert [sum(p.numel() for p in each.parameters()) for each in built.adaptors] == [0, 5 * 8 + 8]


def test_the_prior_fades_over_the_last_third(make_step):
    values = {}
    for index in (0, 5, 20, 25, 29):
        step = make_step()
        step.index, step.steps = index, 30
        torch.manual_seed(0)
        values[index] = KnowledgeRepresenting(step.setting())(step)
    first = values[0]
    for index, share in ((5, 1.0), (20, 1.0), (25, 0.5), (29, 0.1)):
        for name in ("prior", "sparse"):
            assert values[index][name].item() == pytest.approx(share * first[name].item(), rel=ROUNDING)
        assert values[index][SUPERVISED].item() == first[SUPERVISED].item()


def test_output_distillation_is_added_where_it_has_a_weight(make_step):
    step = make_step()
    divergence = step.output.divergence(step.student(step.labeled), step.teacher(step.labeled))
    terms = KnowledgeRepresenting(step.setting(), output=0.5)(step)
    assert terms["output"].item() == pytest.approx(divergence.item(), rel=ROUNDING)
    assert set(KnowledgeRepresenting(step.setting())(step)) == {SUPERVISED, "prior", "sparse"}
    alone = KnowledgeRepresenting(step.setting(), prior=0.0, sparse=0.0, output=1.0)
    assert set(alone(step)) == {SUPERVISED, "output"}
    assert not list(alone.parameters())


@pytest.mark.parametrize("options", [{"keep": 0.0}, {"keep": 1.5}, {"fade": -0.1}, {"prior": -1.0}])
def test_options_out_of_range_are_named(make_step, options):
    with pytest.raises(InputError, match=next(iter(options))):
        KnowledgeRepresenting(make_step().setting(), **options)


def test_a_dead_feature_has_a_finite_gradient():
    feature = torch.randn(2, 4, 8, 8)
    feature[0] = 0.0
    feature.requires_grad_()
    seen = Prediction((feature,), {"a": feature}, {"a": 4}, (), torch.zeros(2, 1), (32, 32))
    aggregate(seen, ["a"]).square().sum().backward()
    assert feature.grad.isfinite().all()
