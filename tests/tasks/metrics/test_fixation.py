import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.metrics.fixation import (
    FixationScores,
    Looks,
    auc_judd,
    correlation,
    density_nss,
    kl_divergence,
    nss,
    shuffled_auc,
    similarity,
)

SIZE = (5, 7)
seeds = st.integers(0, 10_000)
levels = st.sampled_from([2, 4, 9, None])  # of the map; None: no ties


def case(seed, levels=None):
    """A map, fixations, counts of other looks."""
    draw = np.random.default_rng(seed)
    values = draw.random(SIZE) if levels is None else draw.integers(0, levels, SIZE) / levels
    fixations = draw.random(SIZE) < 0.2
    fixations[draw.integers(5), draw.integers(7)] = True
    return values, fixations, draw.integers(0, 3, SIZE)


def matlab_auc_judd(values, fixations):
    """The benchmark's loop, without jitter; right where nothing ties."""
    thresholds = sorted(values[fixations], reverse=True)
    count, pixels = len(thresholds), values.size
    curve = [(0.0, 0.0)]
    for i, threshold in enumerate(thresholds, start=1):
        curve.append((((values >= threshold).sum() - i) / (pixels - count), i / count))
    curve.append((1.0, 1.0))
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve))


@settings(deadline=None)
@given(seed=seeds)
def test_auc_judd_without_ties_is_the_benchmark_s(seed):
    values, fixations, _ = case(seed)
    assert auc_judd(values, fixations) == pytest.approx(matlab_auc_judd(values, fixations), abs=1e-12)


@settings(deadline=None)
@given(seed=seeds, levels=levels)
def test_auc_judd_counts_both_rates_at_every_fixated_level(seed, levels):
    values, fixations, _ = case(seed, levels)
    points = [(0.0, 0.0), (1.0, 1.0)]
    for threshold in values[fixations]:
        above = values >= threshold
        points.append((above[~fixations].mean(), above[fixations].mean()))
    points.sort()
    brute = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
    assert auc_judd(values, fixations) == pytest.approx(brute, abs=1e-12)


@settings(deadline=None)
@given(seed=seeds, levels=levels)
def test_shuffled_auc_is_the_chance_that_a_fixation_ranks_higher(seed, levels):
    values, fixations, negatives = case(seed, levels)
    wins = looks = 0.0
    for (mine, _), (place, other) in product(
        ((value, None) for value in values[fixations]), np.ndenumerate(negatives * ~fixations)
    ):
        looks += other
        wins += other * ((mine > values[place]) + 0.5 * (mine == values[place]))
    assert shuffled_auc(values, fixations, negatives) == pytest.approx(wins / looks, abs=1e-12)


@settings(deadline=None)
@given(seed=seeds, levels=levels)
def test_own_positions_are_no_negatives_whether_removed_before_or_not(seed, levels):
    values, fixations, negatives = case(seed, levels)
    removed = np.where(fixations, 0, negatives)
    assert shuffled_auc(values, fixations, negatives) == shuffled_auc(values, fixations, removed)


@settings(deadline=None)
@given(seed=seeds, levels=levels, scale=st.floats(0.1, 10), shift=st.floats(0, 5))
def test_what_a_rising_function_of_the_map_leaves_unchanged(seed, levels, scale, shift):
    values, fixations, negatives = case(seed, levels)
    density = np.random.default_rng(seed + 1).random(SIZE)
    if values.min() == values.max():
        return
    moved = scale * values + shift
    assert nss(moved, fixations) == pytest.approx(nss(values, fixations), abs=1e-6)
    assert correlation(moved, density) == pytest.approx(correlation(values, density), abs=1e-6)
    assert similarity(moved, density) == pytest.approx(similarity(values, density), abs=1e-6)
    ranks = np.unique(values, return_inverse=True)[1].reshape(SIZE)
    assert auc_judd(ranks, fixations) == auc_judd(values, fixations)
    assert shuffled_auc(ranks, fixations, negatives) == shuffled_auc(values, fixations, negatives)


@settings(deadline=None)
@given(seed=seeds, levels=levels)
def test_bounds_and_what_is_best(seed, levels):
    values, fixations, negatives = case(seed, levels)
    density = np.random.default_rng(seed + 1).random(SIZE)
    assert 0 <= auc_judd(values, fixations) <= 1
    assert auc_judd(fixations.astype(float), fixations) == 1
    assert shuffled_auc(fixations.astype(float), fixations, negatives) == 1
    assert shuffled_auc(1.0 - fixations, fixations, negatives) == 0
    assert correlation(density, density) == pytest.approx(1)
    assert similarity(density, density) == pytest.approx(1)
    assert kl_divergence(density, density) == pytest.approx(0, abs=1e-12)
    assert kl_divergence(3 * density, density) == pytest.approx(0, abs=1e-12)
    assert kl_divergence(values + 0.01, density) > 0
    assert nss(values, np.ones(SIZE)) == pytest.approx(0, abs=1e-9) or values.min() == values.max()


