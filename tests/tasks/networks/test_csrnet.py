from itertools import pairwise

import pytest
import torch
from safetensors.torch import save_file

from benchmark.conformance.task_checks import prediction_fault
from tasks.base import NetworkSpec
from tasks.errors import InputError
from tasks.networks.csrnet import CSRNet, build


@pytest.mark.parametrize(
    ("thin", "millions"),
    [(1, 16.26), (2, 4.07), (3, 1.81), (4, 1.02), (5, 0.65)],  # CSRNet's, and SKT's students
)
def test_parameters_are_those_of_the_papers(thin, millions):
    with torch.device("meta"):
        network = CSRNet(thin)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 2) == millions


def test_features_are_the_six_taps_and_the_map_covers_any_image():
    network = CSRNet(8).eval()
    with torch.no_grad():
        prediction = network(torch.randn(2, 3, 45, 70))
    assert prediction.maps[0].shape == (2, 1, 6, 9)
    assert prediction_fault(prediction, 2, (45, 70), channels=1) is None
    assert list(prediction.features) == ["conv1", "pool1", "pool2", "pool3", "dilated1", "dilated4"]
    assert all((feature >= 0).all() for feature in prediction.features.values())
    assert [f.shape[1] for f in prediction.features.values()] == [8, 8, 16, 32, 64, 32]
    assert prediction.embedding.shape == (2, 64)
    assert prediction.shared == ("dilated4",)


def test_batch_norm_is_an_option():
    plain, normalised = CSRNet(8), CSRNet(8, batch_norm=True)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in plain.modules())
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in normalised.modules()) == 16


def test_imagenet_weights_fill_the_front_end(monkeypatch):
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]  # VGG-16 without its classifier
    made = torch.nn.Sequential(*(torch.nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths)))
    monkeypatch.setattr("timm.create_model", lambda name, **_: made)
    network = build(NetworkSpec(decoder="csrnet", weights="imagenet"))
    theirs = [m for m in made.modules() if isinstance(m, torch.nn.Conv2d)]
    own = [m for m in network.front.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(own) == 10
    assert all(
        torch.equal(a.weight, b.weight) and torch.equal(a.bias, b.bias) for a, b in zip(own, theirs, strict=False)
    )


def test_bad_specs_are_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no option layers; its encoder options are thin and batch_norm"):
        build(NetworkSpec(decoder="csrnet", encoder_options={"layers": 3}))
    with pytest.raises(InputError, match="full CSRNet alone"):
        build(NetworkSpec(decoder="csrnet", encoder_options={"thin": 4}, weights="imagenet"))
    path = tmp_path / "thin.safetensors"
    save_file(CSRNet(8).state_dict(), path)
    build(NetworkSpec(decoder="csrnet", encoder_options={"thin": 8}, weights=str(path)))
    with pytest.raises(InputError, match="another architecture"):
        build(NetworkSpec(decoder="csrnet", encoder_options={"thin": 4}, weights=str(path)))

    def offline(name, **_):
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(InputError, match=r"vgg16 cannot be had \(OSError: no route to host\)"):
        build(NetworkSpec(decoder="csrnet", weights="imagenet"))
