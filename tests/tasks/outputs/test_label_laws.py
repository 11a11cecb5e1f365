"""What holds in every output space that tells predictions in labels."""

from dataclasses import replace

import torch

from benchmark.conformance.task_under_test import fit
from tasks.base import IGNORE, OutputSpace
from tasks.outputs.detection import Detection
from tests.support import assert_alike
from tests.tasks.outputs.cases import N, gradients


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