def test_hand_made_values():
    values = np.array([[0.0, 1.0, 2.0, 5.0]])
    fixations = np.array([[0, 0, 1, 1]])
    assert nss(values, fixations) == pytest.approx(1.5 / math.sqrt(3.5))
    assert nss(values, fixations, ddof=1) == pytest.approx(1.5 / math.sqrt(14 / 3))
    density = np.array([[1.0, 1.0, 1.0, 3.0]])
    assert correlation(values, density) == pytest.approx(6 / math.sqrt(14 * 3))
    # stretched: (0, .2, .4, 1) / 1.6 and (0, 0, 0, 1)
    assert similarity(values, density) == pytest.approx(0.625)
    assert density_nss(values, density) == pytest.approx((-2 - 1 + 0 + 9) / 6 / math.sqrt(3.5))
    eps = 2.0**-52
    expected = 1 / 6 * math.log(1 / 6 / eps) + 1 / 6 * math.log(8 / 6) + 1 / 6 * math.log(4 / 6)
    assert kl_divergence(values, density) == pytest.approx(expected + 0.5 * math.log(0.8), abs=1e-9)


def matlab_auc_shuffled(values, fixations, negatives, draw):
    """The MIT benchmark's loop, with draws of ours."""
    values = (values - values.min()) / (values.max() - values.min())
    positives, others = values[fixations], values[(negatives > 0) & ~fixations]
    areas = []
    for _ in range(100):
        chosen = draw.permutation(others)[: min(len(positives), len(others))]
        curve = [(0.0, 0.0)]
        for level in (tenth / 10 for tenth in range(10, -1, -1)):
            if level <= max(positives.max(), chosen.max()):
                curve.append(((chosen >= level).mean(), (positives >= level).mean()))
        curve.append((1.0, 1.0))
        areas.append(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve)))
    return np.mean(areas)


@settings(deadline=None)
@given(seed=seeds)
def test_borji_s_shuffled_auc_is_the_mit_benchmark_s(seed):
    values, fixations, negatives = case(seed)
    expected = matlab_auc_shuffled(values, fixations, negatives, np.random.default_rng(3))
    assert shuffled_auc(values, fixations, negatives, borji=3) == pytest.approx(expected, abs=1e-12)
    assert shuffled_auc(values, fixations, negatives, borji=3) == shuffled_auc(values, fixations, negatives, borji=3)
    assert shuffled_auc(np.ones(SIZE), fixations, negatives, borji=0) == 0.5
    assert shuffled_auc(fixations.astype(float), fixations, negatives, borji=0) == 1


def test_ties_are_neither_alarms_nor_chance():
    # One of two fixated pixels ties with one of two others: (0,0), (0,.5), (.5,1), (1,1).
    values, fixations = np.array([[3.0, 2.0, 2.0, 1.0]]), np.array([[1, 1, 0, 0]])
    assert auc_judd(values, fixations) == 0.875
    assert shuffled_auc(values, fixations, np.array([[9, 9, 3, 1]])) == pytest.approx((2 + 1.5 * 3) / 8 + 0.0)
    assert auc_judd(np.ones((1, 4)), fixations) == 0.5
    assert shuffled_auc(np.ones((1, 4)), fixations, np.ones((1, 4), int)) == 0.5


def test_what_is_undefined_is_nan():
    values, flat, none = np.arange(4.0)[None], np.ones((1, 4)), np.zeros((1, 4))
    for found in (
        nss(values, none),
        nss(flat, flat),
        nss(0.1 * flat, flat),  # the mean of equal numbers need not equal them
        density_nss(values, none),
        auc_judd(values, none),
        auc_judd(values, flat),
        shuffled_auc(values, none, flat),
        shuffled_auc(values, flat, none),
        shuffled_auc(values, np.array([[1, 0, 0, 0]]), np.array([[5, 0, 0, 0]])),
        correlation(flat, values),
        correlation(values, flat),
        similarity(flat, values),
        similarity(values, none),
        kl_divergence(values, none),
        kl_divergence(none, values),
    ):
        assert math.isnan(found)
    with pytest.raises(ValueError, match="differ in size"):
        nss(values, values.T)


def looks(clip, seed, points=True):
    draw = np.random.default_rng(seed)
    spots = (draw.random((4, 2)) * [SIZE[1], SIZE[0]]).astype(np.float32)
    return Looks(clip, draw.random(SIZE), spots if points else None)


