from __future__ import annotations

import numpy as np
import pytest

from tasks.data.tuning_split import TuningSplit
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError


def test_only_training_images_are_read_and_none_twice() -> None:
    whole = Scenes(size=64, train=8, val=3, test=3)
    part = TuningSplit(whole, "1/4")
    train, held = list(part.ids("train")), list(part.ids("test"))
    assert (len(train), len(held)) == (6, 2)
    assert part.ids("val") == held
    assert sorted(train + held) == sorted(whole.ids("train"))
    position = list(whole.ids("train")).index(held[1])
    np.testing.assert_array_equal(part.load("test", 1).image, whole.load("train", position).image)


def test_the_choice_is_part_of_the_content() -> None:
    whole = Scenes(size=64, train=8, val=3, test=3)
    manifests = {whole.manifest(), TuningSplit(whole, "1/4").manifest(), TuningSplit(whole, "1/2").manifest()}
    assert len(manifests) == 3
    assert TuningSplit(whole, "1/4").manifest() == TuningSplit(whole, "0.25").manifest()


@pytest.mark.parametrize("share", ["1", "0", "2", "a.txt"])
def test_a_share_that_leaves_nothing_is_refused(share: str) -> None:
    with pytest.raises(InputError):
        TuningSplit(Scenes(size=64, train=8, val=3, test=3), share)
