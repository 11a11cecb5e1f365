from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from benchmark.conformance.task_checks import prediction_fault
from benchmark.training.cost import count_parameters
from tasks.base import NetworkSpec
from tasks.errors import InputError
from tasks.networks import presets
from tasks.networks.encoder_decoder import build

SMALL = presets.STUDENT


@pytest.mark.parametrize(
    "spec",
    [
        SMALL,
        NetworkSpec("unet", "tu-resnet18", presets.STUDENT_ENCODER, {"decoder_channels": (32, 16, 16, 8, 8)}),
        NetworkSpec("deeplabv3plus", "mobilenet_v2", {}, {"decoder_channels": 32}),
    ],
    ids=lambda spec: spec.decoder,
)
def test_a_prediction_says_what_it_holds(spec: NetworkSpec) -> None:
    network = build(spec, 5).double().eval()
    with torch.no_grad():
        prediction = network(torch.randn(2, 3, 64, 96, dtype=torch.float64))
    assert prediction_fault(prediction, 2, (64, 96), channels=5) is None
    assert prediction.shared == ("decoder",)
    deepest = [name for name in prediction.features if name != "decoder"][-1]
    torch.testing.assert_close(prediction.embedding, prediction.features[deepest].mean(dim=(2, 3)))


def test_any_size_is_padded_and_cut_back() -> None:
    network = build(SMALL, 5).double().eval()
    image = torch.randn(1, 3, 45, 70, dtype=torch.float64)
    with torch.no_grad():
        cut = network(image)
        whole = network(torch.nn.functional.pad(image, (0, 26, 0, 19)))
    assert cut.maps[0].shape[-2:] == (12, 18)
    torch.testing.assert_close(cut.maps[0], whole.maps[0][..., :12, :18])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (replace(SMALL, decoder="fnp"), "unknown decoder 'fnp'; did you mean 'fpn'"),
        (replace(SMALL, encoder="resnet19", encoder_options={}), "unknown encoder 'resnet19'; did you mean 'resnet18'"),
        (replace(SMALL, decoder_options={"nonsense": 1}), "nonsense"),
        (replace(SMALL, weights="nowhere.safetensors"), "no such file"),
        (replace(SMALL, weights="hub:/no/such/folder"), "hub:/no/such/folder cannot be had"),
    ],
)
def test_what_cannot_be_built_is_explained(spec: NetworkSpec, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        build(spec, 5)


def test_local_weights_fill_the_whole_network_or_its_encoder(tmp_path: Path) -> None:
    source = build(SMALL, 5)
    safetensors.torch.save_file(source.state_dict(), tmp_path / "whole.safetensors")
    safetensors.torch.save_file(source.encoder.state_dict(), tmp_path / "encoder.safetensors")
    whole = build(replace(SMALL, weights=str(tmp_path / "whole.safetensors")), 5)
    assert all(
        torch.equal(a, b) for a, b in zip(source.state_dict().values(), whole.state_dict().values(), strict=True)
    )
    encoder = build(replace(SMALL, weights=str(tmp_path / "encoder.safetensors")), 7)
    name = "encoder." + next(iter(source.encoder.state_dict()))
    assert torch.equal(encoder.state_dict()[name], source.state_dict()[name])
    with pytest.raises(InputError, match=r"another architecture: .* head\.0"):
        build(replace(SMALL, weights=str(tmp_path / "whole.safetensors")), 7)


def test_a_folder_laid_out_like_the_hub_is_a_published_network(tmp_path: Path) -> None:
    import segmentation_models_pytorch as smp

    torch.manual_seed(0)
    published = smp.FPN("resnet18", encoder_weights=None, classes=5, decoder_pyramid_channels=32)
    published.save_pretrained(tmp_path)
    network = build(NetworkSpec(weights=f"hub:{tmp_path}"), 5).double().eval()
    image = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        expected = published.double().eval()(image)
        logits = network(image).maps[0]
    full = torch.nn.functional.interpolate(logits, size=(64, 64), mode="bilinear", align_corners=True)
    torch.testing.assert_close(full, expected)
    with pytest.raises(InputError, match="predicts 5 classes, the dataset has 6"):
        build(NetworkSpec(weights=f"hub:{tmp_path}"), 6)


@pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18"])
def test_pspnet_reads_the_last_stage_at_the_stride_of_its_paper(encoder: str) -> None:
    network = build(NetworkSpec("pspnet", encoder, {}, {"psp_out_channels": 8}), 3).eval()
    with torch.no_grad():
        prediction = network(torch.randn(1, 3, 64, 64))
    assert [prediction.strides[f"stage{i}"] for i in range(1, 6)] == [2, 4, 8, 8, 8]
    assert prediction.features["stage5"].shape == (1, 512, 8, 8)
    assert prediction.maps[0].shape == (1, 3, 8, 8)
    shallow = build(NetworkSpec("pspnet", encoder, {}, {"psp_out_channels": 8, "encoder_depth": 3}), 3)
    with torch.no_grad():
        assert "stage4" not in shallow.eval()(torch.randn(1, 3, 64, 64)).strides


def test_an_auxiliary_head_speaks_in_training_alone_and_is_no_part_of_what_is_deployed() -> None:
    plain = NetworkSpec("pspnet", "tu-resnet18", presets.STUDENT_ENCODER, {"psp_out_channels": 32})
    network = build(replace(plain, decoder_options={**plain.decoder_options, "auxiliary": True}), 5)
    image = torch.randn(2, 3, 64, 96)
    (maps,) = network(image).branches["auxiliary"]
    assert maps.shape == (2, 5, 8, 12)
    assert network.eval()(image).branches == {}
    assert count_parameters(network) == count_parameters(build(plain, 5))