def scored(*pairs, **options):
    metric = FixationScores(**options)
    for prediction, truth in pairs:
        metric.update(prediction, truth)
    return metric.compute()


def maps(count, seed=9):
    return list(np.random.default_rng(seed).random((count, *SIZE)).astype(np.float32))


def test_frames_are_averaged_in_their_clip_and_clips_alike():
    frames = [looks("a", 0), looks("a", 1), looks("b", 2)]
    predictions = maps(3)
    single = [scored(pair)["nss"] for pair in zip(predictions, frames, strict=True)]
    pairs = list(zip(predictions, frames, strict=True))
    assert scored(*pairs)["nss"] == pytest.approx(((single[0] + single[1]) / 2 + single[2]) / 2)
    assert scored(*pairs, average="frames")["nss"] == pytest.approx(np.mean(single))


def test_negatives_are_the_looks_at_other_clips():
    frames, predictions = [looks("a", 0), looks("a", 1), looks("b", 2)], maps(3)
    fixated = []
    for frame in frames:
        fixated.append(np.zeros(SIZE, int))
        np.add.at(fixated[-1], tuple(frame.points.astype(int).T[::-1]), 1)
    expected = [
        shuffled_auc(predictions[0], fixated[0], fixated[2]),
        shuffled_auc(predictions[1], fixated[1], fixated[2]),
        shuffled_auc(predictions[2], fixated[2], fixated[0] + fixated[1]),
    ]
    found = scored(*zip(predictions, frames, strict=True))["sauc"]
    assert found == pytest.approx((np.mean(expected[:2]) + expected[2]) / 2)
    assert math.isnan(scored(*zip(predictions[:2], frames[:2], strict=True))["sauc"])


def test_negatives_are_brought_to_the_size_of_the_frame():
    small = Looks("a", np.ones((2, 2)), np.array([[1.5, 0.5]]))
    large = Looks("b", np.ones((4, 4)), np.array([[0.5, 3.5]]))
    map_small, map_large = np.arange(4.0).reshape(2, 2), np.arange(16.0).reshape(4, 4)
    # at 2x2 the other looked at row 1, column 0; at 4x4 at row 1, column 3
    assert scored((map_small, small), (map_large, large))["sauc"] == pytest.approx((0.0 + 1.0) / 2)


def test_without_points_the_density_weights_and_the_scores_say_so():
    truth = looks("a", 3, points=False)
    prediction = maps(1)[0]
    found = scored((prediction, truth))
    assert found["points"] == 0
    assert found["nss"] == pytest.approx(density_nss(prediction, truth.density))
    assert math.isnan(found["auc_j"])
    assert math.isnan(found["sauc"])
    mixed = scored((prediction, truth), (prediction, looks("b", 4)))
    assert mixed["points"] == 0.5
    assert math.isfinite(mixed["auc_j"])


def test_points_on_the_border_belong_to_the_last_pixel():
    prediction = np.zeros(SIZE)
    prediction[-1, -1] = 1
    truth = Looks("a", np.ones(SIZE), np.array([[7.0, 5.0], [8.0, 9.0]]))
    assert scored((prediction, truth))["auc_j"] == 1


def test_a_constant_prediction_is_chance():
    truth = Looks("a", np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([[3.5, 0.5]]))
    found = scored((np.full((1, 4), 0.3), truth))
    assert (found["nss"], found["cc"], found["sim"], found["auc_j"]) == (0, 0, 0.25, 0.5)
    assert found["kl"] == pytest.approx(math.log(4), abs=1e-6)


def test_a_frame_that_nobody_looks_at_is_left_out():
    nobody = Looks("a", np.zeros(SIZE), np.zeros((0, 2)))
    somebody = looks("a", 5)
    prediction = maps(1)[0]
    found, alone = scored((prediction, nobody), (prediction, somebody)), scored((prediction, somebody))
    for name in ("nss", "auc_j", "cc", "sim", "kl", "points"):
        assert found[name] == pytest.approx(alone[name])
    assert math.isnan(scored((np.ones(SIZE), nobody))["nss"])


def test_nothing_seen_is_undefined_and_sizes_must_agree():
    assert all(math.isnan(score) for score in FixationScores().compute().values())
    with pytest.raises(ValueError, match="differ in size"):
        scored((np.zeros((2, 3)), looks("a", 0)))


def test_order_and_merging_do_not_change_a_bit():
    pairs = [(m, looks("abc"[i % 3], i, points=i != 4)) for i, m in enumerate(maps(7))]
    first, second = FixationScores(), FixationScores()
    for number in (5, 0, 3, 6, 1, 4, 2):
        (second if number < 3 else first).update(*pairs[number])
    first.merge(second)
    assert first.compute() == scored(*pairs)
