"""Files of weights as training loops leave them: what fits goes in, what does not is counted and named."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from tasks.base import Info, NetworkSpec
from tasks.errors import InputError
from tasks.networks import encoder_decoder, presets
from tasks.networks.build import build_network
from tasks.networks.extracted import extract
from tasks.networks.stored import read_weights
from tasks.networks.weights import load_weights
from tasks.segmentation import Segmentation

SPEC = NetworkSpec(encoder_options=presets.STUDENT_ENCODER, decoder_options=presets.DECODER)
State = Mapping[str, Tensor]


class Net(nn.Module):
    """Two layers, one of which training alone would use."""

    def __init__(self, channels: int = 3, depth: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), *(nn.Conv2d(4, 4, 1) for _ in range(depth - 1)))
        self.norm, self.head = nn.BatchNorm2d(4), nn.Conv2d(4, channels, 1)
        self.side = nn.Conv2d(4, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = self.head(self.norm(self.body(image)))
        return out


def below(prefix: str, state: State) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("wrap", "told"),
    [
        (lambda state: state, "9 of 9 tensors"),
        (lambda state: below("module.", state), "9 of 9 tensors, names without 'module.'"),
        (lambda state: {"model": below("_orig_mod.module.", state), "epoch": 3}, "names without '_orig_mod.module.'"),
        (lambda state: {"state_dict": below("model.", state), "optimizer": {"lr": 0.1}}, "names without 'model.'"),
        (
            lambda state: {"state_dict": {**below("model.", state), "loss.weight": torch.ones(3)}},
            "9 of 9 tensors, names without 'model.'; 1 left out: loss.weight",
        ),
        (lambda state: {"model": {"state_dict": {**state, "aux.0.weight": torch.ones(2)}}}, "1 left out: aux.0.weight"),
        (
            lambda state: {name: tensor for name, tensor in state.items() if "num_batches" not in name},
            "8 of 9 tensors",
        ),
    ],
)
def test_what_training_loops_put_around_names_is_taken_off(
    wrap: Callable[[State], Any], told: str, tmp_path: Path
) -> None:
    """Into the module, and into its traced form, which has no use for a part."""
    torch.manual_seed(0)
    model, path = Net(), tmp_path / "last.ckpt"
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("side.")}
    torch.save(wrap(state), path)
    plain = Net()
    del plain.side
    assert told in str(load_weights(plain, path))
    blank = torch.randn(2, 3, 32, 32)
    traced = extract(Net(), blank, None, {})
    load_weights(traced, path)
    with torch.no_grad():
        expected = model.eval()(blank)
        assert torch.equal(plain.eval()(blank), expected)
        assert torch.equal(traced.eval()(blank).maps[0], expected)
    torch.save(model.state_dict(), path)
    assert str(load_weights(traced, path)) == "9 of 9 tensors; 2 left out: graph.side.weight, graph.side.bias"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (Net(depth=3), r"9 of 9 tensors have a place, but 4 unexpected: body.1.weight, body.1.bias, .* and 1 more;"),
        (Net(channels=5), r"2 of another shape: head.weight is \(5, 4, 1, 1\), expected \(3, 4, 1, 1\), head.bias"),
        (nn.Conv2d(3, 4, 3), r"0 of 9 tensors have a place, but 8 missing: body.0.weight, .*; 2 unexpected: weight"),
    ],
)
def test_another_architecture_is_counted_and_named(model: nn.Module, told: str, tmp_path: Path) -> None:
    """A deeper network has all tensors of a shallower one, and would predict nonsense in it."""
    network, path = Net(), tmp_path / "net.pth"
    del network.side
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("side.")}
    torch.save({"state_dict": state}, path)
    with pytest.raises(InputError, match=f"net.pth, below 'state_dict', are of another architecture: .*{told}"):
        load_weights(network, path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class Bomb:
    """Opens the door when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda path: torch.save({"state_dict": {}, "x": Bomb(path.parent / "exploded")}, path), "other objects"),
        (lambda path: path.write_bytes(pickle.dumps(Bomb(path.parent / "exploded"))), "other objects"),
        (lambda path: torch.save({"args": argparse.Namespace(lr=1)}, path), r"other objects \(argparse.Namespace\)"),
        (lambda path: torch.save(Net(), path), r"other objects .*torch.save\(\{'state_dict': MODEL.state_dict"),
        (lambda path: torch.save({"epoch": 3, "lr": 0.1}, path), "expected a state dict, .*found keys epoch, lr"),
        (lambda path: torch.save([1, 2], path), "expected a state dict, .*found list"),
        (lambda path: path.write_bytes(b"PK\x03\x04cut off"), "found one that cannot be read"),
        (lambda path: path.write_bytes(b"hello"), "expected a safetensors file, or one that torch.save wrote"),
    ],
)
def test_other_files_are_refused_and_never_run(write: Callable[[Path], Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    write(path)
    with pytest.raises(InputError, match=f"weights .*weights.pt: .*{says}") as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["weights.pt"]


def test_a_model_of_the_library_fits_without_its_names_being_changed(tmp_path: Path) -> None:
    import segmentation_models_pytorch as smp

    published = smp.Unet("resnet18", encoder_weights=None, classes=4, decoder_channels=[16, 8, 8, 8, 8])
    torch.save({"state_dict": below("model.", published.state_dict())}, tmp_path / "unet.ckpt")
    network = encoder_decoder.build(NetworkSpec("unet", "resnet18", {}, {"decoder_channels": [16, 8, 8, 8, 8]}), 4)
    load_weights(network, tmp_path / "unet.ckpt")
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval()(image).maps[0], published.eval()(image))


@pytest.mark.parametrize("encoder", ["tu-resnet18", "resnet18"])
def test_an_encoder_as_it_is_published_starts_a_network(encoder: str, tmp_path: Path) -> None:
    """With the classifier that it has, normalised as its configuration says; not as a teacher's whole weights."""
    import timm

    half = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    options = {"pretrained_cfg_overlay": half} if encoder.startswith("tu-") else {}
    source = timm.create_model("resnet18", num_classes=7)
    torch.save(source.state_dict(), tmp_path / "encoder.pth")
    spec = NetworkSpec("fpn", encoder, options, presets.DECODER, weights=str(tmp_path / "encoder.pth"))
    network = encoder_decoder.build(spec, 3)
    name = next(name for name in network.state_dict() if name.endswith("layer1.0.conv1.weight"))
    assert torch.equal(network.state_dict()[name], source.state_dict()["layer1.0.conv1.weight"])
    normalised = getattr(network.renormalise, "mean", None)
    assert (normalised is not None and normalised.tolist() == [0.5] * 3) == bool(options)
    with pytest.raises(InputError, match=r"another architecture: .* missing: .*decoder"):
        load_weights(network, tmp_path / "encoder.pth")


def test_the_hub_of_timm_is_an_encoder_with_its_own_normalisation(tmp_path: Path) -> None:
    """A folder as timm saves it, which is laid out like the hub's."""
    import timm
    from timm.models import save_for_hf

    torch.manual_seed(0)
    settings = {"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.5, 0.5)}
    encoder = timm.create_model("resnet10t", pretrained_cfg_overlay=settings)
    save_for_hf(encoder, tmp_path, safe_serialization=True)
    task = Segmentation(Info(classes=("sky", "road", "car")))
    network = build_network(
        task, NetworkSpec(decoder_options=presets.DECODER, weights=f"hub:timm/{tmp_path}"), (64, 64)
    )
    state = network.state_dict()
    name = next(name for name in state if name.endswith("layer1.0.conv1.weight"))
    assert torch.equal(state[name], encoder.state_dict()["layer1.0.conv1.weight"])
    torch.testing.assert_close(state["renormalise.mean"], torch.tensor([0.1, 0.2, 0.3]))


def test_the_hub_of_torchvision_is_a_whole_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published weights where torch's hub keeps them; another number of classes is another benchmark."""
    from torchvision.models.segmentation import LRASPP_MobileNet_V3_Large_Weights, lraspp_mobilenet_v3_large

    import tasks.networks.torchvision_nets  # noqa: F401  # registers it

    torch.manual_seed(0)
    published = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21).eval()
    weights = LRASPP_MobileNet_V3_Large_Weights.DEFAULT
    monkeypatch.setattr(type(weights), "get_state_dict", lambda *args, **options: published.state_dict())
    spec = NetworkSpec(weights="hub:torchvision/lraspp_mobilenet_v3_large")
    voc = Segmentation(Info(classes=tuple(f"class {number}" for number in range(21))))
    image = torch.randn(2, 3, 64, 64)
    prediction = build_network(voc, spec, (64, 64)).eval()(image)
    torch.testing.assert_close(prediction.maps[0], published(image)["out"])
    assert list(prediction.strides.values()) == [2, 4, 8, 16]
    with pytest.raises(InputError, match="hub:torchvision/lraspp_.* predicts 21 classes, the dataset has 3"):
        build_network(Segmentation(Info(classes=("a", "b", "c"))), spec, (64, 64))


def test_a_file_of_torchvisions_fits_what_wraps_its_network(tmp_path: Path) -> None:
    """The names that torchvision writes, in a class whose own names all begin with another word."""
    from torchvision.models.segmentation import fcn_resnet50

    import tasks.networks.torchvision_nets  # noqa: F401  # registers it

    model = fcn_resnet50(weights=None, weights_backbone=None, num_classes=3, aux_loss=True).eval()
    torch.save({"model": {f"module.{name}": tensor for name, tensor in model.state_dict().items()}}, tmp_path / "a.pth")
    task = Segmentation(Info(classes=("sky", "road", "car")))
    network = build_network(task, NetworkSpec(network="torchvision", options={"name": "fcn_resnet50"}), (64, 64)).eval()
    assert "left out: graph.net.aux_classifier.0.weight" in str(load_weights(network, tmp_path / "a.pth"))
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(image).maps[0], model(image)["out"])


def test_the_normalisation_of_a_folder_follows_its_encoder(tmp_path: Path) -> None:
    import segmentation_models_pytorch as smp

    smp.Unet("tu-inception_v4", encoder_weights=None, classes=3).save_pretrained(tmp_path)
    network = encoder_decoder.build(NetworkSpec(weights=f"hub:{tmp_path}"), 3)
    assert network.renormalise.mean.tolist() == [0.5, 0.5, 0.5]


def test_safetensors_are_read_as_before(tmp_path: Path) -> None:
    source, path = encoder_decoder.build(SPEC, 3), tmp_path / "net.safetensors"
    safetensors.torch.save_file(source.state_dict(), path)
    network = encoder_decoder.build(SPEC, 3)
    assert str(load_weights(network, path)) == f"{len(source.state_dict())} of {len(source.state_dict())} tensors"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    state = nn.Linear(3, 2).state_dict()
    state["weight"][1, 2] = value
    safetensors.torch.save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"w\.safetensors: expected finite numbers, found .* 1 of 2 .* first weight;"):
        load_weights(nn.Linear(3, 2), tmp_path / "w.safetensors")
