"""What one step of a method must do: terms, gradients, no hand on what is shared, any batch, any precision."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmark.conformance.finding import Verdict, broken, kept
from benchmark.conformance.laboratory import STEPS
from benchmark.conformance.method_under_test import Attempt, MethodUnderTest
from benchmark.conformance.tensors import copies, differing, finite, same, some, state, tensors
from benchmark.training.device import build_fabric
from benchmark.training.step import LABELED


def builds(tested: MethodUnderTest) -> Verdict:
    """The method can be built for the task, and knows the weights of its terms."""
    method = tested.member().method
    wrong = {
        name: value
        for name, value in method.weights.items()
        if not isinstance(value, int | float) or not math.isfinite(value)
    }
    if wrong:
        return broken(f"weights has {wrong}", "every weight is a finite number: self.weights['name'] = weight")
    if not any(method.weights.values()):
        return broken(f"no term counts: weights is {method.weights}", "give at least one term a weight above zero")
    shown = ", ".join(f"{name} {value:g}" for name, value in method.weights.items())
    return kept(f"weights: {shown}")


def terms_are_finite_scalars(tested: MethodUnderTest) -> Verdict:
    """A step returns every term that has a weight, and no other, each a finite scalar tensor."""
    attempt = tested.step(tested.lab.shared())
    weights = attempt.member.method.weights
    if unknown := sorted(attempt.terms.keys() - weights.keys()):
        return broken(
            f"forward returned {', '.join(unknown)}, which self.weights does not name",
            f"say in the constructor what each counts: self.weights['{unknown[0]}'] = weight",
        )
    if missing := [name for name, weight in weights.items() if weight and name not in attempt.terms]:
        return broken(
            f"forward did not return {', '.join(missing)}, which self.weights counts",
            "return every term whose weight is not zero",
        )
    values = _values(attempt)
    shapes = [f"{name} is {_shape(each)}" for name, each in values.items() if not _scalar(each)]
    if shapes:
        return broken("; ".join(shapes), "return scalar tensors, without dimensions: take the mean over what is left")
    if infinite := finite(values):
        return broken(f"not finite: {', '.join(infinite)}", "guard divisions, logarithms and roots against zero")
    return kept(", ".join(f"{name} {each.item():.3g}" for name, each in values.items()))


def _values(attempt: Attempt) -> dict[str, Any]:
    return attempt.terms if attempt.critic is None else {**attempt.terms, "critic_loss": attempt.critic}


def _scalar(value: object) -> bool:
    return isinstance(value, Tensor) and value.ndim == 0


def _shape(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def gradients_reach_the_student(tested: MethodUnderTest) -> Verdict:
    """Every term with a weight has a gradient in the student's parameters; a critic's loss has one in the critic's."""
    attempt = tested.step(tested.lab.shared())
    student = list(attempt.member.network.parameters())
    sizes = {name: _slope(term, student) for name, term in attempt.weighted.items()}
    if lost := [name for name, size in sizes.items() if size is None]:
        return broken(
            f"no gradient of {', '.join(lost)} reaches the student, so it teaches nothing",
            "compute it from step.student(...) without detach(), item(), argmax or no_grad(), or set its weight to 0",
        )
    if silent := [name for name, size in sizes.items() if not size or not math.isfinite(size)]:
        return broken(
            f"the gradient of {', '.join(silent)} in the student is {', '.join(str(sizes[name]) for name in silent)}",
            "see that the term depends smoothly on the student's prediction, and guard against division by zero",
        )
    critic = attempt.member.method.critic
    if critic is not None and attempt.critic is not None and not _slope(attempt.critic, list(critic.parameters())):
        return broken("critic_loss has no gradient in the critic", "compute it from self.critic(...)")
    return kept(", ".join(f"{name} {size:.3g}" for name, size in sizes.items()))


def _slope(loss: Tensor, parameters: list[nn.Parameter]) -> float | None:
    """Norm of a gradient; None where no path leads to any parameter."""
    if not loss.requires_grad:
        return None
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    there = [each for each in found if each is not None]
    return float(torch.stack([each.norm() for each in there]).norm()) if there else None


