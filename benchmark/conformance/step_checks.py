"""What one step of a method must do: terms, gradients, no hand on what is shared, any batch, any precision."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from benchmark.conformance.finding import Checks, Verdict, broken, kept
from benchmark.conformance.laboratory import STEPS
from benchmark.conformance.method_under_test import Attempt, MethodUnderTest
from benchmark.conformance.tensors import differing, same, some, state
from benchmark.training.device import build_fabric
from benchmark.training.preflight import gradient_norm

STEP = Checks[MethodUnderTest]()  # what must hold on every task
MANNERS = Checks[MethodUnderTest]()


@STEP.promise()
def builds(tested: MethodUnderTest) -> Verdict:
    """The method can be built for the task, and knows the weights of its terms."""
    weights = tested.member().method.weights
    numbers = {name for name, weight in weights.items() if isinstance(weight, int | float) and math.isfinite(weight)}
    if wrong := {name: weight for name, weight in weights.items() if name not in numbers}:
        return broken(f"weights has {wrong}", "every weight is a finite number: self.weights['name'] = weight")
    if not any(weights.values()):
        return broken(f"no term counts: weights is {weights}", "give at least one term a weight above zero")
    return kept("weights: " + ", ".join(f"{name} {value:g}" for name, value in weights.items()))


@STEP.promise("builds")
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
    if shapes := [f"{name} is {fault}" for name, value in attempt.values.items() if (fault := _no_scalar(value))]:
        return broken("; ".join(shapes), "return scalar tensors, without dimensions: take the mean over what is left")
    if infinite := _infinite(attempt.values):
        return broken(f"not finite: {infinite}", "guard divisions, logarithms and roots against zero")
    return kept(_shown(attempt.values))


def _no_scalar(value: object) -> str | None:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"a tensor of shape {tuple(value.shape)}" if value.ndim else None


def _infinite(values: Mapping[str, Tensor]) -> str:
    """Name the values that are not finite."""
    return ", ".join(f"{name}={value.item()}" for name, value in values.items() if not value.isfinite())


def _shown(values: Mapping[str, Tensor | float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())


@STEP.promise("terms are finite scalars")
def gradients_reach_the_student(tested: MethodUnderTest) -> Verdict:
    """Every term with a weight has a gradient in the student's parameters; a critic's loss has one in the critic's."""
    attempt = tested.step(tested.lab.shared())
    student, critic = list(attempt.member.network.parameters()), attempt.member.method.critic
    norms = {name: gradient_norm(term, student) for name, term in attempt.weighted.items()}
    if lost := [name for name, norm in norms.items() if norm is None]:
        return broken(
            f"no gradient of {', '.join(lost)} reaches the student, so it teaches nothing",
            "compute it from step.student(...) without detach(), item(), argmax or no_grad(), or set its weight to 0",
        )
    reached = {name: norm for name, norm in norms.items() if norm is not None}
    if silent := {name: norm for name, norm in reached.items() if not norm or not math.isfinite(norm)}:
        return broken(
            f"the gradient of {', '.join(silent)} in the student is {', '.join(map(str, silent.values()))}",
            "see that the term depends smoothly on the student's prediction, and guard against division by zero",
        )
    if critic is not None and attempt.critic is not None and not gradient_norm(attempt.critic, [*critic.parameters()]):
        return broken("critic_loss has no gradient in the critic", "compute it from self.critic(...)")
    return kept(_shown(reached))


@MANNERS.promise("terms are finite scalars")
def shared_things_stay_as_they_are(tested: MethodUnderTest) -> Verdict:
    """Teachers, their predictions and the batches, which all members of a cohort share, are not changed."""
    networks, shared, originals = tested.lab.teachers, tested.lab.shared(), tested.lab.fresh(0)
    before = _condition(networks)
    attempt = tested.step(shared)
    attempt.loss.backward()
    if touched := [tested.roles[role] for (role, _), pair in attempt.step.given.items() if not same(*pair)]:
        return broken(
            f"changed the prediction of teacher '{touched[0]}' in place",
            "use the out-of-place form (a * b, torch.relu, masked_fill) or clone() first",
        )
    if altered := [name for name, batch in originals.items() if not same(batch, shared.batch(name))]:
        return broken(f"changed the batch '{altered[0]}' in place", "clone() what is changed: others read the same one")
    if moved := differing(before, _condition(networks)):
        return broken(f"changed a teacher: {some(moved)}", "leave networks alone; step.teacher(...) is all there is")
    return kept("teachers, predictions and batches have the same bits as before")


def _condition(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Bytes, mode and gradients of networks."""
    condition = state(**dict(networks))
    for name, network in networks.items():
        condition[f"{name} training"] = torch.tensor([module.training for module in network.modules()])
        gradients = [(weight.requires_grad, weight.grad is not None) for weight in network.parameters()]
        condition[f"{name} gradients"] = torch.tensor(gradients)
    return condition


@MANNERS.promise("terms are finite scalars")
def needs_are_declared(tested: MethodUnderTest) -> Verdict:
    """The method uses every teacher and stream that its needs name, and none that they do not."""
    member, needs = tested.member(), tested.cls.needs
    steps = [tested.step(tested.lab.shared(index), member).step for index in range(STEPS)]
    roles = {role for step in steps for role, _ in step.given}
    unlabeled = any(step.used_unlabeled for step in steps)
    fix = f"needs = Needs(teachers={tuple(sorted(roles))!r}, unlabeled={unlabeled})"
    if extra := sorted(roles - set(needs.teachers)):
        return broken(f"asks for the teacher '{extra[0]}' without declaring it", fix)
    if unlabeled and not needs.unlabeled:
        return broken("uses the unlabeled stream without declaring it", fix)
    if idle := sorted(set(needs.teachers) - roles):
        return broken(f"declares the teacher '{idle[0]}', which is then trained, and never asks for it", fix)
    if needs.unlabeled and not unlabeled:
        return broken("declares the unlabeled stream, which is then loaded, and never uses it", fix)
    shown = ", ".join(sorted(roles)) or "none"
    return kept(f"teachers: {shown}; unlabeled images: {'used' if unlabeled else 'not used'}")


@MANNERS.promise("terms are finite scalars")
def works_on_one_image(tested: MethodUnderTest) -> Verdict:
    """A batch of one image gives finite terms and gradients."""
    attempt = tested.step(tested.lab.shared(batches=tested.lab.fresh(0, images=1)))
    return _sound(attempt, "on a batch of one", "no statistic across the batch may need a second image")


@MANNERS.promise("terms are finite scalars")
def works_in_half_precision(tested: MethodUnderTest) -> Verdict:
    """With networks under bf16 autocast, terms and gradients are finite."""
    fix = "compute losses in float32 (methods.numerics.full_precision), and own layers' results with .float()"
    shared = tested.lab.shared(fabric=build_fabric("cpu", "bf16"))
    return _sound(tested.step(shared), "under bf16 autocast", fix)


def _sound(attempt: Attempt, where: str, fix: str) -> Verdict:
    """Whether all values and all gradients of a step are finite."""
    if infinite := _infinite(attempt.values):
        return broken(f"not finite {where}: {infinite}", fix)
    attempt.loss.backward()
    trained = nn.ModuleDict({"student": attempt.member.network, "method": attempt.member.method})
    gradients = {name: weight.grad for name, weight in trained.named_parameters() if weight.grad is not None}
    if wild := [name for name, gradient in gradients.items() if not gradient.isfinite().all()]:
        return broken(f"gradients are not finite {where}: {some(wild)}", fix)
    return kept(_shown(attempt.values))
