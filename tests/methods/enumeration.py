"""Small models of label sequences and of label maps, and what enumerating every labelling says of them."""

import itertools

import torch

C = 3  # labels


def some(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def distribution(unary, transition, start=None, end=None):
    """Log-probability of every labelling of one sequence (n,C), by enumeration."""
    totals = []
    for y in itertools.product(range(unary.shape[1]), repeat=len(unary)):
        total = sum(unary[i, a] for i, a in enumerate(y))
        if transition is not None:
            total = total + sum(transition[a, b] for b, a in itertools.pairwise(y))
        total = total + (0.0 if start is None else start[y[0]]) + (0.0 if end is None else end[y[-1]])
        totals.append(total)
    return torch.stack(totals).log_softmax(dim=0)


def grid_models():
    return some(1, 2, C, 3, 4), some(2, 2, C, 3, 4), *(some(seed, C, C) for seed in (3, 4, 5, 6))
