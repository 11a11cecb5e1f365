"""What all output spaces do with maps."""

from __future__ import annotations

import pytest
import torch

from tasks.outputs.maps import nearest

SIZES = [((6, 6), (24, 24)), ((3, 7), (12, 20)), ((24, 32), (5, 9)), ((1, 1), (8, 8)), ((8, 4), (8, 16))]


@pytest.mark.parametrize(("source", "target"), [*SIZES, ((25, 9), (10, 6))])
def test_the_nearest_value_is_the_one_that_holds_the_centre_of_a_cell(source, target):
    values = torch.arange(source[0] * source[1]).view(1, *source)
    rows, columns = ([int((i + 0.5) * s / t) for i in range(t)] for s, t in zip(source, target, strict=True))
    assert nearest(values, target)[0].tolist() == [[row * source[1] + column for column in columns] for row in rows]
    assert nearest(values.bool(), target).dtype == torch.bool
