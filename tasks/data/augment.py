"""Augmentation through albumentations, which only this file knows; random numbers come from keyed generators."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import albumentations as A
import cv2
import numpy as np

from tasks.annotations.kind import Geometry, Moved, kind_of
from tasks.annotations.points import inside
from tasks.base import Sample
from tasks.data.change import BRIGHTNESS, CONTRAST, HUE, MIN_VISIBILITY, SATURATION, Change
from tasks.data.clips import frames

cv2.setNumThreads(0)  # one sample is small; threads belong to the network

RECOLOURED = 0.5  # share of the samples whose colours change


class _Scale(A.RandomScale):
    """Moves points with the pixels: by the ratio of the sizes, which are whole, instead of the factor drawn."""

    def apply_to_keypoints(self, keypoints: np.ndarray, scale: float, **params: Any) -> np.ndarray:
        height, width = params["shape"][:2]
        size = int(height * scale), int(width * scale)
        moved = keypoints.copy()
        moved[:, :2] = inside(keypoints[:, :2] * np.array([size[1] / width, size[0] / height], np.float32), size)
        return moved


class _Flip(A.HorizontalFlip):
    """Mirrors points as it does boxes: coordinates run from 0 to W, so that x becomes W - x."""

    def apply_to_keypoints(self, keypoints: np.ndarray, **params: Any) -> np.ndarray:
        height, width = params["shape"][:2]
        moved = keypoints.copy()
        moved[:, 0] = width - keypoints[:, 0]
        moved[:, :2] = inside(moved[:, :2], (height, width))
        return moved


class _CropShare(A.RandomCrop):
    """Cuts a window out whose sides are one random share of the image's."""

    def __init__(self, share: Sequence[float]) -> None:
        super().__init__(1, 1)
        self.share = share[0], share[1]

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        share = self.py_random.uniform(*self.share)
        sides = params["shape"][:2]
        tall, wide = (max(1, int(side * share)) for side in sides)
        top, left = self.py_random.randint(0, sides[0] - tall), self.py_random.randint(0, sides[1] - wide)
        return {"crop_coords": (left, top, left + wide, top + tall), "pad_params": None}


