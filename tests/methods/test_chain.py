"""Inference in chains against the enumeration of every labelling."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from methods import chain

LABELS, LENGTH, CHAINS = 3, 4, 5


def some(seed, *shape, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def scores(seed, scale=1.0):
    return some(seed, LENGTH, LABELS, CHAINS, scale=scale), some(seed + 1, LABELS, LABELS, scale=scale)


BROKEN = torch.tensor(
    [[0, 0, 0, 0, 0], [1, 0, 1, 1, 0], [1, 1, 0, 1, 0], [1, 1, 1, 0, 0]], dtype=torch.bool
)  # chains of 4; 1 + 3; 2 + 2; 3 + 1; 1 + 1 + 1 + 1


def enumerate_labellings(unary, transition, linked=None):
    """Every labelling of each chain with its probability, and log Z, the long way."""
    labellings = list(itertools.product(range(unary.shape[1]), repeat=len(unary)))
    totals = []
    for y in labellings:
        score = sum(unary[i, a] for i, a in enumerate(y))
        for i in range(1, len(y)):
            follows = 1.0 if linked is None else linked[i].double()
            score = score + follows * transition[y[i], y[i - 1]]
        totals.append(score)
    totals = torch.stack(totals)
    return labellings, totals.softmax(dim=0), totals.logsumexp(dim=0)


@pytest.mark.parametrize("linked", [None, BROKEN], ids=["whole", "broken"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0, 1e4])  # the last is beyond what products can do
def test_partition_function_and_marginals_are_those_of_the_enumeration(linked, scale):
    unary, transition = scores(1, scale)
    labellings, probability, log_z = enumerate_labellings(unary, transition, linked)
    torch.testing.assert_close(chain.log_partition(unary, transition, linked), log_z)
    found = chain.infer(unary, transition, linked)
    expected, pairs = torch.zeros_like(unary), torch.zeros_like(transition)
    for y, p in zip(labellings, probability, strict=True):
        for i, label in enumerate(y):
            expected[i, label] += p
            if i > 0:
                pairs[label, y[i - 1]] += p.sum() if linked is None else (p * linked[i]).sum()
    torch.testing.assert_close(found.unary, expected)
    torch.testing.assert_close(found.pairs, pairs)
    if scale < 1e4:  # steps that no value decides are products
        torch.testing.assert_close(chain.posteriors(unary, transition, linked), expected)


def test_posteriors_stay_distributions_whatever_the_scores():
    unary, transition = some(1, 50, LABELS, 2, scale=1e4).float(), some(2, LABELS, LABELS, scale=1e4).float()
    found = chain.posteriors(unary, transition)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(50, 2))


def test_log_marginals_are_those_of_each_chain():
    unary, transition = scores(2)
    labellings, probability, _ = enumerate_labellings(unary, transition)
    pairs, labels = chain.log_marginals(unary, transition)
    expected = torch.zeros(LENGTH - 1, LABELS, LABELS, CHAINS, dtype=torch.float64)
    for y, p in zip(labellings, probability, strict=True):
        for i in range(1, LENGTH):
            expected[i - 1, y[i], y[i - 1]] += p
    torch.testing.assert_close(pairs.exp(), expected)
    torch.testing.assert_close(labels.exp(), chain.infer(unary, transition).unary)


@pytest.mark.parametrize("linked", [None, BROKEN], ids=["whole", "broken"])
def test_gradients_of_the_partition_function_are_those_of_finite_differences(linked):
    unary, transition = scores(3)
    weight = some(9, CHAINS)
    inputs = (unary.requires_grad_(), transition.requires_grad_())
    assert gradcheck(lambda u, a: weight * chain.log_partition(u, a, linked), inputs)


@pytest.mark.parametrize("linked", [None, BROKEN], ids=["whole", "broken"])
def test_the_gradient_of_the_divergence_is_the_difference_of_the_marginals(linked):
    (own, table), (other, given_table) = scores(4), scores(6)
    own.requires_grad_(), table.requires_grad_()
    chain.divergence(own, other, table, given_table, linked).backward()
    student, teacher = chain.infer(own.detach(), table.detach(), linked), chain.infer(other, given_table, linked)
    torch.testing.assert_close(own.grad, student.unary - teacher.unary)
    torch.testing.assert_close(table.grad, student.pairs - teacher.pairs)


@pytest.mark.parametrize("linked", [None, BROKEN], ids=["whole", "broken"])
def test_divergence_and_cross_entropy_are_those_of_the_enumeration(linked):
    (own, table), (other, given_table) = scores(4), scores(6)
    _, p, _ = enumerate_labellings(other, given_table, linked)
    _, q, _ = enumerate_labellings(own, table, linked)
    found = chain.divergence(own, other, table, given_table, linked)
    torch.testing.assert_close(found, (p * (p.log() - q.log())).sum())
    found = chain.cross_entropy(chain.infer(other, given_table, linked), own, table, linked)
    torch.testing.assert_close(found, -(p * q.log()).sum())


@given(st.floats(-50, 50), st.integers(0, 100))
def test_a_constant_on_all_labels_of_a_position_changes_nothing(constant, seed):
    unary, transition = scores(seed)
    moved = unary.clone()
    moved[2] += constant
    torch.testing.assert_close(chain.infer(moved, transition).pairs, chain.infer(unary, transition).pairs)
    shift = chain.log_partition(moved, transition) - chain.log_partition(unary, transition)
    torch.testing.assert_close(shift, torch.full_like(shift, constant))


def test_forbidden_neighbours_and_long_chains_stay_finite():
    unary, transition = some(1, 400, LABELS, 2, scale=20.0).float(), torch.tensor([[0.0, -1e4, 0.0]] * 3)
    unary.requires_grad_(), transition.requires_grad_()
    value = chain.log_partition(unary, transition).sum()
    value.backward()
    assert math.isfinite(value.item())
    assert unary.grad.isfinite().all()
    assert transition.grad[:, 1].abs().max() == 0.0  # nothing follows the second label
    assert unary.grad[:-1, 1].max() == 0.0
    torch.testing.assert_close(unary.grad.sum(dim=1), torch.ones(400, 2), rtol=0.0, atol=1e-3)


@given(st.integers(0, 100), st.floats(0.1, 20.0))
def test_both_kinds_of_steps_agree(seed, scale):
    unary, transition = scores(seed, scale)
    found = []
    for steps in (chain._Products(transition), chain._Sums(transition)):
        before = unary[0].log_softmax(dim=0)
        expected = steps.forward(before)
        found.append(
            (expected, *steps.backward(unary[1].softmax(dim=0), expected, before, torch.ones(CHAINS).double()))
        )
    for products, sums in zip(*found, strict=True):
        torch.testing.assert_close(products, sums)


def test_single_positions_are_chains():
    unary, transition = scores(1)
    torch.testing.assert_close(chain.log_partition(unary[:1], transition), unary[0].logsumexp(dim=0))
    torch.testing.assert_close(chain.infer(unary[:1], transition).unary[0], unary[0].softmax(dim=0))


def test_rows_and_links():
    maps = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5)
    assert torch.equal(chain.rows(maps)[:, 1, 6], maps[1, 1, 2])
    valid = torch.tensor([[True], [True], [False], [True], [True]])
    assert chain.links(valid).flatten().tolist() == [False, True, False, False, True]
