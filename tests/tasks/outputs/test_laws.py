"""What holds in every output space, whatever its maps mean."""

from dataclasses import dataclass, replace

import pytest
import torch

from benchmark.conformance.frozen_step import fit
from benchmark.conformance.output_space_checks import VERBS
from tasks.base import IGNORE, Batch, OutputSpace, Prediction
from tasks.outputs.bayesian import BayesianDensity, PointTarget, stack_points
from tasks.outputs.binary import Binary
from tasks.outputs.boxes import BoxTarget, stack
from tasks.outputs.categorical import Categorical
from tasks.outputs.density import Density
from tasks.outputs.detection import Detection
from tasks.outputs.fixation import Fixation
from tasks.outputs.logdepth import LogDepth
from tests.support import ROUNDING, assert_alike

N, SIZE = 3, (30, 42)  # neither side is a multiple of 4


def boxes(generator):
    corner = torch.rand(N, 4, 2, generator=generator) * torch.tensor([30.0, 18.0])
    side = 4 + torch.rand(N, 4, 2, generator=generator) * 8
    xyxy = torch.cat([corner, corner + side], dim=-1)
    labels = torch.randint(0, 3, (N, 4), generator=generator)
    return stack(list(xyxy), list(labels))


def points(generator):
    spread = torch.tensor([SIZE[1], SIZE[0]])
    return stack_points([torch.rand(k, 2, generator=generator) * spread for k in (4, 0, 7)], SIZE)


@dataclass
class Case:
    space: OutputSpace
    shapes: list  # of the maps: channels, height, width
    target: object  # generator -> target
    nothing: object  # a target on which nothing is marked

    def prediction(self, seed, inside=None, grad=False):
        generator = torch.Generator().manual_seed(seed)
        maps = [torch.randn(N, *shape, generator=generator) for shape in self.shapes]
        if isinstance(self.space, Detection):
            k = self.space.classes
            maps = [torch.cat([m[:, :k], m[:, k:-1].abs(), m[:, -1:]], dim=1) for m in maps]
        return self.wrap([m.requires_grad_(grad) for m in maps], inside)

    def wrap(self, maps, inside=None):
        return Prediction(tuple(maps), {}, {}, (), torch.zeros(N, 4), SIZE, inside)

    def labels(self, seed):
        return self.target(torch.Generator().manual_seed(seed))


class SpaceAlone:
    """What the conformance kit looks at in a task, for an output space without one."""

    def __init__(self, case):
        self.output, self.prediction, self.teacher = case.space, case.prediction(0), case.prediction(1)
        image, everywhere = torch.zeros(N, 3, *SIZE), torch.ones(N, *SIZE, dtype=torch.bool)
        self.batch = Batch("labeled", image, case.labels(2), everywhere)
        self.padded = replace(self.batch, inside=left_half())
        self.nothing = case.nothing

    def predict(self, batch):
        return replace(self.prediction, inside=batch.inside)

    def without_labels(self):
        return self.nothing


def uniform(generator):
    return torch.rand(N, *SIZE, generator=generator)


def everywhere(value):
    return torch.full((N, *SIZE), value)