class Augment:
    """Random scale, crop, flip and colour; the same parameters for an image and all its annotations.

    Args:
        crop: (H,W) of the result; smaller images are padded, which ``inside`` marks.
        scale: range of the random zoom.
        flip: probability of a horizontal flip.
        jitter: strength of brightness, contrast and saturation changes, 0 for none.
        share: instead of ``crop``, the range of a random share of both sides, drawn for each image.
    """

    def __init__(
        self,
        crop: Sequence[int],
        scale: Sequence[float],
        flip: float,
        jitter: float,
        share: Sequence[float] | None = None,
    ) -> None:
        height, width = crop
        self.crop, self.scale, self.flip, self.jitter = (height, width), (scale[0], scale[1]), flip, jitter
        steps: list[Any] = []
        if (scale[0], scale[1]) != (1.0, 1.0):
            steps.append(_Scale(scale_limit=(scale[0] - 1, scale[1] - 1), p=1.0))
        if share is None:
            steps.append(A.PadIfNeeded(height, width, border_mode=cv2.BORDER_CONSTANT, fill=0, fill_mask=0))
            steps.append(A.RandomCrop(height, width))
        else:
            steps.append(_CropShare(share))
        steps.append(_Flip(p=flip))
        if jitter > 0:
            limits = (1 - jitter, 1 + jitter)
            steps.append(_ColorJitter(limits, limits, limits, 0, p=RECOLOURED))
        self._compose = A.Compose(
            steps,
            bbox_params=A.BboxParams(
                "pascal_voc", label_fields=["box_rows"], min_visibility=MIN_VISIBILITY, filter_invalid_bboxes=True
            ),
            keypoint_params=A.KeypointParams("xy", remove_invisible=True),
            additional_targets={"inside": "mask"},
            is_check_shapes=False,
            save_applied_params=True,
        )

    def __call__(self, sample: Sample, generator: np.random.Generator) -> tuple[Sample, np.ndarray]:
        """Augment one sample.

        Args:
            sample: image and annotations of one size.
            generator: the only source of random numbers.

        Returns:
            the sample, and ``inside`` bool (H,W): False on padding.

        Raises InputError for a kind of annotation that is not registered.
        """
        self._compose.set_random_state(generator, _second(generator))
        parts = {name: kind_of(name).geometry(value) for name, value in sample.annotations.items()}
        maps = {f"{name}.{part}": array for name in parts for part, array in parts[name].maps.items()}
        boxes = np.concatenate([np.zeros((0, 4)), *(part.boxes for part in parts.values())])
        points = np.concatenate([np.zeros((0, 2), np.float32), *(part.points for part in parts.values())])
        self._compose.add_targets(dict.fromkeys(maps, "mask"))
        result = self._compose(
            image=sample.image,
            inside=np.ones(sample.image.shape[:2], np.uint8),
            **maps,
            bboxes=boxes,
            box_rows=np.arange(len(boxes)),
            keypoints=np.column_stack([points, np.arange(len(points), dtype=np.float32)]),
        )
        moved = _divide(result, parts)
        augmented = {name: kind_of(name).moved(value, moved[name]) for name, value in sample.annotations.items()}
        return Sample(sample.id, result["image"], augmented), result["inside"].astype(bool)

    def draw(self, size: tuple[int, int], generator: np.random.Generator) -> Change:
        """Draw the change that a sample of ``size`` (H,W) would go through, and make it nowhere.

        The numbers are taken from the generator in the order in which albumentations takes them, which a test holds.
        """
        uniform = _second(generator)
        uniform.random()  # whether to augment at all
        if self.scale != (1.0, 1.0):
            zoom = uniform.uniform(self.scale[0] - 1, self.scale[1] - 1) + 1.0
            size = int(size[0] * zoom), int(size[1] * zoom)
        spare = self.crop[0] - size[0], self.crop[1] - size[1]
        pad = max(0, spare[0]) // 2, max(0, spare[1]) // 2
        start = int((max(0, -spare[0]) + 1) * uniform.random()), int((max(0, -spare[1]) + 1) * uniform.random())
        mirrored = self.flip >= 1 or (self.flip > 0 and uniform.random() < self.flip)
        return Change(size, pad, start, mirrored, self._draw_colours(uniform, generator))

    def _draw_colours(self, uniform: random.Random, generator: np.random.Generator) -> tuple[tuple[int, float], ...]:
        if self.jitter <= 0 or uniform.random() >= RECOLOURED:
            return ()
        factors = [uniform.uniform(1 - self.jitter, 1 + self.jitter) for _ in (BRIGHTNESS, CONTRAST, SATURATION)]
        order = [BRIGHTNESS, CONTRAST, SATURATION, HUE]
        generator.shuffle(order)
        return tuple((kind, factors[kind]) for kind in order if kind != HUE)


def _second(generator: np.random.Generator) -> random.Random:
    """Derive the other kind of generator that albumentations draws from."""
    return random.Random(int(generator.integers(2**63)))


class _ColorJitter(A.ColorJitter):
    """The same change of colour for all frames of a clip (H,W,3T): they lie below one another meanwhile."""

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        height, width, _ = img.shape
        changed: np.ndarray = super().apply(np.concatenate(frames(img)), **params)
        return np.ascontiguousarray(changed.reshape(-1, height, width, 3).transpose(1, 2, 0, 3).reshape(img.shape))


def _divide(result: Mapping[str, Any], parts: Mapping[str, Geometry]) -> dict[str, Moved]:
    """Give each kind its share of what albumentations returned."""
    boxes = np.asarray(result["bboxes"], np.float64).reshape(-1, 4)
    box_rows = np.asarray(result["box_rows"], np.int64).reshape(-1)
    keypoints = np.asarray(result["keypoints"], np.float32).reshape(-1, 3)
    points, point_rows = keypoints[:, :2], keypoints[:, 2].astype(np.int64)
    mirrored = any(name == _Flip.__name__ for name, _ in result["applied_transforms"])
    moved, box, point = {}, 0, 0  # the first rows of a kind
    for name, part in parts.items():
        box_share = (box_rows >= box) & (box_rows < box + len(part.boxes))
        point_share = (point_rows >= point) & (point_rows < point + len(part.points))
        moved[name] = Moved(
            maps={key: result[f"{name}.{key}"] for key in part.maps},
            boxes=boxes[box_share],
            box_rows=box_rows[box_share] - box,
            points=points[point_share],
            point_rows=point_rows[point_share] - point,
            inside=result["inside"].astype(bool),
            mirrored=mirrored,
        )
        box, point = box + len(part.boxes), point + len(part.points)
    return moved
