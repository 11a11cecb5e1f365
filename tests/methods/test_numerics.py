import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from methods.numerics import average_pool, gram_distance, shared_pairs, unit
from tasks.base import Prediction
from tests.support import assert_alike


def nodes(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(
    seed=st.integers(0, 1000),
    widths=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    count=st.integers(1, 30),
)
def test_both_ways_give_the_distance_of_gram_matrices(seed, widths, count):
    student, teacher = nodes(seed, 2, widths[0], count), nodes(seed + 1, 2, widths[1], count)
    direct = (student.mT @ student - teacher.mT @ teacher).square().sum()
    assert torch.isclose(gram_distance(student, teacher), direct)
    assert gram_distance(student, student).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("count", [2, 40])
def test_gradient_of_the_distance(count):
    student, teacher = nodes(0, 2, 3, count).requires_grad_(), nodes(1, 2, 4, count)
    assert torch.autograd.gradcheck(lambda s: gram_distance(s, teacher), student)


def test_unit_vectors_and_those_without_direction():
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-5, 0.0]], requires_grad=True)
    scaled = unit(vectors, dim=1)
    scaled.sum().backward()
    assert_alike(scaled, torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.0, 0.0]]))
    assert scaled[1:].abs().max() == 0.0
    assert vectors.grad[1:].abs().max() == 0.0
    assert vectors.grad[0].abs().max() > 0.0


def test_shared_features_pair_from_the_deep_end():
    def network(*names: str) -> Prediction:
        features = {name: torch.full((1, 1, 1, 1), float(name[1:])) for name in names}
        return Prediction((), features, {}, names, torch.zeros(1, 1), (1, 1))

    pairs = shared_pairs(network("p4", "p5"), network("p3", "p4", "p5"))
    assert [(own.item(), other.item()) for own, other in pairs] == [(4.0, 4.0), (5.0, 5.0)]


@pytest.mark.parametrize("size", [(7, 7), (3, 5), (1, 1), (9, 13)])
def test_pooling_lays_its_windows_as_torch_does(size):
    feature = torch.randn(2, 3, 9, 13, dtype=torch.float64)
    torch.testing.assert_close(average_pool(feature, size), torch.nn.functional.adaptive_avg_pool2d(feature, size))
