from __future__ import annotations

import pytest
import torch

from tasks.base import NetworkSpec
from tasks.errors import InputError
from tasks.networks.u2net import U2Net, build


@pytest.mark.parametrize(("small", "megabytes"), [(False, 176.3), (True, 4.7)])
def test_its_weights_take_as_much_as_the_published_files(small: bool, megabytes: float) -> None:
    with torch.device("meta"):
        tensors = U2Net(small).state_dict().values()
    assert sum(4 * tensor.numel() for tensor in tensors) / 1e6 == pytest.approx(megabytes, rel=0.04)


@pytest.mark.parametrize("size", [(64, 96), (70, 45)])
def test_every_level_has_a_map_of_the_size_of_the_image(size: tuple[int, int]) -> None:
    network = build(NetworkSpec("u2net", encoder_options={"small": True})).eval()
    with torch.no_grad():
        prediction = network(torch.randn(2, 3, *size))
    assert [maps.shape for maps in prediction.maps] == [(2, 1, *size)]
    assert list(prediction.branches) == [f"side{level}" for level in range(1, 7)]
    assert {maps.shape for (maps,) in prediction.branches.values()} == {(2, 1, *size)}
    assert [prediction.features[f"stage{level}"].shape[-2] for level in (1, 2, 6)] == [
        size[0],
        -(-size[0] // 2),
        -(-size[0] // 32),
    ]
    assert prediction.features["decoder"].shape == (2, 64, *size)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (NetworkSpec("u2net", encoder_options={"tiny": True}), "u2net has no option tiny"),
        (NetworkSpec("u2net", weights="imagenet"), "weights=imagenet: u2net has none"),
    ],
)
def test_what_it_does_not_have_is_refused(spec: NetworkSpec, said: str) -> None:
    with pytest.raises(InputError, match=said):
        build(spec)
