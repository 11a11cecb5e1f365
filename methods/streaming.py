"""Sums of many terms that never hold more than one term's matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Term = Callable[[Sequence[Tensor]], Tensor]


class _StreamedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, terms: Iterable[Term], *inputs: Tensor) -> Tensor:
        leaves = [
            tensor.detach().requires_grad_(need) for tensor, need in zip(inputs, ctx.needs_input_grad[1:], strict=True)
        ]
        differentiated = any(leaf.requires_grad for leaf in leaves)
        total = inputs[0].new_zeros(())
        for term in terms:
            with torch.set_grad_enabled(differentiated):
                value = term(leaves)
            if value.requires_grad:
                value.backward()
            total += value.detach()
        if differentiated:
            ctx.save_for_backward(*(torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves))
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        needed = zip(ctx.saved_tensors, ctx.needs_input_grad[1:], strict=True)
        return None, *(gradient * saved if need else None for saved, need in needed)


def streamed_sum(terms: Iterable[Term], inputs: Sequence[Tensor]) -> Tensor:
    """Add up scalar functions of the same tensors, each differentiated as soon as it is computed.

    Autograd would keep the intermediate matrices of every term until the backward pass; here those of a term are gone
    before the next one begins, at the same number of operations. Terms see ``inputs`` detached; whatever else they use
    gets no gradient. The result can be differentiated once.
    """
    return _StreamedSum.apply(terms, *inputs)
