"""Networks that read clips: UVA-Net, and encoder-decoders on some of the frames."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from tasks.base import NetworkSpec, Prediction
from tasks.errors import InputError
from tasks.networks import encoder_decoder, uvanet


class NewestFrames(encoder_decoder.EncoderDecoder):
    """An encoder-decoder on the newest frames of a clip, joined as the channels of one image.

    Args:
        network: reads 3 channels a frame; its parts become this one's.
        frames: how many it reads.
    """

    def __init__(self, network: encoder_decoder.EncoderDecoder, frames: int) -> None:
        nn.Module.__init__(self)
        self.renormalise, self.auxiliary = network.renormalise, network.auxiliary
        self.encoder, self.decoder, self.head = network.encoder, network.decoder, network.head
        self.frames = frames

    def forward(self, image: Tensor) -> Prediction:
        """Map clips (N,3T,H,W) to a Prediction."""
        return super().forward(image[:, : 3 * self.frames])


def build(spec: NetworkSpec, channels: int, frames: int) -> nn.Module:
    """Build a UVA-Net (``decoder=uvanet``) or an encoder-decoder for clips of so many frames.

    The encoder option ``frames`` of an encoder-decoder says how many of the newest it reads; all by default.

    Raises InputError for a wrong number of frames, and as the networks' own builders do.
    """
    if spec.decoder == uvanet.NAME:
        return uvanet.build(spec, frames)
    options = dict(spec.encoder_options)
    read = options.pop("frames", frames)
    if not 1 <= read <= frames:
        raise InputError(f"encoder_options.frames is {read}: expected 1 to {frames}, the frames that the task gives")
    network = encoder_decoder.build(replace(spec, encoder_options=options), channels, 3 * read)
    return NewestFrames(network, read)
