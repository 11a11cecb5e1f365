"""Encoder-decoders of segmentation-models-pytorch, on any of its or timm's encoders, with features returned."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from tasks.base import NetworkSpec, Prediction
from tasks.errors import InputError, nearest
from tasks.networks.hub import HUB, from_smp, with_encoder
from tasks.networks.normalise import normalisation
from tasks.networks.weights import ENCODERS, load_weights

DECODERS = {
    "fpn": "FPN",
    "unet": "Unet",
    "unetplusplus": "UnetPlusPlus",
    "deeplabv3": "DeepLabV3",
    "deeplabv3plus": "DeepLabV3Plus",
    "manet": "MAnet",
    "linknet": "Linknet",
    "pspnet": "PSPNet",
    "upernet": "UPerNet",
    "segformer": "Segformer",
}
DILATED = {"pspnet": 8}  # decoders whose papers keep the last stages of the encoder at this stride
AUXILIARY = "auxiliary"  # decoder option, and the head that it adds for training alone
MULTIPLE = 32  # inputs are padded to this, since encoders halve five times


class EncoderDecoder(nn.Module):
    """A dense network whose forward returns a Prediction; maps stay at the decoder's own stride.

    Images of any size are padded on the right and at the bottom to a multiple of 32, and every map is cut back.

    Args:
        model: a segmentation-models-pytorch model (encoder, decoder, segmentation_head).
        auxiliary: a head on the encoder's last stage but one, a branch in train mode; none otherwise.
    """

    def __init__(self, model: nn.Module, auxiliary: nn.Module | None = None) -> None:
        super().__init__()
        self.auxiliary = auxiliary
        self.renormalise: nn.Module = nn.Identity()
        self.encoder = model.get_submodule("encoder")
        self.decoder = model.get_submodule("decoder")
        self.head = model.get_submodule("segmentation_head")

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,3,H,W) to a Prediction."""
        size = (image.shape[-2], image.shape[-1])
        padded = F.pad(self.renormalise(image), (0, -size[1] % MULTIPLE, 0, -size[0] % MULTIPLE))
        stages = self.encoder(padded)
        decoded = self.decoder(stages)
        maps = self.head(decoded)
        named = [(f"stage{i}", stage) for i, stage in enumerate(stages) if i > 0 and stage.shape[1] > 0]
        features, strides = {}, {}
        for name, feature in [*named, ("decoder", decoded)]:
            strides[name] = padded.shape[-1] // feature.shape[-1]
            features[name] = _cut(feature, size, strides[name])
        branches: dict[str, tuple[Tensor, ...]] = {}
        if self.auxiliary is not None and self.training:
            early, _ = named[-2]
            branches[AUXILIARY] = (_cut(self.auxiliary(dict(named)[early]), size, strides[early]),)
        return Prediction(
            maps=(_cut(maps, size, padded.shape[-1] // maps.shape[-1]),),
            features=features,
            strides=strides,
            shared=("decoder",),
            embedding=features[named[-1][0]].mean(dim=(2, 3)),
            size=size,
            branches=branches,
        )


def _cut(feature: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Cut what padding added off a feature map."""
    return feature[..., : math.ceil(size[0] / stride), : math.ceil(size[1] / stride)]


def build(spec: NetworkSpec, channels: int, inputs: int = 3) -> EncoderDecoder:
    """Build the network that ``spec`` describes, with ``channels`` output maps, for images of ``inputs`` channels.

    A pretrained encoder sees images as its own configuration says, timm's in a network of the hub too.
    ``auxiliary: true`` among the decoder's options adds a head for training alone (``recipe.auxiliary``).

    Raises InputError where the decoder, the encoder or one of their options is unknown, or weights do not fit.
    """
    import segmentation_models_pytorch as smp  # takes two seconds, so not at the top

    spec = with_encoder(spec)
    if spec.weights is not None and spec.weights.startswith(HUB):
        return _published(spec.weights.removeprefix(HUB), channels)
    if spec.decoder not in DECODERS:
        raise InputError(f"unknown decoder '{spec.decoder}'{nearest(spec.decoder, DECODERS)}")
    known = smp.encoders.get_encoder_names()
    if not spec.encoder.startswith("tu-") and spec.encoder not in known:
        raise InputError(
            f"unknown encoder '{spec.encoder}'{nearest(spec.encoder, known)}; timm's have tu- before their names"
        )
    architecture = getattr(smp, DECODERS[spec.decoder])
    arguments: dict[str, Any] = {**spec.decoder_options, **spec.encoder_options}
    auxiliary = arguments.pop(AUXILIARY, False)
    if inputs != 3:
        arguments["in_channels"] = inputs
    if "upsampling" in inspect.signature(architecture).parameters:
        arguments.setdefault("upsampling", 1)  # the output space resizes, so that teachers are not blown up in vain
    pretrained = spec.weights == "imagenet"
    first: str | bool | None = None
    if pretrained:
        first = True if spec.encoder.startswith("tu-") else "imagenet"  # timm's encoders have their weights in the name
    try:
        model = _model(spec, architecture, {"encoder_weights": first, "classes": channels, **arguments})
        encoder: Any = model.encoder
        network = EncoderDecoder(model, _auxiliary(encoder.out_channels[-2], channels) if auxiliary else None)
        if pretrained:
            network.renormalise = normalisation(_settings(spec.encoder, network.encoder))
    except (KeyError, ValueError, TypeError, RuntimeError, OSError) as error:
        raise InputError(
            f"cannot build decoder '{spec.decoder}' on encoder '{spec.encoder}' with {arguments}"
            f"{' and ImageNet weights (offline?)' if pretrained else ''}: {error}"
        ) from error
    if spec.weights is not None and not pretrained:
        loaded = load_weights(network, Path(spec.weights), partial=True)
        if loaded.put in ENCODERS:  # an encoder as it was published
            network.renormalise = _normalisation_of(network.encoder)
    return network


def _published(name: str, channels: int) -> EncoderDecoder:
    """Wrap a network of the hub; images are normalised as for its encoder."""
    network = EncoderDecoder(from_smp(name, channels))
    network.renormalise = _normalisation_of(network.encoder)
    return network


def _normalisation_of(encoder: nn.Module) -> nn.Module:
    """Return what an encoder needs whose weights came without the library: timm's own; else the loader's will do."""
    settings = _from_timm(encoder)
    return normalisation(settings) if settings else nn.Identity()


def _model(spec: NetworkSpec, architecture: Any, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a model of the library, on a dilated encoder where the decoder's paper has one and nothing else is asked.

    The library's PSPNet stops after the encoder's third stage; the paper's (Zhao et al., CVPR 2017) reads the last one,
    whose strides become dilations. ``encoder_depth=3`` in the decoder's options is the library's.
    """
    stride = DILATED.get(spec.decoder)
    if stride is None or "encoder_depth" in arguments:
        model: nn.Module = architecture(spec.encoder, **arguments)
        return model
    from segmentation_models_pytorch.encoders import get_encoder

    wanted = {"weights": arguments["encoder_weights"], "in_channels": arguments.get("in_channels", 3)}
    model = architecture(spec.encoder, **{**arguments, "encoder_depth": 5, "encoder_weights": None})
    model.encoder = get_encoder(spec.encoder, depth=5, output_stride=stride, **wanted, **spec.encoder_options)
    return model


def _auxiliary(inputs: int, channels: int) -> nn.Module:
    """Build PSPNet's auxiliary head (Zhao et al., CVPR 2017): a 3x3 convolution to a quarter of the width, then 1x1."""
    width = inputs // 4
    convolution = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
    return nn.Sequential(
        convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(width, channels, 1)
    )


def _settings(name: str, encoder: nn.Module) -> Mapping[str, Any]:
    """Say how images are normalised for a pretrained encoder, timm's or one of the library's own."""
    from segmentation_models_pytorch.encoders import get_preprocessing_params

    return _from_timm(encoder) or get_preprocessing_params(name, "imagenet")


def _from_timm(encoder: nn.Module) -> Mapping[str, Any] | None:
    """Return the configuration that an encoder of timm's brings; those of the library's own lie on the hub alone."""
    settings: Mapping[str, Any] | None = getattr(getattr(encoder, "model", None), "pretrained_cfg", None)
    return settings
