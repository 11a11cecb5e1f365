"""What a task must give: samples, networks that return a whole Prediction, a metric that tells good from bad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from benchmark.conformance.finding import Checks, Verdict, broken, kept
from benchmark.conformance.task_under_test import TaskUnderTest, fit
from benchmark.conformance.tensors import pick
from benchmark.training.step import predict
from tasks.base import Batch, Metric, Prediction, Sample
from tasks.errors import InputError
from tasks.nested import leaves

NETWORKS, SCORES = Checks[TaskUnderTest](), Checks[TaskUnderTest]()
ODD = (90, 70)  # a size that no network's stride divides
CLOSE = 1e-3  # allowed difference of a prediction in another batch


@NETWORKS.promise()
def dataset_gives_samples(tested: TaskUnderTest) -> Verdict:
    """Every split has images, uint8 RGB, with the annotation that the task learns from."""
    dataset, kind = tested.problem.dataset, tested.task.annotation
    counts = {split: len(dataset.ids(split)) for split in dataset.splits}
    for split, count in counts.items():
        if count == 0:
            return broken(f"split '{split}' of {dataset.name} is empty", "give every split at least one image")
        sample = dataset.load(split, 0)
        image = sample.image
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 * tested.task.frames:
            return broken(
                f"the image of '{sample.id}' is {image.dtype} {image.shape}",
                "return RGB as uint8, (height, width, 3 a frame)",
            )
        if kind not in sample.annotations:
            return broken(
                f"'{sample.id}' has {sorted(sample.annotations)}, the task learns from '{kind}'",
                "name a kind that the dataset provides",
            )
    return kept(", ".join(f"{count} {split}" for split, count in counts.items()) + " images")


@NETWORKS.promise("dataset gives samples")
def networks_return_whole_predictions(tested: TaskUnderTest) -> Verdict:
    """Student and teachers return maps, named features with strides, those that the head reads, and an embedding."""
    image = tested.batch.image
    for who, network in {"student": tested.network, **tested.teachers}.items():
        with torch.no_grad():
            prediction = predict(network, tested.batch, tested.problem.fabric)
        if fault := prediction_fault(prediction, len(image), (image.shape[2], image.shape[3]), tested.output.channels):
            return broken(f"{who}: {fault}", "return a tasks.base.Prediction as its docstring has it")
    names = ", ".join(f"{name} /{stride}" for name, stride in tested.prediction.strides.items())
    return kept(f"features {names}; {len(tested.prediction.maps)} map(s) of {tested.output.channels} channels")


def prediction_fault(prediction: Prediction, count: int, size: tuple[int, int], channels: int) -> str | None:
    """Say what is wrong with the prediction of so many images (H,W), whose maps should have so many channels."""
    features, strides = prediction.features, prediction.strides
    if prediction.size != size:
        return f"size is {prediction.size}, of images {size}"
    if any(level.ndim != 4 or level.shape[:2] != (count, channels) for level in prediction.maps):
        shapes = [tuple(level.shape) for level in prediction.maps]
        return f"maps are {shapes}, expected ({count}, {channels}, h, w)"
    if features.keys() != strides.keys() or not features:
        return f"features are {list(features)}, strides {list(strides)}"
    for name, feature in features.items():
        expected = (math.ceil(size[0] / strides[name]), math.ceil(size[1] / strides[name]))
        if feature.ndim != 4 or feature.shape[0] != count or tuple(feature.shape[-2:]) != expected:
            return f"feature '{name}' is {tuple(feature.shape)}, expected (N, C, {expected[0]}, {expected[1]})"
    if not prediction.shared or not set(prediction.shared) <= features.keys():
        return f"shared is {prediction.shared}, expected names of the features that the head reads"
    encoder = [strides[name] for name in features if name not in prediction.shared]
    if encoder != sorted(encoder):
        return f"features have the strides {encoder}, expected shallow to deep"
    if prediction.embedding.ndim != 2 or len(prediction.embedding) != count:
        return f"embedding is {tuple(prediction.embedding.shape)}, expected ({count}, D)"
    return None if all(tensor.isfinite().all() for tensor in leaves(prediction)) else "there are values not finite"


@NETWORKS.promise("networks return whole predictions")
def predictions_do_not_depend_on_the_batch(tested: TaskUnderTest) -> Verdict:
    """In eval mode, an image alone is predicted as it is among others."""
    alone = tested.predict(pick(tested.batch, torch.arange(1), tested.output))
    for together, single in zip(tested.prediction.maps, alone.maps, strict=True):
        gap = float((together[:1] - single).abs().max())
        if gap > CLOSE * max(1.0, float(single.abs().max())):
            return broken(
                f"the maps of an image change by {gap:.3g} with the other images of its batch",
                "use no statistic across the batch in eval mode",
            )
    return kept("an image alone is predicted as among others")


@NETWORKS.promise("networks return whole predictions")
def networks_take_any_size(tested: TaskUnderTest) -> Verdict:
    """Images of a size that no stride divides are predicted, decoded and drawn."""
    image = torch.zeros(1, 3 * tested.task.frames, *ODD)
    prediction = tested.predict(Batch.whole("odd", image))
    size = (ODD[0] + 7, ODD[1] + 5)
    picture = tested.task.picture(tested.task.decode(prediction, 0, size), np.zeros((*size, 3), np.uint8))
    if picture.dtype != np.uint8 or picture.shape != (*size, 3):
        return broken(f"a picture is {picture.dtype} {picture.shape}", f"return uint8 {(*size, 3)}, as the image is")
    return kept(f"{ODD[0]} x {ODD[1]} is predicted, decoded and drawn")


@NETWORKS.promise("networks return whole predictions")
def device_makes_the_targets_of_the_host(tested: TaskUnderTest) -> Verdict:
    """A batch that is augmented on the device has the task loss of the one that the host makes."""
    try:
        made = tested.on_device()
    except InputError as error:  # no fault: samples may be augmented on the host alone
        return Verdict("not checked", str(error))
    host, device = (
        float(tested.output.supervised(tested.prediction.maps, batch.target)) for batch in (tested.batch, made)
    )
    if not math.isclose(device, host, rel_tol=CLOSE, abs_tol=CLOSE):
        return broken(
            f"the task loss of one prediction is {device:.6g} against the target of the device, {host:.6g} against "
            "that of the host",
            "make `targets` give what `target` and `collate` do, and `moved_batch` of the kind what `moved` does",
        )
    return kept(f"the task loss is {device:.4g} against both")


def _feed(tested: TaskUnderTest, prediction: Prediction, samples: Sequence[Sample], *metrics: Metric) -> None:
    """Give the images of a prediction to metrics in turn."""
    for index, sample in enumerate(samples):
        decoded = tested.task.decode(prediction, index, tested.task.truth_size(sample))
        metrics[index % len(metrics)].update(decoded, tested.task.truth(sample))


@SCORES.promise("networks return whole predictions")
def metric_scores_and_merges(tested: TaskUnderTest) -> Verdict:
    """The metric gives the scores that the task names, and the same ones when it is fed in two parts."""
    whole, first, second = (tested.task.metric() for _ in range(3))
    for prediction, samples in tested.validation():
        _feed(tested, prediction, samples, whole)
        _feed(tested, prediction, samples, first, second)
    scores = whole.compute()
    if list(scores) != list(tested.task.metrics):
        return broken(
            f"the metric gives {', '.join(scores)}; the task names {', '.join(tested.task.metrics)}",
            "make metrics of the class name every score, in the same order",
        )
    first.merge(second)
    apart = first.compute()
    if off := [name for name, value in scores.items() if not np.isclose(apart[name], value, equal_nan=True)]:
        return broken(
            f"fed in two parts, {off[0]} is {apart[off[0]]:.6g}, not {scores[off[0]]:.6g}",
            "keep additive state (sums and counts, or all images) and divide in compute",
        )
    return kept(f"{next(iter(scores))} of an untrained network is {next(iter(scores.values())):.4g}")


@SCORES.promise("supervised is a finite mean", "metric scores and merges")
def right_answers_score_better(tested: TaskUnderTest) -> Verdict:
    """A prediction that fits the truth scores better than an untrained network's, by the primary metric."""
    untrained, knowing = tested.task.metric(), tested.task.metric()
    for prediction, samples in tested.validation():
        _feed(tested, prediction, samples, untrained)
        fitted = fit(tested.output, prediction.maps, tested.target(samples))
        _feed(tested, replace(prediction, maps=fitted), samples, knowing)
    primary, higher = next(iter(tested.task.metrics.items()))
    bad, good = untrained.compute()[primary], knowing.compute()[primary]
    if (good > bad) != higher or good == bad:
        return broken(
            f"{primary} is {good:.4g} where the maps fit the truth and {bad:.4g} where they are random",
            "see that decode reads what supervised trains, at the truth's size, and that the direction in metrics is "
            "right",
        )
    return kept(f"{primary} is {good:.4g} where the maps fit the truth, {bad:.4g} where they are random")
