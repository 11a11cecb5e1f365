"""Crowd counting: how many heads there are, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.points import PointBatch, draw_points
from tasks.base import Info, Margin, NetworkSpec, Prediction, Sample, Task, tasks
from tasks.data.density import density_map
from tasks.data.density_batch import density_maps
from tasks.drawing import draw_density
from tasks.metrics.counting import CountErrors
from tasks.networks import csrnet, encoder_decoder, presets
from tasks.outputs.bayesian import BayesianDensity, PointTarget, stack_points
from tasks.outputs.density import Density, overlap
from tasks.trivial import Trivial, constant


@tasks.register("count")
class Counting(Task):
    """Heads a pixel, scored by the mean absolute error of the count.

    Args:
        info: of the dataset.
        loss: squared error of a density made from the points, or the Bayesian loss of the points themselves.
        sigma: width of a head in pixels of the network's input (published: 15 for ShanghaiTech B, 4 in MCNN's code).
            None adapts a density to the distance between neighbours, and is 8 for the Bayesian loss.
        reduction: of the loss: a mean over positions or heads, or their sum an image (``reference``).
    """

    title = "crowd counting"
    annotation = "points"
    metrics = dict.fromkeys(("mae", "rmse", "nae", "game0", "game1", "game2", "game3"), False)
    student = presets.STUDENT
    teachers = presets.TEACHERS
    # Zooming out pads with black, which shifts batch statistics: some heads everywhere, and squared errors do not mind.
    recipe = {"steps": 200, "batch": 8, "scale": [1.0, 1.0]}
    teacher_recipe = {"steps": 800}
    margin = Margin(0.10, relative=True)

    output: Density

    def __init__(
        self,
        info: Info,
        *,
        loss: Literal["squared", "bayesian"] = "squared",
        sigma: float | None = 2.0,
        reduction: Literal["mean", "reference"] = "mean",
    ) -> None:
        super().__init__(info)
        self.loss = loss
        self.sigma = sigma
        if loss == "bayesian":
            self.output = BayesianDensity(8.0 if sigma is None else sigma, reduction)
        else:
            self.output = Density(reduction)

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build a CSRNet (``decoder=csrnet``) or an encoder-decoder with one map; untrained, it sees almost nobody."""
        if spec.decoder == csrnet.NAME:
            return csrnet.build(spec)
        network = encoder_decoder.build(spec, self.output.channels)
        if spec.weights in (None, "imagenet"):
            nn.init.normal_(network.get_parameter("head.0.weight"), std=0.01)
        return network

    def metric(self) -> CountErrors:
        """Return empty sums of errors."""
        return CountErrors()

    def target(self, sample: Sample) -> Tensor | PointTarget:
        """Heads a pixel, float32 (H,W), that sum to the number of points; or the points, as a batch of one."""
        points, size = sample.annotations[self.annotation], (sample.image.shape[0], sample.image.shape[1])
        if self.loss == "bayesian":
            return stack_points([torch.from_numpy(points)], size)
        return torch.from_numpy(density_map(points, size, self.sigma).astype(np.float32))

    def collate(self, targets: Sequence[Any]) -> Any:
        """Stack densities; join points, padded to the image with the most."""
        if self.loss == "bayesian":
            return stack_points([target.xy[0, target.weight[0] > 0] for target in targets], targets[0].size)
        return super().collate(targets)

    def targets(self, values: PointBatch) -> Tensor | PointTarget:
        """The densities of a batch, float32 (N,H,W), or its points."""
        if self.loss == "bayesian":
            return PointTarget(values.xy, values.present.float(), values.size)
        return density_maps(values.xy, values.present, values.size, self.sigma)

    def decode(self, prediction: Prediction, index: int, size: tuple[int, int]) -> np.ndarray:
        """Heads a pixel at ``size``, float64, with the count that the network predicts."""
        return self.decode_batch(prediction.select(slice(index, index + 1)), [size])[0]

    def decode_batch(self, prediction: Prediction, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        """Decode every image at its size; they come from the device in one copy."""
        densities = self.output.pixels(prediction).cpu().double().numpy()
        return [overlap(density, size) for density, size in zip(densities, sizes, strict=True)]

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """The mean and the median count, spread evenly."""
        counts = [len(sample.annotations[self.annotation]) for sample in samples]

        def evenly(count: float) -> Trivial:
            return lambda size: constant(count / (size[0] * size[1]), np.float64)(size)

        return {"mean count": evenly(float(np.mean(counts))), "median count": evenly(float(np.median(counts)))}

    def picture(self, decoded: np.ndarray, image: np.ndarray) -> np.ndarray:
        """A predicted density with its count, or the true points with theirs."""
        return draw_density(image, decoded) if decoded.shape == image.shape[:2] else draw_points(image, decoded)
