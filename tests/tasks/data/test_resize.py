"""Images of another size: every frame of a clip alike."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.data.clips import frames
from tasks.data.resize import resize_image


@pytest.mark.parametrize("size", [(96, 128), (60, 80), (240, 320)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_clip_is_resized_frame_by_frame(size: tuple[int, int], count: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3 * count), np.uint8)
    resized = resize_image(image, size)
    assert resized.shape == (*size, 3 * count)
    for before, after in zip(frames(image), frames(resized), strict=True):
        np.testing.assert_array_equal(after, resize_image(np.ascontiguousarray(before), size))
        assert abs(float(before.mean()) - float(after.mean())) < 1
