"""What a task must give: samples, networks that return a whole Prediction, a metric that tells good from bad."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from benchmark.conformance.finding import Verdict, broken, kept
from benchmark.conformance.still import fit
from benchmark.conformance.subject import Subject
from benchmark.conformance.tensors import first_images, tensors
from benchmark.training.step import predict
from tasks.base import Batch, Metric, Prediction, Sample
from tasks.data.loader import ordered

ODD = (90, 70)  # a size that no network's stride divides
CLOSE = 1e-3  # allowed difference of a prediction in another batch


def dataset_gives_samples(subject: Subject) -> Verdict:
    """Every split has images, uint8 RGB, with the annotation that the task learns from."""
    dataset, kind = subject.problem.dataset, subject.task.annotation
    counts = {}
    for split in dataset.splits:
        counts[split] = len(dataset.ids(split))
        if counts[split] == 0:
            return broken(f"split '{split}' of {dataset.name} is empty", "give every split at least one image")
        sample = dataset.load(split, 0)
        image = sample.image
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 * subject.task.frames:
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


def networks_return_whole_predictions(subject: Subject) -> Verdict:
    """Student and teachers return maps, named features with strides, those that the head reads, and an embedding."""
    for who, spec in subject.specs.items():
        with torch.no_grad():
            prediction = predict(subject.build(spec), subject.batch, subject.lab.fabric)
        if fault := _fault(prediction, subject):
            return broken(f"{who}: {fault}", "return a tasks.base.Prediction as its docstring has it")
    names = ", ".join(f"{name} /{subject.prediction.strides[name]}" for name in subject.prediction.features)
    return kept(f"features {names}; {len(subject.prediction.maps)} map(s) of {subject.output.channels} channels")


def _fault(prediction: Prediction, subject: Subject) -> str | None:
    """Say what is wrong with a prediction."""
    count, (height, width) = len(subject.batch.image), subject.batch.image.shape[-2:]
    features, strides = prediction.features, prediction.strides
    if prediction.size != (height, width):
        return f"size is {prediction.size}, of images {(height, width)}"
    if any(each.ndim != 4 or each.shape[:2] != (count, subject.output.channels) for each in prediction.maps):
        shapes = [tuple(each.shape) for each in prediction.maps]
        return f"maps are {shapes}, expected ({count}, {subject.output.channels}, h, w)"
    if features.keys() != strides.keys() or not features:
        return f"features are {list(features)}, strides {list(strides)}"
    for name, feature in features.items():
        expected = (math.ceil(height / strides[name]), math.ceil(width / strides[name]))
        if feature.ndim != 4 or feature.shape[0] != count or tuple(feature.shape[-2:]) != expected:
            return f"feature '{name}' is {tuple(feature.shape)}, expected (N, C, {expected[0]}, {expected[1]})"
    if not prediction.shared or not set(prediction.shared) <= features.keys():
        return f"shared is {prediction.shared}, expected names of the features that the head reads"
    encoder = [strides[name] for name in features if name not in prediction.shared]
    if encoder != sorted(encoder):
        return f"features have the strides {encoder}, expected shallow to deep"
    if prediction.embedding.ndim != 2 or len(prediction.embedding) != count:
        return f"embedding is {tuple(prediction.embedding.shape)}, expected ({count}, D)"
    return None if all(each.isfinite().all() for each in tensors(prediction)) else "there are values not finite"


def predictions_do_not_depend_on_the_batch(subject: Subject) -> Verdict:
    """In eval mode, an image alone is predicted as it is among others."""
    alone = subject.predict(first_images(subject.batch, 1, subject.output))
    for together, single in zip(subject.prediction.maps, alone.maps, strict=True):
        gap = float((together[:1] - single).abs().max())
        if gap > CLOSE * max(1.0, float(single.abs().max())):
            return broken(
                f"the maps of an image change by {gap:.3g} with the other images of its batch",
                "use no statistic across the batch in eval mode",
            )
    return kept("an image alone is predicted as among others")


def networks_take_any_size(subject: Subject) -> Verdict:
    """Images of a size that no stride divides are predicted, decoded and drawn."""
    image = torch.zeros(1, 3 * subject.task.frames, *ODD)
    prediction = subject.predict(Batch.whole("odd", image))
    size = (ODD[0] + 7, ODD[1] + 5)
    picture = subject.task.picture(subject.task.decode(prediction, 0, size), np.zeros((*size, 3), np.uint8))
    if picture.dtype != np.uint8 or picture.shape != (*size, 3):
        return broken(f"a picture is {picture.dtype} {picture.shape}", f"return uint8 {(*size, 3)}, as the image is")
    return kept(f"{ODD[0]} x {ODD[1]} is predicted, decoded and drawn")


def _validation(subject: Subject) -> Iterator[tuple[Prediction, list[Sample]]]:
    problem = subject.problem
    for images, samples in ordered(problem.dataset, "val", problem.size, batch=2):
        yield subject.predict(Batch.whole("val", images)), samples


def _feed(metric: Metric, subject: Subject, prediction: Prediction, samples: list[Sample]) -> None:
    for index, sample in enumerate(samples):
        size = subject.task.truth_size(sample)
        metric.update(subject.task.decode(prediction, index, size), subject.task.truth(sample))


def metric_scores_and_merges(subject: Subject) -> Verdict:
    """The metric gives the scores that the task names, and the same ones when it is fed in two parts."""
    whole, first, second = (subject.task.metric() for _ in range(3))
    for number, (prediction, samples) in enumerate(_validation(subject)):
        _feed(whole, subject, prediction, samples)
        for index, sample in enumerate(samples):
            part = first if (number + index) % 2 == 0 else second
            size = subject.task.truth_size(sample)
            part.update(subject.task.decode(prediction, index, size), subject.task.truth(sample))
    scores = whole.compute()
    if list(scores) != list(subject.task.metrics):
        return broken(
            f"the metric gives {', '.join(scores)}; the task names {', '.join(subject.task.metrics)}",
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


def right_answers_score_better(subject: Subject) -> Verdict:
    """A prediction that fits the truth scores better than an untrained network's, by the primary metric."""
    untrained, knowing = subject.task.metric(), subject.task.metric()
    for prediction, samples in _validation(subject):
        target = subject.task.collate([subject.task.target(each) for each in subject.resized(samples)])
        answer = replace(prediction, maps=fit(subject.output, prediction.maps, target))
        _feed(untrained, subject, prediction, samples)
        _feed(knowing, subject, answer, samples)
    primary, higher = next(iter(subject.task.metrics.items()))
    bad, good = untrained.compute()[primary], knowing.compute()[primary]
    if (good > bad) != higher or good == bad:
        return broken(
            f"{primary} is {good:.4g} where the maps fit the truth and {bad:.4g} where they are random",
            "see that decode reads what supervised trains, at the truth's size, and that the direction in metrics is "
            "right",
        )
    return kept(f"{primary} is {good:.4g} where the maps fit the truth, {bad:.4g} where they are random")
