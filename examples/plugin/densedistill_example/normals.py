"""Surface normals: the direction that every visible surface faces, learnt from metric depth."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from densedistill_example.cosine import Cosine
from tasks.base import Info, NetworkSpec, Prediction, Sample, Task, tasks
from tasks.metrics.per_image import PerImage
from tasks.networks import presets
from tasks.networks.encoder_decoder import build
from tasks.resizing import resize

WITHIN = (11.25, 22.5, 30.0)  # degrees, of the usual shares
JUMP = 0.1  # relative difference of neighbouring depths from which they belong to two surfaces


def normals_of(depth: np.ndarray, focal: float) -> np.ndarray:
    """Compute unit normals (H,W,3), x right, y down, z ahead, towards the camera, from metric depth (H,W).

    Points are back-projected by a pinhole camera of ``focal`` image widths with the principal point at the centre; a
    normal is the cross product of the central differences. Zero at the border, where depth is unknown (0), and
    where it jumps by more than a tenth.
    """
    height, width = depth.shape
    x = ((np.arange(width) + 0.5) / width - 0.5) / focal
    y = ((np.arange(height) + 0.5) - height / 2) / width / focal
    points = np.stack([depth * x[None], depth * y[:, None], depth], axis=-1).astype(np.float64)
    right, down = np.zeros_like(points), np.zeros_like(points)
    right[:, 1:-1] = points[:, 2:] - points[:, :-2]
    down[1:-1] = points[2:] - points[:-2]
    normals = np.cross(down, right)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    known = _smooth(depth)[..., None] & (length > 0)
    return np.where(known, normals / np.where(length > 0, length, 1), 0).astype(np.float32)


def _smooth(depth: np.ndarray) -> np.ndarray:
    """Mark the positions inside the image whose four neighbours are known and on the same surface."""
    smooth = np.zeros(depth.shape, bool)
    centre = depth[1:-1, 1:-1]
    around = np.stack([depth[:-2, 1:-1], depth[2:, 1:-1], depth[1:-1, :-2], depth[1:-1, 2:]])
    smooth[1:-1, 1:-1] = (centre > 0) & ((around > 0) & (np.abs(around - centre) < JUMP * centre)).all(axis=0)
    return smooth


class Angles(PerImage):
    """Mean and median angle in degrees, and the shares of pixels within 11.25, 22.5 and 30 degrees: means over images.

    The five scores of Fouhey, Gupta and Hebert, ICCV 2013, whose mean and median are over all pixels of a split.
    """

    def update(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Add one image: unit vectors (H,W,3), both; pixels where the truth is zero do not count."""
        known = (truth != 0).any(axis=-1)
        if not known.any():
            return
        cosine = (prediction[known].astype(np.float64) * truth[known]).sum(axis=-1)
        angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        self.rows.append(np.array([angles.mean(), np.median(angles), *(np.mean(angles < each) for each in WITHIN)]))

    def compute(self) -> dict[str, float]:
        """Return the scores by name; NaN where no image had a normal."""
        columns = self.columns().reshape(-1, len(Normals.metrics))
        return {name: self.mean(columns[:, index]) for index, name in enumerate(Normals.metrics)}


@tasks.register("normals")
class Normals(Task):
    """The direction that every visible surface faces, scored by the mean angle to the true one.

    The truth is computed from depth, so any dataset with metric depth, full images and a known camera will do.

    Args:
        info: of the dataset.
        focal: focal length in image widths; 0.9 is that of the embedded scenes.
    """

    title = "Surface normals"
    annotation = "depth"
    metrics: ClassVar[dict[str, bool]] = {
        "mean_angle": False,
        "median_angle": False,
        "within_11": True,
        "within_22": True,
        "within_30": True,
    }
    student = presets.STUDENT
    teachers = presets.TEACHERS
    recipe: ClassVar[dict] = {"steps": 200, "batch": 8, "scale": [1.0, 1.0]}  # a zoom would bend the surfaces
    teacher_recipe: ClassVar[dict] = {"steps": 800}

    def __init__(self, info: Info, *, focal: float = 0.9) -> None:
        super().__init__(info)
        self.focal = focal
        self.output = Cosine()

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build an encoder-decoder with three maps."""
        return build(spec, self.output.channels)

    def metric(self) -> Angles:
        """Return empty angles."""
        return Angles()

    def truth(self, sample: Sample) -> np.ndarray:
        """Unit normals (H,W,3), zero where unknown."""
        return normals_of(sample.annotations[self.annotation], self.focal)

    def target(self, sample: Sample) -> Tensor:
        """Unit normals, float32 (3,H,W), zero where unknown."""
        return torch.from_numpy(self.truth(sample).transpose(2, 0, 1).copy())

    def decode(self, prediction: Prediction, index: int, size: tuple[int, int]) -> np.ndarray:
        """Unit vectors (H,W,3) at ``size``."""
        maps = resize(prediction.maps[0][index : index + 1], size)
        return self.output.directions(maps)[0].permute(1, 2, 0).cpu().numpy()

    def picture(self, decoded: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Red is right, green up, blue towards the camera; grey where unknown."""
        return np.round(255 * (decoded * np.array([1, -1, -1]) + 1) / 2).astype(np.uint8)
