import numpy as np
import pytest

from tasks.annotations.fixations import UNKNOWN, FixationKind, Fixations
from tasks.annotations.kind import Info
from tasks.base import Sample
from tasks.data.augment import Augment
from tasks.data.cache import DiskCache

KIND, INFO, SIZE = FixationKind(), Info(), (24, 32)


def value(points=True):
    draw = np.random.default_rng(0)
    spots = (draw.random((5, 2)) * [32, 24]).astype(np.float32)
    return Fixations(draw.random(SIZE, np.float32), spots if points else None)


@pytest.mark.parametrize("points", [True, False])
def test_a_sound_value_stays_sound(points, tmp_path):
    whole = value(points)
    for each in (whole, KIND.resize(whole, SIZE, (12, 10)), KIND.resize(whole, SIZE, (48, 64)), KIND.empty(whole)):
        assert KIND.faults(each, SIZE, INFO) == []
    cache = DiskCache(tmp_path)
    cache.put("train", 0, Sample("a", np.zeros((*SIZE, 6), np.uint8), {"fixations": whole}))
    kept = cache.get("train", 0)
    assert kept.image.shape == (*SIZE, 6)
    np.testing.assert_array_equal(kept.annotations["fixations"].density, whole.density)
    assert (kept.annotations["fixations"].points is None) == (not points)
    assert KIND.draw(whole, np.zeros((48, 64, 3), np.uint8), INFO).shape == (48, 64, 3)
    assert ("5 to 5 points" in KIND.describe([whole], INFO)) == points


def test_density_and_points_keep_together():
    density = np.zeros(SIZE, np.float32)
    density[8:12, 20:24] = 1
    whole = Fixations(density, np.array([[22.0, 10.0]], np.float32))
    small = KIND.resize(whole, SIZE, (12, 16))
    assert np.unravel_index(small.density.argmax(), (12, 16)) == (4, 10)
    np.testing.assert_array_equal(small.points, [[11, 5]])
    image = np.repeat((density * 255).astype(np.uint8)[..., None], 6, axis=2)
    for seed in range(8):
        augment = Augment((24, 40), (0.75, 1.5), 0.5, 0.3)
        moved, inside = augment(Sample("a", image, {"fixations": whole}), np.random.default_rng(seed))
        found = moved.annotations["fixations"]
        assert (found.density[~inside] == UNKNOWN).all()
        assert (found.density[inside] >= 0).all()
        for x, y in found.points.astype(int):
            assert found.density[y, x] == 1


def test_faults_are_named():
    assert "at least 0" in KIND.faults(Fixations(-value().density), SIZE, INFO)[0]
    assert "float32" in KIND.faults(Fixations(value().density.astype(float)), SIZE, INFO)[0]
    assert "1 outside" in KIND.faults(Fixations(value().density, np.array([[40, 3]], np.float32)), SIZE, INFO)[0]
