"""Salient-object detection: the mask of what catches the eye."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.mask import draw_mask
from tasks.base import IGNORE, Info, Margin, NetworkSpec, Prediction, Sample, tasks
from tasks.dense import DenseTask
from tasks.metrics.saliency import SaliencyScores
from tasks.networks import presets, u2net
from tasks.networks.encoder_decoder import build
from tasks.outputs.binary import UNKNOWN, Binary
from tasks.resizing import resize
from tasks.trivial import Trivial, by_position, constant, gridded


@tasks.register("saliency")
class Saliency(DenseTask):
    """The mask of the salient object, scored by the S-measure.

    Args:
        info: of the dataset.
    """

    title = "salient-object detection"
    annotation = "mask"
    metrics = {
        "s_measure": True,
        "mae": False,
        **dict.fromkeys(("max_f", "mean_f", "adaptive_f", "weighted_f", "max_e", "mean_e", "adaptive_e"), True),
    }
    student = presets.STUDENT
    teachers = presets.TEACHERS
    recipe = {"steps": 200, "batch": 8}
    teacher_recipe = {"steps": 800}
    margin = Margin(0.01)

    def __init__(self, info: Info) -> None:
        super().__init__(info)
        self.output = Binary()

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build a U2-Net (``decoder=u2net``) or an encoder-decoder with one map."""
        return u2net.build(spec) if spec.decoder == u2net.NAME else build(spec, self.output.channels)

    def metric(self) -> SaliencyScores:
        """Return empty sums of scores."""
        return SaliencyScores()

    def target(self, sample: Sample) -> Tensor:
        """Zero and one, float32 (H,W), -1 on padding."""
        return self.targets(torch.from_numpy(np.array(sample.annotations[self.annotation])))

    def targets(self, values: Tensor) -> Tensor:
        """Zero and one, float32 (N,H,W), -1 on padding."""
        mask = values.float()
        return mask.where(mask != IGNORE, UNKNOWN)

    def field(self, prediction: Prediction, size: tuple[int, int]) -> Tensor:
        """Probabilities at ``size``: the map at the size of the input, resized (bilinear)."""
        logits = resize(prediction.maps[0], prediction.size)
        return resize(logits.sigmoid(), size)[:, 0]

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """The share of the mask, of all positions and of each: a centre prior."""
        cells = gridded(sample.annotations[self.annotation] for sample in samples)
        known = np.ma.masked_equal(cells, IGNORE)
        mean = float(known.mean())
        return {
            "mean share": constant(mean),
            "mean share a position": by_position(known.mean(axis=0).filled(mean).astype(np.float32)),
        }

    def picture(self, decoded: np.ndarray, image: np.ndarray) -> np.ndarray:
        """The image, dark outside the mask."""
        return draw_mask(image, decoded)
