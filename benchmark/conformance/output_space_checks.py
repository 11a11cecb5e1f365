"""What the verbs of an output space must do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.conformance.finding import Checks, Verdict, broken, kept
from benchmark.conformance.task_under_test import TaskUnderTest
from benchmark.conformance.tensors import doubled_batch, doubled_prediction
from tasks.base import Prediction
from tasks.nested import leaves
from tasks.outputs.maps import map_size

VERBS = Checks[TaskUnderTest]()
ZERO = 1e-4  # a distance below it is rounding
CLOSE = 1e-3  # relative difference that is rounding
SHIFT = 3.0  # added to maps where they must not matter
LOUD = 1e3  # maps are multiplied by it
BOUND = 10.0  # within which bounded maps stay then


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a.detach(), b.detach(), rtol=CLOSE, atol=1e-6)


def _sum(what: str, once: Tensor, twice: Tensor) -> Verdict | None:
    """Object to a loss that changes with its batch repeated."""
    if _near(once, twice):
        return None
    return broken(
        f"with its batch repeated along the batch {what} goes from {once:.4g} to {twice:.4g}: a sum, where a mean is "
        "asked for",
        "divide by the number of valid positions, objects or images",
    )


def _supervised(tested: TaskUnderTest, target: Any) -> tuple[Tensor, list[Tensor | None]]:
    """The task loss of the student's prediction, and its gradient in each map."""
    maps = tuple(level.clone().requires_grad_() for level in tested.prediction.maps)
    loss = tested.output.supervised(maps, target)
    if loss.ndim == 0 and loss.requires_grad:
        loss.backward()
    return loss.detach(), [level.grad for level in maps]


@VERBS.promise("networks return whole predictions")
def supervised_is_a_finite_mean(tested: TaskUnderTest) -> Verdict:
    """The task loss is a finite scalar with a gradient, and the same with its batch repeated along the batch."""
    loss, gradients = _supervised(tested, tested.batch.target)
    if loss.ndim != 0 or not loss.isfinite():
        return broken(f"supervised gives {loss}", "return a finite scalar")
    if not all(gradient is not None and gradient.isfinite().all() for gradient in gradients):
        return broken("a map gets no finite gradient from supervised", "see that every level of the maps takes part")
    twice = doubled_batch(tested.batch, tested.output)
    doubled = tested.output.supervised(doubled_prediction(tested.prediction).maps, twice.target)
    return _sum("supervised", loss, doubled) or kept(f"{loss:.4g}, and the same with its batch repeated")


@VERBS.promise("supervised is a finite mean")
def divergence_is_a_distance(tested: TaskUnderTest) -> Verdict:
    """The divergence is zero between equal predictions, above zero between others, and a mean."""
    student, teacher, output = tested.prediction, tested.teacher, tested.output
    equal, apart = output.divergence(teacher, teacher), output.divergence(student, teacher)
    if equal.ndim != 0 or not (equal.isfinite() and apart.isfinite()):
        return broken(f"divergence gives {equal} and {apart}", "return a finite scalar")
    if abs(equal) > ZERO:
        return broken(f"divergence of a prediction from itself is {equal:.4g}", "make it zero, e.g. KL, not entropy")
    if apart <= ZERO:
        return broken(f"divergence of an untrained student from its teacher is {apart:.4g}", "make it above zero")
    doubled = output.divergence(doubled_prediction(student), doubled_prediction(teacher))
    return _sum("the divergence", apart, doubled) or kept(f"0 from itself, {apart:.4g} from an untrained student")


def _shifted_outside(prediction: Prediction, counted: Tensor) -> Prediction:
    """Shift maps where nothing that counts is near."""
    shares = [F.interpolate(counted[:, None].float(), size=map_size(level), mode="area") for level in prediction.maps]
    outside = [F.max_pool2d(share, 3, 1, 1) == 0 for share in shares]
    return replace(prediction, maps=tuple(a + SHIFT * b for a, b in zip(prediction.maps, outside, strict=True)))


