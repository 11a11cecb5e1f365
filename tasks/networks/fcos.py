"""FCOS: torchvision's head and feature pyramid on any of timm's backbones, with features returned."""

from __future__ import annotations

import functools
import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tasks.base import NetworkSpec, Prediction
from tasks.errors import InputError
from tasks.networks.hub import HUB, with_encoder
from tasks.networks.normalise import normalisation
from tasks.networks.weights import ENCODERS, load_weights

NAME = "fcos"
DEEPEST = 32  # stride of a backbone's last stage; coarser levels are convolved from it
COCO = "fcos_resnet50_fpn"  # torchvision's published checkpoint
COCO_STRIDES = (8, 16, 32, 64, 128)


class FCOS(nn.Module):
    """An anchor-free detector (Tian et al., ICCV 2019) whose maps are those of ``tasks.outputs.detection``.

    Args:
        encoder: maps an image to the stages that the pyramid reads, shallow to deep.
        pyramid: maps the named stages to levels of one width.
        classifier: torchvision's classification branch.
        regressor: torchvision's box and centerness branch.
        strides: of the levels, finest first.
        shrink: of the images that it will see (``tasks.networks.shrunk``); stages and levels are named as elsewhere.
    """

    def __init__(
        self,
        encoder: nn.Module,
        pyramid: nn.Module,
        classifier: nn.Module,
        regressor: nn.Module,
        strides: Sequence[int],
        shrink: int = 1,
    ) -> None:
        super().__init__()
        self.renormalise: nn.Module = nn.Identity()
        self.encoder = encoder
        self.pyramid = pyramid
        self.classifier = classifier
        self.regressor = regressor
        self.strides = tuple(strides)
        self.shrink = shrink

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,3,H,W) to a Prediction with one map a level, each (N,K+5,ceil(H/s),ceil(W/s))."""
        stages = self.encoder(self.renormalise(image))
        near = [stride for stride in self.strides if stride <= DEEPEST]
        names = [f"stage{self._depth(stride)}" for stride in near]
        levels = list(self.pyramid(OrderedDict(zip(names, stages, strict=True))).values())
        pyramid = {f"p{self._depth(s)}": level for s, level in zip(self.strides, levels, strict=True)}
        return Prediction(
            maps=tuple(self._head(level) for level in levels),
            features={**dict(zip(names, stages, strict=True)), **pyramid},
            strides={**dict(zip(names, near, strict=True)), **dict(zip(pyramid, self.strides, strict=True))},
            shared=tuple(pyramid),
            embedding=stages[-1].mean(dim=(2, 3)),
            size=(image.shape[-2], image.shape[-1]),
        )

    def _depth(self, stride: int) -> int:
        """How often what has this stride was halved, counted from the whole image."""
        return int(math.log2(stride * self.shrink))

    def _head(self, level: Tensor) -> Tensor:
        """Run both branches on one level; torchvision's lay positions out in rows, which is undone."""
        logits = self.classifier([level])
        distances, centerness = self.regressor([level])
        joined = torch.cat([logits, distances, centerness], dim=2)
        return joined.transpose(1, 2).unflatten(2, (level.shape[-2], level.shape[-1]))


