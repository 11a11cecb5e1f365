import numpy as np
import pytest
import torch

from tasks.annotations.fixations import Fixations
from tasks.attention import Attention
from tasks.base import Info, NetworkSpec, Prediction, Sample
from tasks.errors import InputError
from tasks.networks.clip import build
from tasks.networks.uvanet import UVANet
from tasks.outputs.fixation import UNKNOWN
from tests.support import ROUNDING

SIZE = (12, 16)


def sample(name="film-3/07", points=True):
    density = np.zeros(SIZE, np.float32)
    density[3:5, 10:12] = 100
    density[:, :2] = UNKNOWN
    looked = Fixations(density, np.array([[10.5, 3.5]], np.float32) if points else None)
    return Sample(name, np.zeros((*SIZE, 6), np.uint8), {"fixations": looked})


def test_a_target_sums_to_one_where_it_is_known():
    target = Attention(Info()).target(sample())
    assert target.clamp(min=0).sum().item() == pytest.approx(1, rel=ROUNDING)
    assert (target[:, :2] == UNKNOWN).all()
    nobody = sample()
    nobody.annotations["fixations"].density[:] = 0
    assert not Attention(Info()).target(nobody).any()


@pytest.mark.parametrize(("name", "clip"), [("film-3/07", "film-3"), ("a/b/07", "a/b"), ("still", "still")])
def test_the_clip_of_a_frame_is_its_id_up_to_the_last_slash(name, clip):
    truth = Attention(Info()).truth(sample(name))
    assert truth.clip == clip
    assert len(truth.points) == 1
    assert Attention(Info()).truth(sample(name, points=False)).points is None


def test_a_prediction_is_decoded_at_the_size_of_the_truth():
    maps = torch.full((2, 1, 6, 8), -9.0)
    maps[1, 0, 2, 5] = 9
    prediction = Prediction((maps,), {}, {}, (), torch.zeros(2, 1), (24, 32), torch.ones(2, 24, 32, dtype=torch.bool))
    decoded = Attention(Info()).decode(prediction, 1, SIZE)
    assert decoded.shape == SIZE
    row, column = np.unravel_index(decoded.argmax(), SIZE)
    assert row in (4, 5)
    assert column in (10, 11)
    assert (decoded >= 0).all()


def test_pictures_show_the_truth_and_predictions():
    task, image = Attention(Info()), np.full((*SIZE, 3), 90, np.uint8)
    for decoded in (task.truth(sample()), task.truth(sample(points=False)), np.random.default_rng(0).random(SIZE)):
        picture = task.picture(decoded, image)
        assert (picture.shape, picture.dtype) == (image.shape, np.uint8)


def test_the_spatial_teacher_sees_the_newest_frame_alone():
    task, clip = Attention(Info()), torch.randn(1, 6, 64, 64)
    earlier = clip.clone()
    earlier[:, 3:] += 1
    torch.manual_seed(0)
    with torch.no_grad():
        for role, differs in (("temporal", True), ("spatial", False)):
            network = task.network(Attention.teachers[role]).eval()
            first, second = (network(each).maps[0] for each in (clip, earlier))
            assert torch.equal(first, second) != differs


def test_a_clip_may_have_any_number_of_frames():
    task = Attention(Info(), frames=3)
    for spec in (Attention.student, Attention.teachers["temporal"]):
        with torch.no_grad():
            assert task.network(spec).eval()(torch.randn(1, 9, 64, 64)).maps[0].shape[:2] == (1, 1)
    assert isinstance(Attention(Info(), frames=1).network(Attention.student), UVANet)


@pytest.mark.parametrize("read", [0, 3])
def test_a_network_reads_no_more_frames_than_there_are(read):
    with pytest.raises(InputError, match="expected 1 to 2"):
        build(NetworkSpec(encoder_options={"frames": read}), 1, 2)