CASES = {
    "categorical": Case(
        Categorical(3), [(3, 8, 11)], lambda g: torch.randint(0, 3, (N, *SIZE), generator=g), everywhere(IGNORE)
    ),
    "binary": Case(Binary(), [(1, 8, 11)], lambda g: (uniform(g) > 0.5).float(), everywhere(-1.0)),
    "logdepth": Case(LogDepth(10.0), [(1, 8, 11)], lambda g: 0.5 + 9 * uniform(g), everywhere(0.0)),
    "density": Case(Density(), [(1, 8, 11)], lambda g: uniform(g) / 50, everywhere(0.0)),
    "density reference": Case(Density("reference"), [(1, 8, 11)], lambda g: uniform(g) / 50, everywhere(0.0)),
    "bayesian": Case(BayesianDensity(4.0), [(1, 8, 11)], points, stack_points([torch.zeros(0, 2)] * N, SIZE)),
    "fixation": Case(Fixation(), [(1, 8, 11)], uniform, everywhere(-1.0)),
    "fixation, all terms": Case(Fixation(cc=1.0, nss=0.1), [(1, 8, 11)], lambda g: uniform(g) ** 4, everywhere(-1.0)),
    "detection": Case(
        Detection(3, (4, 8)),
        [(8, 8, 11), (8, 4, 6)],
        boxes,
        stack([torch.zeros(0, 4)] * N, [torch.zeros(0, dtype=torch.long)] * N),
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def same(a, b):
    if isinstance(a, BoxTarget | PointTarget):
        return all(same(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(a, b, strict=True))
    return torch.equal(a, b)


def gradients(loss, prediction):
    grads = torch.autograd.grad(loss, prediction.maps, allow_unused=True)
    return [torch.zeros_like(m) if g is None else g for g, m in zip(grads, prediction.maps, strict=True)]


def left_half():
    inside = torch.zeros(N, *SIZE, dtype=torch.bool)
    inside[:, :, :24] = True
    return inside


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
    moved = case.wrap(
        [
            torch.where(g != 0, m, m + 5)
            for g, m in zip(gradients_of(case, student, teacher), student.maps, strict=True)
        ],
        inside,
    )
    assert case.space.divergence(moved, teacher).item() == pytest.approx(loss.item(), rel=ROUNDING)


def gradients_of(case, student, teacher):
    return gradients(case.space.divergence(student, teacher), student)


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


def test_hard_targets_are_targets_of_the_input_size(case):
    teacher = case.prediction(1)
    target = case.space.hard_targets(teacher)
    inside = case.space.labeled(target, SIZE)
    assert inside.dtype == torch.bool
    assert inside.shape == (N, *SIZE)
    assert case.space.supervised(teacher.maps, target) < case.space.supervised(case.prediction(0).maps, target)


def test_pseudo_labels_can_be_pasted(case):
    first, second = (case.space.hard_targets(case.prediction(seed)) for seed in (1, 2))
    student = case.prediction(0, grad=True)
    loss = case.space.supervised(student.maps, case.space.paste(first, second, left_half()))
    assert all(g.isfinite().all() for g in gradients(loss, student))


def test_summary_is_one_vector_an_image_inside_it(case):
    prediction = case.prediction(0, left_half())
    summary = case.space.summary(prediction)
    assert summary.shape[0] == N
    assert summary.dim() == 2
    changed = [m.clone() for m in prediction.maps]
    for level in changed:
        stride = -(-SIZE[1] // level.shape[-1])
        level[..., 24 // stride :] += 3
    assert_alike(case.space.summary(replace(prediction, maps=tuple(changed))), summary)


def test_bounded_is_bounded(case):
    wild = case.wrap([20 * m for m in case.prediction(0).maps])
    assert case.space.bounded(wild).abs().max() <= 1


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


def test_labels_lie_where_the_scores_do(case):
    prediction, target = case.prediction(0, grad=True), case.labels(2)
    scores = case.space.label_scores(prediction)
    sizes = [(level.shape[-2], level.shape[-1]) for level in scores]
    labels = case.space.labels(target, sizes)
    assert len({level.shape[1] for level in scores}) == 1
    for level, truth in zip(scores, labels, strict=True):
        assert truth.shape == (N, *level.shape[-2:])
        assert truth.dtype == torch.int64
        assert ((truth < level.shape[1]) | (truth == IGNORE)).all()
    assert sum(truth[truth != IGNORE].unique().numel() for truth in labels) > len(labels)
    assert all(g.isfinite().all() for g in gradients(sum(level.square().sum() for level in scores), prediction))


def test_a_prediction_relabeled_by_its_own_scores_is_itself(case):
    prediction = case.prediction(0)
    made = case.space.relabel(prediction, case.space.label_scores(prediction))
    for found, own in zip(made, prediction.maps, strict=True):
        assert_alike(found, own)


def test_relabeled_maps_move_where_the_scores_say(case):
    """Scores that favour the last label on the left half give maps whose own scores favour it there."""
    prediction = case.prediction(0)
    own = case.space.label_scores(prediction)
    place = torch.arange(own[0].shape[1])[:, None, None]
    sides = [torch.arange(level.shape[-1]) < level.shape[-1] // 2 for level in own]
    wanted = [level + place / place.max() * left for level, left in zip(own, sides, strict=True)]
    made = replace(prediction, maps=case.space.relabel(prediction, wanted))
    for before, after, left in zip(own, case.space.label_scores(made), sides, strict=True):
        moved = ((after.softmax(1) - before.softmax(1)) * place).sum(1)
        assert moved[..., left].mean() > moved[..., ~left].mean() + 0.01


def test_the_labels_of_a_right_prediction_are_true(case):
    """The labels that a prediction of the target scores highest are nearer to the true ones than another's."""
    right = case.prediction(1)
    target = case.space.hard_targets(right)
    if isinstance(case.space, Detection):
        target = case.labels(2)
        right = replace(right, maps=fit(case.space, right.maps, target))
    distances = []
    for prediction in (right, case.prediction(0)):
        scores = case.space.label_scores(prediction)
        labels = case.space.labels(target, [(level.shape[-2], level.shape[-1]) for level in scores])
        pairs = zip(scores, labels, strict=True)
        distances.append(torch.cat([(s.argmax(1) - t).abs()[t != IGNORE] for s, t in pairs]).float().mean())
    assert distances[0] < 0.5 * distances[1]


def test_a_space_without_labels_of_its_own_has_those_of_its_bounded_map(case):
    prediction = case.prediction(0)
    (scores,) = OutputSpace.label_scores(case.space, prediction)
    bounded = case.space.bounded(prediction)
    assert scores.shape[1] == max(2, bounded.shape[1])
    assert torch.equal(scores[:, -bounded.shape[1] :].argmax(1), bounded.argmax(1))
    assert OutputSpace.labels(case.space, case.labels(2), [(8, 11)]) is None
    assert OutputSpace.relabel(case.space, prediction, (scores,)) is None