@VERBS.promise("divergence is a distance")
def invalid_positions_do_not_count(tested: TaskUnderTest) -> Verdict:
    """What is predicted on padding and ignored labels changes neither the task loss nor divergence and summary."""
    batch, output = tested.padded, tested.output
    prediction, teacher = tested.predict(batch), replace(tested.teacher, inside=batch.inside)
    maps = _shifted_outside(prediction, output.labeled(batch.target, map_size(batch.image))).maps
    moved = _shifted_outside(prediction, batch.inside)
    if not _near(output.supervised(maps, batch.target), output.supervised(prediction.maps, batch.target)):
        return broken(
            "supervised changes with what is predicted where output.labeled says that there is no label",
            "leave these positions out, e.g. by tasks.outputs.maps.masked_mean",
        )
    if not _near(output.divergence(moved, teacher), output.divergence(prediction, teacher)):
        return broken(
            "divergence changes with what the student predicts where prediction.inside is not set",
            "leave these positions out: shrink(student.inside, size) and masked_mean of tasks.outputs.maps",
        )
    if not torch.allclose(output.summary(moved), output.summary(prediction), rtol=CLOSE, atol=CLOSE):
        return broken("summary changes with what is predicted on padding", "use tasks.outputs.maps.image_mean")
    everywhere = all(map(torch.equal, maps, prediction.maps))
    return kept("padding does not count" + ("; every position carries supervision" if everywhere else ""))


@VERBS.promise("supervised is a finite mean")
def empty_labels_are_finite(tested: TaskUnderTest) -> Verdict:
    """Images on which nothing is marked give a finite loss with finite gradients."""
    loss, gradients = _supervised(tested, tested.without_labels())
    if not loss.isfinite() or not all(gradient is None or gradient.isfinite().all() for gradient in gradients):
        return broken(
            f"supervised is {loss:.4g} on images without labels, or its gradient is not finite",
            "divide by at least one: count.clamp(min=1)",
        )
    return kept(f"{loss:.4g} on images without labels")


@VERBS.promise("supervised is a finite mean")
def pseudo_labels_can_be_learned(tested: TaskUnderTest) -> Verdict:
    """The hard targets of a teacher are targets without gradient, at the size of the input."""
    labels = tested.output.hard_targets(tested.teacher)
    if any(tensor.requires_grad for tensor in leaves(labels)):
        return broken("hard_targets has a gradient", "decorate it with @torch.no_grad()")
    loss = tested.output.supervised(tested.prediction.maps, labels)
    if loss.ndim != 0 or not loss.isfinite():
        return broken(f"supervised on hard targets gives {loss}", "return a target that supervised reads")
    size = tested.teacher.size
    mask = tested.output.labeled(labels, size)
    if mask.shape != (len(tested.batch.image), *size) or mask.dtype != torch.bool:
        return broken(
            f"labeled of hard targets is {mask.dtype} {tuple(mask.shape)}", f"return bool (N, {size[0]}, ...)"
        )
    return kept(f"supervised on them is {loss:.4g}")


