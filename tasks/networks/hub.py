"""Published networks: what ``weights=hub:...`` means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from tasks.base import NetworkSpec
from tasks.errors import InputError

HUB, TIMM, TORCHVISION = "hub:", "hub:timm/", "hub:torchvision/"


def is_encoder(weights: str) -> bool:
    """Whether a word of the hub names an encoder alone, which predicts no maps."""
    return weights.startswith(TIMM)


def folder_of(weights: str | None) -> Path | None:
    """Return the folder on disk that a word of the hub names, None where it names something else."""
    if weights is None or not weights.startswith(HUB):
        return None
    path = Path(weights.removeprefix(TIMM if is_encoder(weights) else HUB)).expanduser()
    return path if path.is_dir() else None


def with_encoder(spec: NetworkSpec) -> NetworkSpec:
    """Write ``weights=hub:timm/NAME`` as the pretrained encoder that it means; any other specification stays as it is.

    NAME is one of timm's models, ``ORGANISATION/NAME`` on the hub, or a folder that timm saved.
    """
    if spec.weights is None or not is_encoder(spec.weights):
        return spec
    name, folder = spec.weights.removeprefix(TIMM), folder_of(spec.weights)
    source = f"local-dir:{folder}" if folder else f"hf-hub:{name}" if "/" in name else name
    return replace(spec, encoder=f"tu-{source}", encoder_options={}, weights="imagenet")


def whole(spec: NetworkSpec) -> NetworkSpec:
    """Write ``weights=hub:torchvision/NAME`` as the network that it means; any other specification stays as it is.

    What is none of torchvision's segmentation networks is left to the task's own builder, as ``hub:NAME``.
    """
    if spec.weights is None or not spec.weights.startswith(TORCHVISION):
        return spec
    from torchvision.models import list_models, segmentation

    name = spec.weights.removeprefix(TORCHVISION)
    if name in list_models(module=segmentation):
        return replace(spec, network="torchvision", options={"name": name, "published": True}, weights=None)
    return replace(spec, weights=f"{HUB}{name}")


def from_smp(name: str, channels: int) -> nn.Module:
    """Fetch a published segmentation-models-pytorch checkpoint, or read one from a folder laid out like the hub's.

    Raises InputError when it cannot be had (offline, unknown name) or has another number of classes.
    """
    import segmentation_models_pytorch as smp

    try:
        model = smp.from_pretrained(name, encoder_weights=None)
    except Exception as error:  # the hub client raises many kinds
        raise InputError(
            f"hub:{name} cannot be had ({type(error).__name__}: {error}); check the name, go online once, or give "
            "the path of a folder with config.json and model.safetensors as hub:PATH"
        ) from error
    model.segmentation_head[1] = nn.Identity()  # the output space resizes
    refuse_other_classes(f"{HUB}{name}", model.segmentation_head[0].out_channels, channels)
    return model


def refuse_other_classes(what: str, found: int, expected: int) -> None:
    """Raise InputError where a published network predicts another number of classes than the dataset has."""
    if found != expected:
        raise InputError(f"{what} predicts {found} classes, the dataset has {expected}: not the same benchmark")
