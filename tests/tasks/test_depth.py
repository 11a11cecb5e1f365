import math

import numpy as np
import pytest
import torch

from tasks.base import Info, Prediction, Sample
from tasks.depth import Depth
from tasks.errors import InputError

INFO = Info(depth_cap=10.0, crop="eigen")


def test_cap_and_crop_come_from_the_dataset_unless_given():
    assert Depth(INFO).metric().crop == "eigen"
    assert Depth(INFO).metric().cap == 10.0
    assert Depth(INFO, crop="none").metric().crop is None
    assert Depth(INFO, cap=5.0, crop="garg").metric().crop == "garg"
    assert Depth(INFO, cap=5.0).output.cap == 5.0
    with pytest.raises(InputError, match="unknown evaluation crop"):
        Depth(INFO, crop="eigan").metric()


def test_an_untrained_network_predicts_a_third_of_the_cap_on_average():
    torch.manual_seed(0)
    network = Depth(INFO).network(Depth.student).eval()
    with torch.no_grad():
        maps = network(torch.zeros(1, 3, 64, 64)).maps[0]
    assert maps.mean().item() == pytest.approx(math.log(10 / 3), abs=0.5)


def test_decodes_metres_and_resizes_them_not_their_logarithm():
    maps = torch.tensor([[[[1.0, 4.0]]]]).log()
    prediction = Prediction((maps,), {}, {}, (), torch.zeros(1, 1), (1, 2))
    np.testing.assert_allclose(Depth(INFO).decode(prediction, 0, (1, 4)), [[1.0, 1.75, 3.25, 4.0]], rtol=1e-4)


def test_target_is_float32_metres():
    sample = Sample("x", np.zeros((1, 2, 3), np.uint8), {"depth": np.array([[0.0, 2.5]])})
    target = Depth(INFO).target(sample)
    assert target.dtype == torch.float32
    assert target.tolist() == [[0.0, 2.5]]
