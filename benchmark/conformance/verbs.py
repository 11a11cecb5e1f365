"""What the verbs of an output space must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.conformance.finding import Verdict, broken, kept
from benchmark.conformance.subject import Subject
from benchmark.conformance.tensors import repeat_batch, repeat_prediction, tensors
from tasks.base import Prediction
from tasks.outputs.maps import map_size

ZERO = 1e-4  # a distance below it is rounding
CLOSE = 1e-3  # relative difference that is rounding
SHIFT = 3.0  # added to maps where they must not matter
LOUD = 1e3  # maps are multiplied by it
BOUND = 10.0  # within which bounded maps stay then
Maps = tuple[Tensor, ...]


def _near(a: Tensor | float, b: Tensor | float) -> bool:
    a, b = (float(each.detach()) if isinstance(each, Tensor) else each for each in (a, b))
    return abs(a - b) <= CLOSE * max(abs(a), abs(b)) + 1e-6


def supervised_is_a_finite_mean(subject: Subject) -> Verdict:
    """The task loss is a finite scalar with a gradient, and the same on a batch beside itself."""
    maps = tuple(each.clone().requires_grad_() for each in subject.prediction.maps)
    loss = subject.output.supervised(maps, subject.batch.target)
    if loss.ndim != 0 or not loss.isfinite():
        return broken(f"supervised gives {loss.detach()}", "return a finite scalar")
    loss.backward()
    if not all(each.grad is not None and each.grad.isfinite().all() for each in maps):
        return broken("a map gets no finite gradient from supervised", "see that every level of the maps takes part")
    twice = repeat_batch(subject.batch, 2, subject.output)
    doubled = subject.output.supervised(repeat_prediction(subject.prediction, 2).maps, twice.target)
    if not _near(doubled, loss):
        return broken(
            f"on a batch beside itself supervised goes from {loss:.4g} to {doubled:.4g}: a sum, where a mean is asked "
            "for",
            "divide by the number of valid positions, objects or images",
        )
    return kept(f"{loss:.4g}, and the same on a batch beside itself")


def divergence_is_a_distance(subject: Subject) -> Verdict:
    """The divergence is zero between equal predictions, above zero between others, and a mean."""
    student, teacher, output = subject.prediction, subject.teacher, subject.output
    equal, apart = output.divergence(teacher, teacher), output.divergence(student, teacher)
    if equal.ndim != 0 or not (equal.isfinite() and apart.isfinite()):
        return broken(f"divergence gives {equal} and {apart}", "return a finite scalar")
    if abs(equal) > ZERO:
        return broken(f"divergence of a prediction from itself is {equal:.4g}", "make it zero, e.g. KL, not entropy")
    if apart <= ZERO:
        return broken(f"divergence of an untrained student from its teacher is {apart:.4g}", "make it above zero")
    doubled = output.divergence(repeat_prediction(student, 2), repeat_prediction(teacher, 2))
    if not _near(doubled, apart):
        return broken(
            f"on a batch beside itself the divergence goes from {apart:.4g} to {doubled:.4g}: a sum, where a mean is "
            "asked for",
            "divide by the number of valid positions",
        )
    return kept(f"0 from itself, {apart:.4g} from an untrained student")


def _beyond(prediction: Prediction, valid: Tensor) -> tuple[Maps, bool]:
    """Shift maps where nothing valid is near, and say whether there is such a place."""
    shifted, anywhere = [], False
    for level in prediction.maps:
        share = F.interpolate(valid[:, None].float(), size=map_size(level), mode="area")
        outside = F.max_pool2d(share, 3, 1, 1) == 0
        anywhere |= bool(outside.any())
        shifted.append(level + SHIFT * outside)
    return tuple(shifted), anywhere


def invalid_positions_do_not_count(subject: Subject) -> Verdict:
    """What is predicted on padding and ignored labels changes neither the task loss nor divergence and summary."""
    batch, output = subject.padded, subject.output
    prediction = subject.predict(batch)
    teacher = replace(subject.teacher, valid=batch.valid)
    labeled = output.valid(batch.target, map_size(batch.image))
    maps, supervised_somewhere = _beyond(prediction, labeled)
    if not _near(output.supervised(maps, batch.target), output.supervised(prediction.maps, batch.target)):
        return broken(
            "supervised changes with what is predicted where output.valid says that there is no label",
            "leave these positions out, e.g. by tasks.outputs.maps.masked_mean",
        )
    moved = replace(prediction, maps=_beyond(prediction, batch.valid)[0])
    if not _near(output.divergence(moved, teacher), output.divergence(prediction, teacher)):
        return broken(
            "divergence changes with what the student predicts where prediction.valid is not set",
            "leave these positions out: shrink(student.valid, size) and masked_mean of tasks.outputs.maps",
        )
    if not torch.allclose(output.summary(moved), output.summary(prediction), rtol=CLOSE, atol=CLOSE):
        return broken("summary changes with what is predicted on padding", "use tasks.outputs.maps.image_mean")
    return kept("padding does not count" + ("" if supervised_somewhere else "; every position carries supervision"))


def empty_labels_are_finite(subject: Subject) -> Verdict:
    """Images on which nothing is marked give a finite loss with finite gradients."""
    target = subject.without_labels()
    maps = tuple(each.clone().requires_grad_() for each in subject.prediction.maps)
    loss = subject.output.supervised(maps, target)
    if loss.requires_grad:
        loss.backward()
    if not loss.isfinite() or not all(each.grad is None or each.grad.isfinite().all() for each in maps):
        return broken(
            f"supervised is {loss:.4g} on images without labels, or its gradient is not finite",
            "divide by at least one: count.clamp(min=1)",
        )
    return kept(f"{loss:.4g} on images without labels")


def pseudo_labels_can_be_learned(subject: Subject) -> Verdict:
    """The hard targets of a teacher are targets without gradient, at the size of the input."""
    labels = subject.output.hard_targets(subject.teacher)
    if any(each.requires_grad for each in tensors(labels)):
        return broken("hard_targets has a gradient", "decorate it with @torch.no_grad()")
    loss = subject.output.supervised(subject.prediction.maps, labels)
    if loss.ndim != 0 or not loss.isfinite():
        return broken(f"supervised on hard targets gives {loss}", "return a target that supervised reads")
    size = subject.teacher.size
    mask = subject.output.valid(labels, size)
    if mask.shape != (len(subject.batch.image), *size) or mask.dtype != torch.bool:
        return broken(f"valid of hard targets is {mask.dtype} {tuple(mask.shape)}", f"return bool (N, {size[0]}, ...)")
    return kept(f"supervised on them is {loss:.4g}")


def mixing_and_pasting_have_their_limits(subject: Subject) -> Verdict:
    """Mixing with all of the weight on one target, and pasting nothing or everything, give that target back.

    Positions that one of two mixed targets leaves out may be left out of both, so there it is enough to be nearer.
    """
    output, a = subject.output, subject.batch.target
    count, size = len(subject.batch.image), map_size(subject.batch.image)
    b = output.permute(a, torch.arange(count).roll(1))
    complete = bool(output.valid(a, size).all())
    ones, nothing = torch.ones(count), torch.zeros(count, *size, dtype=torch.bool)
    cases: list[tuple[str, Callable[[], Any], bool]] = [
        ("mix(a, b, 1) is not a", lambda: output.mix(a, b, ones), True),
        ("mix(a, b, 0) is not b", lambda: output.mix(a, b, 0 * ones), False),
        ("paste(a, b, nowhere) is not a", lambda: output.paste(a, b, nothing), True),
        ("paste(a, b, everywhere) is not b", lambda: output.paste(a, b, ~nothing), False),
    ]
    alone = [_each_loss(subject, target) for target in (a, b)]
    for fault, make, first in cases:
        found = _each_loss(subject, make())
        wanted, other = alone if first else alone[::-1]
        nearer = not complete and (found - wanted).abs().sum() < (found - other).abs().sum()
        if not nearer and not torch.allclose(found, wanted, rtol=CLOSE, atol=1e-6):
            return broken(
                f"{fault}: the loss of an image is {found[0]:.4g}, not {wanted[0]:.4g}",
                "the weight and the part outside the mask belong to the first target",
            )
    half = _each_loss(subject, output.mix(a, b, ones / 2))
    if not half.isfinite().all():
        return broken(f"supervised on a mixture of halves is {half.tolist()}", "see that it reads what mix returns")
    return kept("all weight on one target, or an empty or full mask, gives that target back")


def _each_loss(subject: Subject, target: Any) -> Tensor:
    """The task loss of each image of the batch, (N,)."""
    images = torch.arange(len(subject.batch.image)).split(1)
    maps, permute = subject.prediction.maps, subject.output.permute
    losses = [subject.output.supervised([each[image] for each in maps], permute(target, image)) for image in images]
    return torch.stack(losses).detach()


def summary_and_bounded_describe(subject: Subject) -> Verdict:
    """The summary is one vector an image, and bounded maps stay in their range whatever the maps are."""
    output, prediction = subject.output, subject.prediction
    summary = output.summary(prediction)
    if summary.ndim != 2 or len(summary) != len(subject.batch.image) or not summary.isfinite().all():
        return broken(f"summary is {tuple(summary.shape)}, or not finite", "return finite vectors (N, D), one an image")
    usual = output.bounded(prediction)
    extremes = [replace(prediction, maps=tuple(f * each for each in prediction.maps)) for f in (LOUD, -LOUD)]
    loud = torch.stack([output.bounded(each) for each in extremes])
    if usual.ndim != 4 or len(usual) != len(summary):
        return broken(f"bounded is {tuple(usual.shape)}", "return one map (N, C, h, w)")
    reach = float(loud.abs().max())
    if not loud.isfinite().all() or reach > BOUND * max(1.0, float(usual.abs().max())):
        return broken(f"bounded reaches {reach:.3g} for large maps", "squash it, e.g. by sigmoid, softmax or softsign")
    return kept(f"{summary.shape[1]} numbers an image; bounded stays within {reach:.3g}")
