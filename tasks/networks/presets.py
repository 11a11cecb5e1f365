"""The networks of the embedded recipe: a small student, a deep and narrow teacher, a wide and shallow one."""

from __future__ import annotations

from typing import Any

from tasks.base import NetworkSpec

STUDENT_ENCODER: dict[str, Any] = {"layers": (1, 1, 1, 1), "channels": (16, 32, 64, 128), "stem_width": 16}
DEEP_ENCODER: dict[str, Any] = {"layers": (2, 3, 4, 2), "channels": (24, 48, 96, 192)}
WIDE_ENCODER: dict[str, Any] = {"layers": (1, 1, 1, 1), "channels": (48, 96, 192, 384)}
DECODER: dict[str, Any] = {"decoder_pyramid_channels": 64, "decoder_segmentation_channels": 32}

STUDENT = NetworkSpec(encoder_options=STUDENT_ENCODER, decoder_options=DECODER)
TEACHERS = {
    "deep": NetworkSpec(encoder_options=DEEP_ENCODER, decoder_options=DECODER),
    "wide": NetworkSpec(encoder_options=WIDE_ENCODER, decoder_options=DECODER),
}
