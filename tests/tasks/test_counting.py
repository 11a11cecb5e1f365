import numpy as np
import pytest
import torch

from tasks.base import Info, NetworkSpec, Prediction, Sample
from tasks.counting import Counting
from tasks.networks.csrnet import CSRNet
from tests.support import ROUNDING

POINTS = np.array([[3.0, 4.0], [3.0, 4.0], [60.0, 20.0]], dtype=np.float32)
SAMPLE = Sample("x", np.zeros((32, 64, 3), np.uint8), {"points": POINTS})
EMPTY = Sample("y", SAMPLE.image, {"points": np.zeros((0, 2), np.float32)})


@pytest.mark.parametrize("sigma", [None, 2.0])
def test_target_keeps_every_head(sigma):
    target = Counting(Info(), sigma=sigma).target(SAMPLE)
    assert target.shape == (32, 64)
    assert target.dtype == torch.float32
    assert target.sum().item() == pytest.approx(3, rel=ROUNDING)
    assert Counting(Info(), sigma=sigma).target(EMPTY).sum() == 0


def test_points_are_the_target_of_the_bayesian_loss():
    task = Counting(Info(), loss="bayesian", sigma=4.0)
    target = task.collate([task.target(SAMPLE), task.target(EMPTY)])
    assert target.weight.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert target.size == (32, 64)
    assert task.output.sigma == 4.0
    assert Counting(Info(), loss="bayesian", sigma=None).output.sigma == 8.0
    maps = torch.zeros(2, 1, 4, 8, requires_grad=True)
    loss = task.output.supervised([maps], target)
    # Nothing is predicted: each head misses one, over three heads and the background, and an empty image is right.
    assert loss.item() == pytest.approx((3 / 4 + 0) / 2, rel=ROUNDING)


def test_csrnet_and_its_thin_students():
    network = Counting(Info()).network(NetworkSpec(decoder="csrnet", encoder_options={"thin": 8}))
    assert isinstance(network, CSRNet)


@pytest.mark.parametrize("size", [(32, 64), (48, 100), (17, 33)])
def test_decoding_keeps_the_count_at_any_size(size):
    maps = torch.rand(2, 1, 4, 8)
    prediction = Prediction((maps,), {}, {}, (), torch.zeros(2, 1), (32, 64))
    density = Counting(Info()).decode(prediction, 1, size)
    assert density.dtype == np.float64
    assert density.shape == size
    assert density.sum() == pytest.approx(maps[1].sum().item(), rel=ROUNDING)


def test_pictures_tell_points_from_densities():
    task = Counting(Info())
    assert not np.array_equal(task.picture(POINTS, SAMPLE.image), task.picture(np.ones((32, 64)), SAMPLE.image))
    np.testing.assert_array_equal(task.picture(EMPTY.annotations["points"], SAMPLE.image), SAMPLE.image)
