"""A network sees images as it was pretrained on them, wherever its weights go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from tasks.base import MEAN, STD, NetworkSpec
from tasks.networks import encoder_decoder, fcos, presets
from tasks.networks.normalise import Renormalise
from tasks.networks.weights import load_weights

HALF = (0.5, 0.5, 0.5)
RGB = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
BUILDERS = {
    "fpn": (NetworkSpec(decoder_options=presets.DECODER), lambda spec: encoder_decoder.build(spec, 3)),
    "fcos": (
        NetworkSpec("fcos", decoder_options={"channels": 32, "convs": 1}),
        lambda spec: fcos.build(spec, 3, (4, 8, 16)),
    ),
}


def normalised(mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    return (RGB - torch.tensor(mean).double()[:, None, None]) / torch.tensor(std).double()[:, None, None]


@pytest.fixture(params=BUILDERS)
def built(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A builder of networks, and the spec of one whose encoder comes from a timm file of another normalisation."""
    spec, build = BUILDERS[request.param]
    encoder = timm.create_model("resnet18", **presets.STUDENT_ENCODER)
    safetensors.torch.save_file(encoder.state_dict(), tmp_path / "encoder.safetensors")
    settings = {"file": str(tmp_path / "encoder.safetensors"), "mean": HALF, "std": HALF}
    options = {**presets.STUDENT_ENCODER, "pretrained_cfg_overlay": settings}
    return build, replace(spec, encoder_options=options, weights="imagenet"), encoder


def maps(network: nn.Module, image: Tensor) -> Tensor:
    with torch.no_grad():
        return network.double().eval()(image).maps[0]


def bare(network: nn.Module) -> nn.Module:
    network.renormalise = nn.Identity()
    return network


def test_images_reach_the_encoder_as_it_was_pretrained_on_them(built: Any) -> None:
    build, spec, encoder = built
    network = build(spec)
    assert torch.equal(network.state_dict()[first(network)], encoder.state_dict()["conv1.weight"])
    seen = maps(network, normalised(MEAN, STD))
    torch.testing.assert_close(seen, maps(bare(network), normalised(HALF, HALF)), rtol=1e-6, atol=1e-6)


def first(network: nn.Module) -> str:
    return next(name for name in network.state_dict() if name.endswith("conv1.weight"))


def test_the_normalisation_goes_with_a_network_inside_another(built: Any, tmp_path: Path) -> None:
    build, spec, _ = built
    whole, path = nn.ModuleDict({"student": build(spec)}), tmp_path / "whole.safetensors"
    safetensors.torch.save_file(whole.state_dict(), path)
    fresh = nn.ModuleDict({"student": build(replace(spec, encoder_options=presets.STUDENT_ENCODER, weights=None))})
    load_weights(fresh, path)
    assert isinstance(fresh["student"].renormalise, Renormalise)
    image = normalised(MEAN, STD)
    assert torch.equal(maps(fresh["student"], image), maps(whole["student"], image))


def test_the_normalisation_goes_where_the_weights_go(built: Any, tmp_path: Path) -> None:
    build, spec, _ = built
    network, path = build(spec), tmp_path / "student.safetensors"
    safetensors.torch.save_file(network.state_dict(), path)
    plain = replace(spec, encoder_options=presets.STUDENT_ENCODER)
    image = normalised(MEAN, STD)
    for weights in (None, str(path)):
        again = build(replace(plain, weights=weights))
        load_weights(again, path)
        assert torch.equal(maps(again, image), maps(network, image))
    load_weights(build(replace(plain, weights=None)), path)
    encoder = {key: value for key, value in network.float().state_dict().items() if key.startswith(("enc", "renorm"))}
    safetensors.torch.save_file(encoder, tmp_path / "part.safetensors")
    part = build(replace(plain, weights=str(tmp_path / "part.safetensors")))
    assert part.renormalise.mean.tolist() == list(HALF)


def test_weights_without_one_see_what_the_loader_gives(built: Any, tmp_path: Path) -> None:
    build, spec, _ = built
    plain = build(replace(spec, encoder_options=presets.STUDENT_ENCODER, weights=None))
    assert not [name for name in plain.state_dict() if "normalise" in name]
    safetensors.torch.save_file(plain.state_dict(), tmp_path / "plain.safetensors")
    network = build(spec)
    load_weights(network, tmp_path / "plain.safetensors")
    assert torch.equal(maps(network, RGB), maps(plain, RGB))


def test_imagenets_own_normalisation_changes_nothing(built: Any) -> None:
    build, spec, _ = built
    settings = {**spec.encoder_options["pretrained_cfg_overlay"], "mean": MEAN, "std": STD}
    network = build(replace(spec, encoder_options={**spec.encoder_options, "pretrained_cfg_overlay": settings}))
    assert isinstance(network.renormalise, nn.Identity)


def test_every_frame_of_a_clip_is_normalised_alike() -> None:
    renormalise = Renormalise(HALF, HALF).double()
    clip = torch.cat([normalised(MEAN, STD), normalised(MEAN, STD)], dim=1)
    expected = torch.cat([normalised(HALF, HALF)] * 2, dim=1)
    torch.testing.assert_close(renormalise(clip), expected, rtol=1e-6, atol=1e-6)
