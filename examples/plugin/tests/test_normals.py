"""What holds of surface normals and of directions."""

import numpy as np
import pytest
import torch
from densedistill_example.cosine import Cosine
from densedistill_example.normals import Angles, Normals, normals_of

from tasks.base import Info, Sample


def plane(normal, distance=5.0, size=32, focal=0.9):
    """The depth of a plane ``<normal, point> = -distance`` that faces the camera."""
    grid = ((np.arange(size) + 0.5) / size - 0.5) / focal
    rays = np.stack([*np.meshgrid(grid, grid), np.ones((size, size))], axis=-1)
    return (-distance / (rays @ np.asarray(normal))).astype(np.float32)


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.3, 0, -0.954), (0, -0.6, -0.8), (-0.48, -0.36, -0.8)])
def test_the_normals_of_a_plane_are_its_normal(normal):
    found = normals_of(plane(normal), 0.9)[1:-1, 1:-1]
    np.testing.assert_allclose(found, np.broadcast_to(normal, found.shape), atol=2e-3)


def test_borders_jumps_and_unknown_depth_have_no_normal():
    depth = np.full((8, 8), 4.0, np.float32)
    depth[:, 4:] = 8.0
    depth[2, 1] = 0.0
    known = normals_of(depth, 0.9).any(axis=-1)
    assert not known[0].any()
    assert not known[:, 3:5].any()
    assert not known[2, 1]
    assert not known[3, 1]
    assert known[5, 2]


def test_mirrored_depth_gives_mirrored_normals():
    depth = plane((0.3, 0.2, -0.933))
    mirrored = normals_of(depth[:, ::-1].copy(), 0.9)[:, ::-1] * np.array([-1, 1, 1])
    np.testing.assert_allclose(mirrored, normals_of(depth, 0.9), atol=1e-4)


def test_the_score_of_a_turned_prediction_is_its_angle():
    truth = np.tile(np.array([0.0, 0.0, -1.0], np.float32), (4, 4, 1))
    angle = np.radians(20)
    turned = np.tile(np.array([np.sin(angle), 0.0, -np.cos(angle)], np.float32), (4, 4, 1))
    metric = Angles()
    metric.update(turned, truth)
    scores = metric.compute()
    assert scores["mean_angle"] == pytest.approx(20, abs=1e-4)
    assert [scores[f"within_{each}"] for each in (11, 22, 30)] == [0.0, 1.0, 1.0]


def test_the_target_is_the_truth_as_a_tensor():
    task = Normals(Info())
    sample = Sample("a", np.zeros((8, 8, 3), np.uint8), {"depth": plane((0, -0.6, -0.8), size=8)})
    np.testing.assert_array_equal(task.target(sample).permute(1, 2, 0).numpy(), task.truth(sample))


def test_the_loss_of_a_mixture_is_the_mixture_of_the_losses():
    space, generator = Cosine(), torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 4, 4, generator=generator)
    a, b = (space.directions(torch.randn(2, 3, 4, 4, generator=generator)) for _ in range(2))
    weight = torch.tensor([0.3, 0.3])
    mixed = space.supervised([maps], space.mix(a, b, weight))
    expected = 0.3 * space.supervised([maps], a) + 0.7 * space.supervised([maps], b)
    torch.testing.assert_close(mixed, expected)
