"""What holds in every output space, whatever its maps mean."""

from dataclasses import replace

import pytest
import torch

from benchmark.conformance.output_space_checks import VERBS
from tasks.base import Batch
from tasks.outputs.bayesian import PointTarget
from tasks.outputs.boxes import BoxTarget
from tasks.outputs.detection import Detection
from tests.support import ROUNDING, assert_alike
from tests.tasks.outputs.cases import SIZE, N, gradients, left_half


class SpaceAlone:
    """What the conformance kit looks at in a task, for an output space without one."""

    def __init__(self, case):
        self.case, self.output = case, case.space
        self.prediction, self.teacher = case.prediction(0), case.prediction(1)
        image, everywhere = torch.zeros(N, 3, *SIZE), torch.ones(N, *SIZE, dtype=torch.bool)
        self.batch = Batch("labeled", image, case.labels(2), everywhere)
        self.padded = replace(self.batch, inside=left_half())
        self.nothing = case.nothing

    def fresh(self, index):
        """The labeled batch of a step."""
        return {"labeled": replace(self.batch, target=self.case.labels(2 + index))}

    def predict(self, batch):
        return replace(self.prediction, inside=batch.inside)

    def without_labels(self):
        return self.nothing


def same(a, b):
    if isinstance(a, BoxTarget | PointTarget):
        return all(same(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(a, b, strict=True))
    return torch.equal(a, b)


@pytest.mark.parametrize("check", VERBS, ids=lambda check: check.name)
def test_what_the_conformance_kit_asks_of_verbs(case, check):
    verdict = check.run(SpaceAlone(case))
    assert verdict.outcome == "passed", verdict


def test_divergence_falls_on_the_way_to_the_teacher(case):
    student, teacher = case.prediction(0), case.prediction(1)
    near = case.wrap([torch.lerp(s, t, 0.9) for s, t in zip(student.maps, teacher.maps, strict=True)])
    assert case.space.divergence(near, teacher) < 0.5 * case.space.divergence(student, teacher)


def test_the_teacher_gets_no_say_outside_the_image(case):
    inside = left_half()
    teacher = case.prediction(1, inside)
    student = case.prediction(0, inside, grad=True)
    loss = case.space.divergence(student, teacher)
    for gradient, level in zip(gradients(loss, student), student.maps, strict=True):
        stride = -(-SIZE[1] // level.shape[-1])
        assert (gradient[..., 24 // stride :] == 0).all()


def test_nothing_inside_gives_finite_zero_losses(case):
    nothing = torch.zeros(N, *SIZE, dtype=torch.bool)
    student, teacher = case.prediction(0, nothing, grad=True), case.prediction(1, nothing)
    loss = case.space.divergence(student, teacher)
    assert loss.item() == 0
    assert all((g == 0).all() for g in gradients(loss, student))
    summary = case.space.summary(student)
    assert summary.isfinite().all()
    assert all(g.isfinite().all() for g in gradients(summary.sum(), student))
    pseudo = case.space.hard_targets(teacher)
    loss = case.space.supervised(student.maps, pseudo)
    assert loss.isfinite()
    assert all(g.isfinite().all() for g in gradients(loss, student))


def test_mixing_is_symmetric(case):
    a, b, maps = case.labels(2), case.labels(3), case.prediction(0).maps
    weight = torch.tensor([0.3, 0.9, 0.5])
    losses = [
        case.space.supervised(maps, case.space.mix(*pair, share))
        for pair, share in [((a, b), weight), ((b, a), 1 - weight)]
    ]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=ROUNDING)


def test_a_target_mixed_with_itself_is_that_target_where_it_says_so(case):
    target, maps = case.labels(2), case.prediction(0).maps
    mixed = case.space.mix(target, target, torch.tensor([0.3, 0.9, 0.5]))
    found, alone = (case.space.supervised(maps, each).item() for each in (mixed, target))
    assert (found == pytest.approx(alone, rel=ROUNDING)) == case.space.blends


def test_mixing_and_pasting_half_have_gradients(case):
    a, b, student = case.labels(2), case.labels(3), case.prediction(0, grad=True)
    for target in (case.space.mix(a, b, torch.tensor([0.1, 0.5, 0.95])), case.space.paste(a, b, left_half())):
        grads = gradients(case.space.supervised(student.maps, target), student)
        assert all(g.isfinite().all() for g in grads)
        assert sum(g.abs().sum() for g in grads) > 0


def test_order_of_the_batch(case):
    order = torch.tensor([2, 0, 1])
    target, prediction = case.labels(2), case.prediction(0)
    turned = case.wrap([m[order] for m in prediction.maps])
    assert same(case.space.permute(case.space.permute(target, order), order.argsort()), target)
    found = case.space.supervised(turned.maps, case.space.permute(target, order))
    assert found.item() == pytest.approx(case.space.supervised(prediction.maps, target).item(), rel=ROUNDING)
    assert_alike(case.space.summary(turned), case.space.summary(prediction)[order])


def test_hard_targets_are_learned_by_the_teacher_that_gave_them(case):
    teacher = case.prediction(1)
    target = case.space.hard_targets(teacher)
    assert case.space.supervised(teacher.maps, target) < case.space.supervised(case.prediction(0).maps, target)


def test_pseudo_labels_can_be_pasted(case):
    first, second = (case.space.hard_targets(case.prediction(seed)) for seed in (1, 2))
    student = case.prediction(0, grad=True)
    loss = case.space.supervised(student.maps, case.space.paste(first, second, left_half()))
    assert all(g.isfinite().all() for g in gradients(loss, student))


def test_bounded_is_bounded(case):
    wild = case.wrap([20 * m for m in case.prediction(0).maps])
    assert case.space.bounded(wild).abs().max() <= 1


def test_predictions_of_one_size_are_alike_already(case):
    student, teacher = case.prediction(0), case.prediction(1)
    for before, after in zip((student, teacher), case.space.alike(student, teacher), strict=True):
        assert all(map(torch.equal, before.maps, after.maps))
    bounded = case.space.bounded_alike(student, teacher)
    assert all(map(torch.equal, bounded, map(case.space.bounded, (student, teacher))))


def test_any_numbers_can_be_made_maps(case):
    raw = [4 * torch.randn(N, *shape, requires_grad=True) for shape in case.shapes]
    made = [case.space.proper(each) for each in raw]
    assert [m.shape for m in made] == [m.shape for m in raw]
    loss = case.space.supervised(made, case.labels(2))
    assert loss.isfinite()
    assert case.space.divergence(case.wrap(made), case.prediction(1)) >= 0
    assert all(g.isfinite().all() for g in torch.autograd.grad(loss, raw))
    if isinstance(case.space, Detection):
        assert all((m[:, case.space.classes : -1] >= 0).all() for m in made)


def test_resolutions_may_differ(case):
    if isinstance(case.space, Detection):
        pytest.skip("all networks share one pyramid")
    student = case.prediction(0)
    finer = case.wrap([torch.randn(N, m.shape[1], 15, 21) for m in student.maps])
    assert case.space.divergence(student, finer) > 0
    assert case.space.divergence(finer, student) > 0
    assert case.space.supervised(finer.maps, case.labels(2)) > 0


def test_half_precision_maps(case):
    student = case.prediction(0)
    half = case.wrap([m.bfloat16() for m in student.maps])
    exact = case.wrap([m.float() for m in half.maps])
    for compute in (
        lambda p: case.space.supervised(p.maps, case.labels(2)),
        lambda p: case.space.divergence(p, student),
    ):
        assert compute(half).item() == pytest.approx(compute(exact).item(), rel=ROUNDING)
