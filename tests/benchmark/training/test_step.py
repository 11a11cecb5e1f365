from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.training.randomness import Randomness
from benchmark.training.step import box_mask


@given(st.integers(0, 1000), st.integers(1, 64), st.integers(1, 64))
def test_a_box_mask_has_the_size_of_the_image(seed: int, height: int, width: int) -> None:
    mask = box_mask((height, width), Randomness(seed).torch("cutmix", 0))
    assert mask.shape == (height, width)
    assert mask.dtype == torch.bool


def test_boxes_cover_between_a_quarter_and_a_half_less_what_overlaps() -> None:
    shares = [float(box_mask((96, 96), Randomness(0).torch("cutmix", i)).float().mean()) for i in range(200)]
    assert max(shares) <= 0.55
    assert 0.2 <= sum(shares) / len(shares) <= 0.4
