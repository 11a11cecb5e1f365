from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.training.randomness import Randomness


def test_a_draw_depends_on_its_key_alone() -> None:
    draws = Randomness(3)
    first = draws.numpy("order", 1).random(4)
    draws.numpy("something else", 7).random(100)
    np.testing.assert_array_equal(first, draws.numpy("order", 1).random(4))
    assert torch.equal(torch.rand(3, generator=draws.torch("x", 1)), torch.rand(3, generator=draws.torch("x", 1)))


@given(st.tuples(st.integers(0, 9), st.sampled_from(["a", "b", "a 1"]), st.lists(st.integers(0, 99), max_size=2)))
def test_keys_differ(key: tuple[int, str, list[int]]) -> None:
    seed, purpose, position = key
    mine = Randomness(seed).key(purpose, *position)
    assert mine != Randomness(seed + 1).key(purpose, *position)
    assert mine != Randomness(seed).key(purpose + "!", *position)
    assert mine != Randomness(seed).key(purpose, *position, 0)
    assert 0 <= mine < 2**63


def test_global_generators_are_keyed_within_a_block_and_restored_after() -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    with Randomness(0).globally("dropout", 5):
        inside = torch.rand(2)
    assert torch.equal(torch.rand(2), expected)
    with Randomness(0).globally("dropout", 5):
        assert torch.equal(torch.rand(2), inside)
