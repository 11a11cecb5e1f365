"""Monocular depth: metres for every pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.depth import draw_depth
from tasks.base import Info, Margin, NetworkSpec, Prediction, Sample, tasks
from tasks.dense import DenseTask
from tasks.metrics.depth import DepthErrors
from tasks.networks import presets
from tasks.networks.encoder_decoder import build
from tasks.outputs.logdepth import LogDepth
from tasks.resizing import resize
from tasks.trivial import Trivial, by_position, constant, gridded


@tasks.register("depth")
class Depth(DenseTask):
    """Metres for every pixel, scored by the mean absolute error relative to the true depth (AbsRel).

    Args:
        info: the cap and the evaluation crop of the dataset.
        cap: metres; depth from here on counts nowhere. The dataset's own by default.
        crop: window that is scored, one of ``tasks.metrics.depth.CROPS`` or ``none``. The dataset's own by default.
        median_scaling: score up to one factor an image, as self-supervised protocols do.
        focus: variance focus of the scale-invariant loss.
    """

    title = "monocular depth"
    annotation = "depth"
    metrics = {
        **dict.fromkeys(("abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog"), False),
        **dict.fromkeys(("delta1", "delta2", "delta3"), True),
    }
    student = presets.STUDENT
    teachers = presets.TEACHERS
    recipe = {"steps": 200, "batch": 8, "scale": [1.0, 1.0]}  # a zoom would change the size of things, not their depth
    teacher_recipe = {"steps": 800}
    margin = Margin(0.10, relative=True)

    output: LogDepth

    def __init__(
        self,
        info: Info,
        *,
        cap: float | None = None,
        crop: str | None = None,
        median_scaling: bool = False,
        focus: float = 0.85,
    ) -> None:
        super().__init__(info)
        self.cap = info.depth_cap if cap is None else cap
        self.crop = info.crop if crop is None else None if crop == "none" else crop
        self.median_scaling = median_scaling
        self.output = LogDepth(self.cap, focus)

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build an encoder-decoder with one map; untrained, it predicts about a third of the cap."""
        network = build(spec, self.output.channels)
        if spec.weights in (None, "imagenet"):
            nn.init.normal_(network.get_parameter("head.0.weight"), std=0.01)
            nn.init.constant_(network.get_parameter("head.0.bias"), math.log(self.cap / 3))
        return network

    def metric(self) -> DepthErrors:
        """Return empty sums of errors."""
        return DepthErrors(self.cap, self.crop, median_scaling=self.median_scaling)

    def target(self, sample: Sample) -> Tensor:
        """Metres, float32 (H,W), 0 where unknown."""
        return torch.from_numpy(sample.annotations[self.annotation].astype(np.float32))

    def targets(self, values: Tensor) -> Tensor:
        """Metres, float32 (N,H,W), 0 where unknown."""
        return values.float()

    def field(self, prediction: Prediction, size: tuple[int, int]) -> Tensor:
        """Metres at ``size``: the map in metres at the size of the input, resized (bilinear)."""
        log_depth = resize(prediction.maps[0], prediction.size)
        return resize(self.output.metres(log_depth), size)[:, 0]

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """The mean and the median depth, and the median at each position."""
        cells = gridded(sample.annotations[self.annotation].astype(np.float32) for sample in samples)
        known = np.ma.masked_outside(cells, np.finfo(np.float32).tiny, self.cap)
        median = float(np.ma.median(known))
        here = np.ma.median(known, axis=0).filled(median).astype(np.float32)
        return {
            "mean": constant(float(known.mean())),
            "median": constant(median),
            "median a position": by_position(here),
        }

    def picture(self, decoded: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Depth in viridis, near is bright, with a scale."""
        return draw_depth(decoded, self.cap)
