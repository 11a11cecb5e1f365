import pytest
import torch

from methods.streaming import streamed_sum


def terms(x, y):
    return [lambda z: (z[0] * z[1]).sum() ** 2, lambda z: z[0].sin().sum(), lambda z: torch.ones(()).to(z[0])]


def test_value_and_gradient_are_those_of_the_plain_sum():
    x, y = (torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    total = streamed_sum(terms(x, y), [x, y])
    plain = sum(term([x, y]) for term in terms(x, y))
    torch.testing.assert_close(total, plain)
    for ours, theirs in zip(
        torch.autograd.grad(3 * total, [x, y]), torch.autograd.grad(3 * plain, [x, y]), strict=True
    ):
        assert torch.allclose(ours, theirs)


def test_constants_and_unused_inputs_have_no_gradient():
    x, y, z = torch.randn(3, requires_grad=True), torch.randn(3), torch.randn(3, requires_grad=True)
    total = streamed_sum([lambda v: (v[0] * v[1]).sum()], [x, y, z])
    total.backward()
    assert torch.equal(x.grad, y)
    assert y.grad is None
    assert torch.equal(z.grad, torch.zeros(3))


def test_without_gradients_only_the_value_is_computed():
    x = torch.randn(3, requires_grad=True)
    with torch.no_grad():
        total = streamed_sum([lambda v: v[0].sum()], [x])
    assert not total.requires_grad
    assert torch.equal(total, x.detach().sum())


def test_there_is_no_second_derivative():
    x = torch.randn(3, requires_grad=True)
    (slope,) = torch.autograd.grad(streamed_sum([lambda v: v[0].pow(3).sum()], [x]), x, create_graph=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        slope.sum().backward()


def test_only_one_term_holds_its_matrices():
    """Every matrix of a term is gone when the next begins: saved tensors of the terms before are freed."""
    alive = []
    x = torch.randn(4, requires_grad=True)

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, v):
            alive.append(ctx)
            ctx.save_for_backward(v.outer(v))
            return v.sum()

        @staticmethod
        def backward(ctx, g):
            (matrix,) = ctx.saved_tensors
            return g * matrix.diagonal()

    streamed_sum([lambda v: Watched.apply(v[0])] * 3, [x])
    assert len(alive) == 3
    for ctx in alive:
        with pytest.raises(RuntimeError, match="already been freed"):
            _ = ctx.saved_tensors