@VERBS.promise("supervised is a finite mean")
def mixing_and_pasting_have_their_limits(tested: TaskUnderTest) -> Verdict:
    """Mixing with all of the weight on one target, and pasting nothing or everything, give that target back.

    Positions that one of two mixed targets leaves out may be left out of both, so there it is enough to be nearer.
    """
    output, a = tested.output, tested.batch.target
    count, size = len(tested.batch.image), map_size(tested.batch.image)
    b = output.permute(a, torch.arange(count).roll(1))
    complete = bool(output.labeled(a, size).all())
    ones, nothing = torch.ones(count), torch.zeros(count, *size, dtype=torch.bool)
    cases = {
        "mix(a, b, 1) is not a": (output.mix(a, b, ones), a, b),
        "mix(a, b, 0) is not b": (output.mix(a, b, 0 * ones), b, a),
        "paste(a, b, nowhere) is not a": (output.paste(a, b, nothing), a, b),
        "paste(a, b, everywhere) is not b": (output.paste(a, b, ~nothing), b, a),
    }
    for fault, targets in cases.items():
        mixed, wanted, unwanted = (_losses(tested, target) for target in targets)
        nearer = not complete and (mixed - wanted).abs().sum() < (mixed - unwanted).abs().sum()
        if not nearer and not _near(mixed, wanted):
            return broken(
                f"{fault}: the loss of an image is {mixed[0]:.4g}, not {wanted[0]:.4g}",
                "the weight and the part outside the mask belong to the first target",
            )
    itself, alone = _losses(tested, output.mix(a, a, ones / 2)), _losses(tested, a)
    if output.blends and not _near(itself, alone):
        return broken(
            f"mix(a, a, 1/2) is not a: the loss of an image is {itself[0]:.4g}, not {alone[0]:.4g}",
            "set blends = False where a mixture holds both lists, so that an image that meets itself stays whole",
        )
    half = _losses(tested, output.mix(a, b, ones / 2))
    if not half.isfinite().all():
        return broken(f"supervised on a mixture of halves is {half.tolist()}", "see that it reads what mix returns")
    return kept("all weight on one target, or an empty or full mask, gives that target back")


@VERBS.promise("empty labels are finite")
def targets_of_parts_join(tested: TaskUnderTest) -> Verdict:
    """The targets of two batches join into that of all their images, as processes that share a batch need it."""
    output, count = tested.output, len(tested.batch.image)
    parts = [tested.batch.target, tested.without_labels()]  # lists of another length, where targets are lists
    joined = output.join(parts)
    for part, place in zip(parts, torch.arange(2 * count).split(count), strict=True):
        within, alone = (_losses(tested, target) for target in (output.permute(joined, place), part))
        if not _near(within, alone):
            return broken(
                f"the losses of a batch's images are {alone.tolist()}, and {within.tolist()} once it was joined with "
                "another",
                "let output.join put the images of its parts one after the other, as Task.collate would",
            )
    return kept("the images of two batches have the same losses in one")


def _losses(tested: TaskUnderTest, target: Any) -> Tensor:
    """The task loss of each image of the batch, (N,)."""
    images = torch.arange(len(tested.batch.image)).split(1)
    maps, permute = tested.prediction.maps, tested.output.permute
    losses = [tested.output.supervised([level[image] for level in maps], permute(target, image)) for image in images]
    return torch.stack(losses).detach()


@VERBS.promise("networks return whole predictions")
def summary_and_bounded_describe(tested: TaskUnderTest) -> Verdict:
    """The summary is one vector an image, and bounded maps stay in their range whatever the maps are."""
    output, prediction = tested.output, tested.prediction
    summary = output.summary(prediction)
    if summary.ndim != 2 or len(summary) != len(tested.batch.image) or not summary.isfinite().all():
        return broken(f"summary is {tuple(summary.shape)}, or not finite", "return finite vectors (N, D), one an image")
    usual = output.bounded(prediction)
    extremes = [replace(prediction, maps=tuple(f * level for level in prediction.maps)) for f in (LOUD, -LOUD)]
    loud = torch.stack([output.bounded(extreme) for extreme in extremes])
    if usual.ndim != 4 or len(usual) != len(summary):
        return broken(f"bounded is {tuple(usual.shape)}", "return one map (N, C, h, w)")
    reach = float(loud.abs().max())
    if not loud.isfinite().all() or reach > BOUND * max(1.0, float(usual.abs().max())):
        return broken(f"bounded reaches {reach:.3g} for large maps", "squash it, e.g. by sigmoid, softmax or softsign")
    return kept(f"{summary.shape[1]} numbers an image; bounded stays within {reach:.3g}")
