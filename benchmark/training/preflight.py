"""Checks on the first step: does every term that counts reach the student, and how loud is it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from methods.base import SUPERVISED
from tasks.errors import InputError


@dataclass
class FirstStep:
    """The terms of the first step, unweighted, and the norm of each weighted gradient over the task loss's."""

    terms: dict[str, float] = field(default_factory=dict)
    gradient_ratios: dict[str, float] = field(default_factory=dict)


def inspect_terms(
    terms: Mapping[str, Tensor], weights: Mapping[str, float], student: Sequence[nn.Parameter], supervised: Tensor
) -> FirstStep:
    """Measure the gradient of every weighted term in the student's parameters, leaving the graph as it is.

    Args:
        terms: what the method returned.
        weights: of the terms.
        student: parameters of the student alone.
        supervised: the task loss that ratios are held against, where it is none of the terms.

    Raises InputError where no gradient of a term reaches the student, since it would teach nothing.
    """
    values = {name: float(term.detach()) for name, term in terms.items()}
    if set(terms) == {SUPERVISED} and supervised.requires_grad:
        return FirstStep(values, {SUPERVISED: 1.0})  # nothing to compare, so no second backward pass
    norms = {}
    for name, term in terms.items():
        if weights[name] != 0:
            norms[name] = gradient_norm(weights[name] * term, student)
            if norms[name] is None:
                raise InputError(
                    f"term '{name}' has weight {weights[name]:g} but no gradient of it reaches the student: compute it "
                    "from step.student(...) without detach(), item() or no_grad(), or set its weight to zero"
                )
    reference = norms.get(SUPERVISED) or gradient_norm(supervised, student)
    ratios = {name: norm / reference for name, norm in norms.items() if norm is not None and reference}
    return FirstStep(values, ratios)


def gradient_norm(loss: Tensor, parameters: Sequence[nn.Parameter]) -> float | None:
    """Return the norm of a gradient; None where no path leads to any parameter."""
    if not loss.requires_grad:
        return None
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    norms = [gradient.norm() for gradient in gradients if gradient is not None]
    return float(torch.stack(norms).norm()) if norms else None