class _Watched:
    """A teacher whose predictions are compared afterwards with what they were."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.given: list[tuple[list[Tensor], list[Tensor]]] = []

    def __call__(self, image: Tensor) -> Any:
        prediction = self.network(image)
        self.given.append((list(tensors(prediction)), copies(prediction)))
        return prediction

    @property
    def touched(self) -> bool:
        """Whether a prediction is no longer what it was."""
        return any(not same(now, then) for pair in self.given for now, then in zip(*pair, strict=True))


def shared_things_stay_as_they_are(tested: MethodUnderTest) -> Verdict:
    """Teachers, their predictions and the batches, which all members of a cohort share, are not changed."""
    networks = tested.teachers
    watched = {role: _Watched(network) for role, network in networks.items()}
    teachers: Mapping[str, Any] = watched
    shared = tested.lab.shared(teachers=teachers)
    batches = {name: shared.batch(name) for name in shared.batches}
    before, images = _condition(networks), {name: copies(batch) for name, batch in batches.items()}
    attempt = tested.step(shared)
    attempt.loss.backward()
    if touched := [role for role, each in watched.items() if each.touched]:
        return broken(
            f"changed the prediction of teacher '{touched[0]}' in place",
            "use the out-of-place form (a * b, torch.relu, masked_fill) or clone() first",
        )
    if altered := [name for name, old in images.items() if not all(map(same, old, tensors(batches[name])))]:
        return broken(f"changed the batch '{altered[0]}' in place", "clone() what is changed: others read the same one")
    if moved := differing(before, _condition(networks)):
        return broken(f"changed a teacher: {some(moved)}", "leave networks alone; step.teacher(...) is all there is")
    return kept("teachers, predictions and batches have the same bits as before")


def _condition(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Bytes, mode and gradients of networks."""
    found = state(**dict(networks))
    for role, network in networks.items():
        found[f"{role} training"] = torch.tensor([each.training for each in network.modules()])
        found[f"{role} gradients"] = torch.tensor(
            [(each.requires_grad, each.grad is not None) for each in network.parameters()]
        )
    return found


def needs_are_declared(tested: MethodUnderTest) -> Verdict:
    """The method uses every teacher and stream that its needs name, and none that they do not."""
    roles, unlabeled, member = set(), False, tested.member()
    for index in range(STEPS):
        step = tested.step(tested.lab.shared(index, teachers=tested.teachers), member).step
        roles |= step.roles
        unlabeled |= step.used_unlabeled
    needs = tested.cls.needs
    declared = set(needs.teachers)
    fix = f"needs = Needs(teachers={tuple(sorted(roles))!r}, unlabeled={unlabeled})"
    if extra := sorted(roles - declared):
        return broken(f"asks for the teacher '{extra[0]}' without declaring it", fix)
    if unlabeled and not needs.unlabeled:
        return broken("uses the unlabeled stream without declaring it", fix)
    if idle := sorted(declared - roles):
        return broken(f"declares the teacher '{idle[0]}', which is then trained, and never asks for it", fix)
    if needs.unlabeled and not unlabeled:
        return broken("declares the unlabeled stream, which is then loaded, and never uses it", fix)
    shown = ", ".join(sorted(roles)) or "none"
    return kept(f"teachers: {shown}; unlabeled images: {'used' if unlabeled else 'not used'}")


def works_on_one_image(tested: MethodUnderTest) -> Verdict:
    """A batch of one image gives finite terms and gradients."""
    shared = tested.lab.shared(batches=tested.lab.fresh(0, images=1))
    assert len(shared.batch(LABELED).image) == 1
    return _sound(tested.step(shared), "on a batch of one", "no statistic across the batch may need a second image")


def works_in_half_precision(tested: MethodUnderTest) -> Verdict:
    """With networks under bf16 autocast, terms and gradients are finite."""
    fix = "compute losses in float32 (methods.numerics.full_precision), and own layers' results with .float()"
    return _sound(tested.step(tested.lab.shared(fabric=_half())), "under bf16 autocast", fix)


@functools.cache
def _half() -> Fabric:
    return build_fabric("cpu", "bf16")


def _sound(attempt: Attempt, where: str, fix: str) -> Verdict:
    """Whether all values and all gradients of a step are finite."""
    values = _values(attempt)
    if infinite := finite(values):
        return broken(f"not finite {where}: {', '.join(infinite)}", fix)
    attempt.loss.backward()
    trained = {"student": attempt.member.network, "method": attempt.member.method}
    gradients = {
        f"{owner} {name}": each.grad
        for owner, module in trained.items()
        for name, each in module.named_parameters()
        if each.grad is not None
    }
    if wild := [name for name, each in gradients.items() if not each.isfinite().all()]:
        return broken(f"gradients are not finite {where}: {some(wild)}", fix)
    return kept(", ".join(f"{name} {each.item():.3g}" for name, each in values.items()))
