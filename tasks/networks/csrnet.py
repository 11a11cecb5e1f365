"""CSRNet and its thinner students: VGG-16's first ten convolutions, then six dilated ones."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from tasks.base import NetworkSpec, Prediction
from tasks.errors import InputError
from tasks.networks.weights import load_weights

NAME = "csrnet"
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3))  # channels and convolutions before each pool; none after the last
DILATED = (512, 512, 512, 256, 128, 64)
TAPS = {"conv1": 1, "pool1": 2, "pool2": 4, "pool3": 8, "dilated1": 8, "dilated4": 8}  # features and their strides


def _convolution(inputs: int, outputs: int, dilation: int, normalised: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)]
    if normalised:
        layers.append(nn.BatchNorm2d(outputs))
    return nn.Sequential(*layers, nn.ReLU())


class CSRNet(nn.Module):
    """A density at stride 8 (Li et al., CSRNet, CVPR 2018); thinner by 1/n as in SKT (Liu et al., ACM MM 2020).

    Features are SKT's six taps. Pools round up, so the map covers images of any size.

    Args:
        thin: every width is divided by this and rounded.
        batch_norm: normalise after each convolution, which the original does not.
    """

    def __init__(self, thin: int = 1, batch_norm: bool = False) -> None:
        super().__init__()
        channels, front, back = 3, [], []
        for width, depth in BLOCKS:
            block = []
            for _ in range(depth):
                block.append(_convolution(channels, round(width / thin), 1, batch_norm))
                channels = round(width / thin)
            front.append(nn.Sequential(*block))
        for width in DILATED:
            back.append(_convolution(channels, round(width / thin), 2, batch_norm))
            channels = round(width / thin)
        self.front, self.back = nn.ModuleList(front), nn.ModuleList(back)
        self.head = nn.Conv2d(channels, 1, 1)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
        nn.init.normal_(self.head.weight, std=0.01)  # CSRNet's; an untrained network sees almost nobody

    def forward(self, image: Tensor) -> Prediction:
        """Map images (N,3,H,W) to a Prediction whose map is (N,1,ceil(H/8),ceil(W/8))."""
        features: dict[str, Tensor] = {}
        flow = image
        for i, block in enumerate(self.front):
            if i > 0:
                flow = features[f"pool{i}"] = self.pool(flow)
            for j, layer in enumerate(block.children()):
                flow = layer(flow)
                if (i, j) == (0, 0):
                    features["conv1"] = flow
        deepest = flow
        for i, layer in enumerate(self.back, start=1):
            flow = layer(flow)
            if f"dilated{i}" in TAPS:
                features[f"dilated{i}"] = flow
        return Prediction(
            maps=(self.head(flow),),
            features=features,
            strides=dict(TAPS),
            shared=("dilated4",),
            embedding=deepest.mean(dim=(2, 3)),
            size=(image.shape[-2], image.shape[-1]),
        )


def build(spec: NetworkSpec) -> CSRNet:
    """Build a CSRNet; its encoder options are ``thin`` and ``batch_norm``, ImageNet weights are those of VGG-16.

    Raises InputError for another option, or ImageNet weights on a network that they do not fit.
    """
    unknown = sorted({*spec.encoder_options, *spec.decoder_options} - {"thin", "batch_norm"})
    if unknown:
        raise InputError(f"csrnet has no option {', '.join(unknown)}; its encoder options are thin and batch_norm")
    network = CSRNet(**{**spec.decoder_options, **spec.encoder_options})
    if spec.weights == "imagenet":
        _load_vgg(network, spec)
    elif spec.weights is not None:
        load_weights(network, Path(spec.weights))
    return network


def _load_vgg(network: CSRNet, spec: NetworkSpec) -> None:
    """Copy the first ten convolutions of timm's VGG-16 into the front end."""
    import timm  # takes seconds, so not at the top

    if spec.encoder_options.get("thin", 1) != 1:
        raise InputError("ImageNet weights exist for the full CSRNet alone; set thin=1 or weights=null")
    name = "vgg16_bn" if spec.encoder_options.get("batch_norm") else "vgg16"
    try:
        source = timm.create_model(name, pretrained=True, features_only=True)
    except Exception as error:  # the hub client raises many kinds
        raise InputError(
            f"ImageNet weights of {name} cannot be had ({type(error).__name__}: {error}); go online once, or set "
            "weights=null"
        ) from error
    kinds = (nn.Conv2d, nn.BatchNorm2d)
    own = [module for module in network.front.modules() if isinstance(module, kinds)]
    other = [module for module in source.modules() if isinstance(module, kinds)]
    for mine, theirs in zip(own, other, strict=False):
        mine.load_state_dict(theirs.state_dict())
