"""Augmentation through albumentations, which only this file knows; random numbers come from keyed generators."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import albumentations as A
import cv2
import numpy as np

from tasks.base import IGNORE, MAPS, Boxes, Sample

cv2.setNumThreads(0)  # one sample is small; threads belong to the network

MIN_VISIBILITY = 0.25  # a box that keeps less of its area after cropping is dropped


class Augment:
    """Random scale, crop, flip and colour; the same parameters for an image and all its annotations.

    Args:
        crop: (H,W) of the result; smaller images are padded, which ``inside`` marks.
        scale: range of the random zoom.
        flip: probability of a horizontal flip.
        jitter: strength of brightness, contrast and saturation changes, 0 for none.
    """

    def __init__(self, crop: Sequence[int], scale: Sequence[float], flip: float, jitter: float) -> None:
        height, width = crop
        steps: list[Any] = []
        if (scale[0], scale[1]) != (1.0, 1.0):
            steps.append(A.RandomScale(scale_limit=(scale[0] - 1, scale[1] - 1), p=1.0))
        steps.append(A.PadIfNeeded(height, width, border_mode=cv2.BORDER_CONSTANT, fill=0, fill_mask=0))
        steps.append(A.RandomCrop(height, width))
        steps.append(A.HorizontalFlip(p=flip))
        if jitter > 0:
            steps.append(A.ColorJitter((1 - jitter, 1 + jitter), (1 - jitter, 1 + jitter), (1 - jitter, 1 + jitter), 0))
        self._compose = A.Compose(
            steps,
            bbox_params=A.BboxParams(
                "pascal_voc", label_fields=["box_index"], min_visibility=MIN_VISIBILITY, filter_invalid_bboxes=True
            ),
            keypoint_params=A.KeypointParams("xy", remove_invisible=True),
            additional_targets={"inside": "mask", **dict.fromkeys(MAPS, "mask")},
            is_check_shapes=False,
        )

    def __call__(self, sample: Sample, generator: np.random.Generator) -> tuple[Sample, np.ndarray]:
        """Augment one sample.

        Args:
            sample: image and annotations of one size.
            generator: the only source of random numbers.

        Returns:
            the sample, and ``inside`` bool (H,W): False on padding.
        """
        self._compose.set_random_state(generator, random.Random(int(generator.integers(2**63))))
        annotations = sample.annotations
        found = self._compose(
            image=sample.image,
            inside=np.ones(sample.image.shape[:2], np.uint8),
            **{kind: annotations[kind] for kind in MAPS if kind in annotations},
            **_boxes_in(annotations.get("boxes")),
            keypoints=annotations.get("points", np.zeros((0, 2), np.float32)),
        )
        inside = found["inside"].astype(bool)
        augmented = {kind: found[kind] for kind in MAPS if kind in annotations}
        for kind in ("classes", "mask"):
            if kind in augmented:
                augmented[kind] = np.where(inside, augmented[kind], IGNORE).astype(np.uint8)
        if "boxes" in annotations:
            augmented["boxes"] = _boxes_out(annotations["boxes"], found)
        if "points" in annotations:
            augmented["points"] = np.asarray(found["keypoints"], np.float32).reshape(-1, 2)
        return Sample(sample.id, found["image"], augmented), inside


def _boxes_in(boxes: Boxes | None) -> dict[str, Any]:
    xyxy = np.zeros((0, 4)) if boxes is None else boxes.xyxy
    return {"bboxes": xyxy, "box_index": np.arange(len(xyxy))}


def _boxes_out(boxes: Boxes, found: dict[str, Any]) -> Boxes:
    kept = np.asarray(found["box_index"], np.int64).reshape(-1)
    xyxy = np.asarray(found["bboxes"], np.float64).reshape(-1, 4)
    return Boxes(xyxy, boxes.labels[kept], boxes.difficult[kept])
