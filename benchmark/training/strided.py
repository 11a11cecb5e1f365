"""Convolutions of one pixel with a stride, of few channels, in a form that oneDNN computes without a fault."""

from __future__ import annotations

from torch import Tensor, nn

BLOCK = 16  # channels that oneDNN's kernels for AVX-512 take at once; those for AVX2 take 8


class Subsampled(nn.Conv2d):
    """A convolution of kernel 1 and no padding that drops the pixels it does not look at, then has stride 1."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve (N,C,H,W) at every stride-th pixel."""
        rows, columns = self.stride
        return nn.functional.conv2d(input[..., ::rows, ::columns], self.weight, self.bias, groups=self.groups)


def subsample_strided(network: nn.Module) -> nn.Module:
    """Let a network's convolutions that oneDNN gets wrong subsample first; weights, names and results stay.

    The gradient of the weights of a 1x1 convolution with a stride, fewer input channels than a block and images in the
    channels_last format is computed in a workspace whose end is passed: heaps are corrupted, gradients can be wrong
    (oneDNN issue 6035; seen with torch 2.15 on AVX2, where the residual networks of small students died of it).

    Args:
        network: changed in place; its subclasses of ``nn.Conv2d`` are left alone.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and _at_risk(module):
            module.__class__ = Subsampled
    return network


def _at_risk(convolution: nn.Conv2d) -> bool:
    strided, unpadded = max(convolution.stride) > 1, convolution.padding in ((0, 0), "valid")
    few = convolution.in_channels // convolution.groups < BLOCK
    return convolution.kernel_size == (1, 1) and strided and unpadded and few
