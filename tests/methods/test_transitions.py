import pytest
import torch

from methods import chain
from methods.transitions import Transitions, collect, count_neighbours, fit, observe, prior
from tasks.base import IGNORE

LABELS, SIDE = 3, 24


def striped(seed, images=4):
    """Labels whose rows follow a Markov chain that seldom changes, and whose columns do not hang together."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, LABELS, (images, SIDE, SIDE), generator=generator)
    stay = torch.rand(images, SIDE, SIDE, generator=generator) < 0.8
    for x in range(1, SIDE):
        labels[:, :, x] = torch.where(stay[:, :, x], labels[:, :, x - 1], labels[:, :, x])
    return labels


def noisy(labels, strength, seed=0):
    """Scores that lean towards the labels, with noise."""
    noise = torch.randn(len(labels), LABELS, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    return strength * (torch.nn.functional.one_hot(labels, LABELS).movedim(-1, 1) + noise)


def likelihood(scores, labels, table):
    """Mean log-likelihood a position of true labels, over rows and columns."""
    total = 0.0
    for maps, target, transition in ((scores, labels[:, None], table[0]), (scores.mT, labels[:, None].mT, table[1])):
        seen = observe(chain.rows(target)[:, 0], LABELS)
        total -= chain.cross_entropy(seen, chain.rows(maps), transition).item()
    return total / (2 * labels.numel())


def test_ordered_labels_are_smooth_before_anything_is_seen():
    assert torch.equal(prior(3, False), torch.zeros(3, 3))
    assert prior(4, True)[0].tolist() == [0.0, -0.5, -1.0, -1.5]
    assert torch.equal(Transitions(prior(4, True), 2).table[1, 1], prior(4, True))


def test_observed_labels_are_counted_where_both_neighbours_are_known():
    labels = torch.tensor([[0, 1], [2, IGNORE], [2, 1]])  # two chains of three
    seen = observe(labels, LABELS)
    assert seen.unary.sum(dim=1).tolist() == [[1, 1], [1, 0], [1, 1]]
    assert seen.pairs.tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 1]]  # 2 after 0, 2 after 2


def test_transitions_start_from_how_often_labels_are_neighbours():
    across, down = count_neighbours(striped(0, images=32), prior(LABELS, False))
    assert across.diagonal().min() > 0.5
    assert (across - torch.diag(across.diagonal())).min() < -0.5
    assert down.abs().max() < 0.1
    unseen = count_neighbours(torch.full((1, 4, 4), IGNORE), prior(LABELS, True))
    torch.testing.assert_close(unseen, prior(LABELS, True).expand(2, LABELS, LABELS))


def test_fitting_makes_the_truth_more_likely_and_finds_the_scale():
    labels = striped(1)
    scores = noisy(labels, strength=4.0)  # the noise is as large as the lean: too sure of itself
    start = count_neighbours(labels, prior(LABELS, False))
    table, scale = fit(scores, labels, start, steps=20)
    assert scale.item() == pytest.approx(0.25, rel=0.3)
    fitted, before = likelihood(scale * scores, labels, table), likelihood(scores, labels, start)
    assert fitted > before + 0.1
    nudged = table.clone()
    nudged[0, 0, 1] += 1.0
    assert likelihood(scale * scores, labels, nudged) < fitted


def test_pairs_that_never_occur_stay_finite():
    labels = torch.zeros(1, SIDE, SIDE, dtype=torch.long)
    table, scale = fit(noisy(labels, 1.0), labels, count_neighbours(labels, prior(LABELS, False)), steps=50)
    assert table.isfinite().all()
    assert scale.isfinite()
    unknown = torch.full_like(labels, IGNORE)
    start = torch.zeros(2, LABELS, LABELS)
    assert torch.equal(fit(noisy(labels, 1.0), unknown, start, 5)[0], start)


def test_collecting_stops_at_enough_images_and_leaves_out_what_does_not_count(make_step):
    steps = iter([make_step(), make_step(), make_step()])
    step = make_step()
    ((scores, labels),), true = collect(step.output, steps, images=4)
    assert true
    assert len(scores) == len(labels) == 6
    assert labels.max() < step.output.channels
    assert len(list(steps)) == 1
    ((_, labels),), _ = collect(step.output, [make_step(invalid=True)], images=1)
    assert (labels == IGNORE).all()
