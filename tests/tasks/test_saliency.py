import numpy as np
import pytest
import torch

from tasks.base import Info, Prediction, Sample
from tasks.saliency import Saliency


def test_padding_is_left_out_of_the_target():
    sample = Sample("x", np.zeros((1, 3, 3), np.uint8), {"mask": np.array([[0, 1, 255]], np.uint8)})
    assert Saliency(Info()).target(sample).tolist() == [[0.0, 1.0, -1.0]]


def test_probabilities_are_resized_to_the_mask():
    logits = torch.tensor([[[[-100.0, 100.0]]]])
    prediction = Prediction((logits,), {}, {}, (), torch.zeros(1, 1), (1, 2))
    np.testing.assert_allclose(Saliency(Info()).decode(prediction, 0, (1, 4)), [[0.0, 0.25, 0.75, 1.0]], atol=1e-4)


def test_picture_darkens_what_is_left_out():
    image = np.full((8, 8, 3), 200, np.uint8)
    mask = np.zeros((8, 8))
    mask[:, 4:] = 1.0
    picture = Saliency(Info()).picture(mask, image)
    assert picture[4, 1].mean() < 100
    assert picture[4, 6].mean() == pytest.approx(200)
