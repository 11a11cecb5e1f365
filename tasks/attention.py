"""Visual attention: where people look in a clip, or in a still image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.fixations import Fixations, draw_fixations
from tasks.base import Info, Margin, NetworkSpec, Prediction, Sample, tasks
from tasks.dense import DenseTask
from tasks.metrics.fixation import FixationScores, Looks
from tasks.networks import presets
from tasks.networks.clip import build
from tasks.networks.uvanet import NAME as UVANET
from tasks.outputs.fixation import Fixation
from tasks.resizing import resize
from tasks.trivial import Trivial, by_position, gridded

DEEP = presets.TEACHERS["deep"]


@tasks.register("attention")
class Attention(DenseTask):
    """A distribution over the positions of the newest frame, scored by the normalised scanpath saliency.

    The teachers see all pixels: ``temporal`` two frames, ``spatial`` the newest one alone. The student is a UVA-Net.
    Frames of one clip are those whose ids agree up to the last slash.

    Args:
        info: of the dataset.
        frames: how many the networks are given, the newest first; of a still image each is the same.
        cc: weight of ``1 - CC`` in the task loss, beside the KL divergence.
        nss: weight of ``-NSS`` in the task loss.
    """

    title = "video attention"
    annotation = "fixations"
    dataset = "clips"
    metrics = {"nss": True, "auc_j": True, "sauc": True, "cc": True, "sim": True, "kl": False, "points": True}
    student = NetworkSpec(decoder=UVANET)
    teachers = {
        "temporal": DEEP,
        "spatial": replace(DEEP, encoder_options={**DEEP.encoder_options, "frames": 1}),
    }
    recipe = {"steps": 200, "batch": 8}
    teacher_recipe = {"steps": 800}
    margin = Margin(0.05, relative=True)

    output: Fixation

    def __init__(self, info: Info, *, frames: int = 2, cc: float = 0.0, nss: float = 0.0) -> None:
        super().__init__(info)
        self.frames = frames
        self.output = Fixation(cc, nss)

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build a UVA-Net or an encoder-decoder with one map."""
        return build(spec, self.output.channels, self.frames)

    def metric(self) -> FixationScores:
        """Return empty sums of scores."""
        return FixationScores()

    def target(self, sample: Sample) -> Tensor:
        """The density, float32 (H,W), summing to one where it is known, -1 on padding."""
        density = torch.from_numpy(np.array(sample.annotations[self.annotation].density))
        return _distribution(density, density.clamp(min=0).sum())

    def targets(self, values: Tensor) -> Tensor:
        """Densities, float32 (N,H,W), each summing to one where it is known, -1 on padding."""
        return _distribution(values, values.clamp(min=0).sum(dim=(1, 2), keepdim=True))

    def truth(self, sample: Sample) -> Looks:
        """Density and points of a frame, with the name of its clip."""
        looked: Fixations = sample.annotations[self.annotation]
        return Looks(sample.id.rpartition("/")[0] or sample.id, looked.density, looked.points)

    def field(self, prediction: Prediction, size: tuple[int, int]) -> Tensor:
        """The distribution at the size of the input, resized to ``size`` (bilinear); its scale does not matter."""
        return resize(self.output.probability(prediction)[:, None], size)[:, 0]

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """Where people look on average: a centre prior."""
        looked = (np.clip(sample.annotations[self.annotation].density, 0, None) for sample in samples)
        cells = gridded((density.astype(np.float32) for density in looked), smooth=True)
        shares = cells / cells.sum(axis=(1, 2), keepdims=True).clip(min=np.finfo(np.float32).tiny)
        return {"centre prior": by_position(shares.mean(axis=0))}

    def picture(self, decoded: np.ndarray | Looks, image: np.ndarray) -> np.ndarray:
        """A heat map over the image; of a truth with its points."""
        if isinstance(decoded, Looks):
            return draw_fixations(image, decoded.density, decoded.points)
        return draw_fixations(image, decoded)


def _distribution(density: Tensor, total: Tensor) -> Tensor:
    """Divide what is known of a density by its total."""
    return torch.where(density > 0, density / total.clamp(min=1e-12), density)