class _Stages(nn.Module):
    """torchvision's ResNet body as an encoder: a list of stages."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, image: Tensor) -> list[Tensor]:
        return list(self.body(image).values())


def build(spec: NetworkSpec, classes: int, strides: Sequence[int], category_ids: Sequence[int] = ()) -> FCOS:
    """Build the detector that ``spec`` describes: an encoder of timm, decoder options ``channels`` and ``convs``.

    ``weights=hub:fcos_resnet50_fpn`` is torchvision's COCO detector, of whose 91 outputs those of ``category_ids`` are
    kept; the encoder and all options are its own then.

    ``spec.shrink`` divides the strides, so that the levels lie where those of the other networks of the run do.

    Raises InputError where the encoder or an option is unknown, strides cannot be had, or weights do not fit.
    """
    # takes seconds, so not at the top
    from torchvision.models.detection.fcos import FCOSClassificationHead, FCOSRegressionHead
    from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelP6P7

    spec = with_encoder(spec)
    if any(stride % spec.shrink for stride in strides):
        raise InputError(f"shrink={spec.shrink} does not divide the strides {list(strides)}")
    strides = [stride // spec.shrink for stride in strides]
    if spec.weights is not None and spec.weights.startswith(HUB):
        return _from_torchvision(spec.weights.removeprefix(HUB), strides, category_ids, spec.shrink)
    if list(strides) != [strides[0] * 2**i for i in range(len(strides))] or strides[0] not in (2, 4, 8, 16, 32):
        seen = f" of what a network with shrink={spec.shrink} sees" if spec.shrink > 1 else ""
        raise InputError(f"strides {strides}{seen}: expected each twice the one before, from 2, 4, 8, 16 or 32 on")
    if len(coarser := [stride for stride in strides if stride > DEEPEST]) not in (0, 2):
        raise InputError(f"strides {list(strides)}: beyond 32 either both 64 and 128 or none, found {coarser}")
    options: dict[str, Any] = {"channels": 256, "convs": 4, **spec.decoder_options}
    if unknown := sorted(options.keys() - {"channels", "convs"}):
        raise InputError(f"fcos has no decoder option {', '.join(unknown)}; it has channels and convs")
    encoder = _encoder(spec, [int(math.log2(stride)) - 1 for stride in strides if stride <= DEEPEST])
    width, convs = options["channels"], options["convs"]
    if width % 32:
        raise InputError(f"fcos: channels is {width}, expected a multiple of 32")
    extra = LastLevelP6P7(width, width) if coarser else None
    norm = functools.partial(nn.GroupNorm, min(32, width // 4))  # torchvision's 32 groups of 256 channels, or fewer
    network = FCOS(
        encoder,
        FeaturePyramidNetwork(encoder.feature_info.channels(), width, extra),
        FCOSClassificationHead(width, 1, classes, convs, norm_layer=norm),
        FCOSRegressionHead(width, 1, convs, norm_layer=norm),
        strides,
        spec.shrink,
    )
    # Distances pass a ReLU: starting at one stride rather than zero, all of them have a gradient.
    nn.init.ones_(network.get_parameter("regressor.bbox_reg.bias"))
    if spec.weights == "imagenet" or (
        spec.weights is not None and load_weights(network, Path(spec.weights), partial=True).put in ENCODERS
    ):
        network.renormalise = normalisation(encoder.pretrained_cfg)
    return network


def _encoder(spec: NetworkSpec, indices: list[int]) -> Any:
    """Build a backbone that returns the stages at ``indices`` (stride 2^(i+1))."""
    import timm

    pretrained = spec.weights == "imagenet"
    try:
        return timm.create_model(
            spec.encoder.removeprefix("tu-"),
            features_only=True,
            out_indices=indices,
            pretrained=pretrained,
            **spec.encoder_options,
        )
    except (RuntimeError, ValueError, TypeError, KeyError, AssertionError, IndexError, OSError) as error:
        raise InputError(
            f"cannot build encoder '{spec.encoder}' with {spec.encoder_options}"
            f"{' and ImageNet weights (offline?)' if pretrained else ''}: {error}"
        ) from error


def _from_torchvision(name: str, strides: Sequence[int], category_ids: Sequence[int], shrink: int) -> FCOS:
    """Fetch torchvision's COCO detector and keep the outputs of the dataset's categories."""
    from torchvision.models import detection

    if name != COCO:
        raise InputError(f"hub:{name} is not a detector that this suite knows; known: hub:{COCO}")
    if tuple(strides) != COCO_STRIDES:
        raise InputError(
            f"hub:{name} has strides {list(COCO_STRIDES)}; set task.strides to "
            f"{[shrink * each for each in COCO_STRIDES]}, found {[shrink * each for each in strides]}"
        )
    try:
        model = detection.fcos_resnet50_fpn(weights="DEFAULT", weights_backbone=None)
    except Exception as error:  # the download raises many kinds
        raise InputError(
            f"hub:{name} cannot be had ({type(error).__name__}: {error}); go online once, or put its file into "
            "torch's hub folder (TORCH_HOME)"
        ) from error
    classifier = model.head.classification_head
    outside = [i for i in category_ids if not 0 <= i < classifier.num_classes]
    if not category_ids or outside:
        raise InputError(f"hub:{name} predicts COCO's category ids 1 to 90, the dataset has {list(category_ids)}")
    layer, chosen = classifier.cls_logits, list(category_ids)
    layer.weight, layer.bias = nn.Parameter(layer.weight[chosen].detach()), nn.Parameter(layer.bias[chosen].detach())
    layer.out_channels = classifier.num_classes = len(chosen)
    head = model.head.regression_head
    return FCOS(_Stages(model.backbone.body), model.backbone.fpn, classifier, head, COCO_STRIDES, shrink)
