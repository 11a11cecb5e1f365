"""Object detection: boxes with categories and scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.boxes import BoxBatch, Boxes, draw_boxes
from tasks.base import Info, Margin, NetworkSpec, Prediction, Sample, Task, tasks
from tasks.metrics.detection import BoxPrecision, Detections
from tasks.nested import mapped
from tasks.networks import fcos, presets
from tasks.outputs.boxes import ABSENT, BoxTarget, stack
from tasks.outputs.detection import Detection
from tasks.trivial import Trivial

LOWEST = 0.05  # score of a detection that is still reported
MOST = 100  # detections an image, as COCO counts at most
SHOWN = 0.3  # score of a detection that is drawn
CROWDED = 10  # detections that a picture has room for


@tasks.register("det")
class ObjectDetection(Task):
    """Boxes with categories and scores, scored by COCO's average precision.

    Args:
        info: categories of the dataset and their ids in its file.
        strides: of the pyramid levels, the same for every network of a run.
        pseudo_score: a teacher's detection counts as an object from this score on.
        nms: overlap from which the weaker of two detections of one category is dropped.
    """

    title = "object detection"
    annotation = "boxes"
    metrics = dict.fromkeys(
        (
            *("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"),
            *("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large", "voc07", "voc10"),
        ),
        True,
    )
    student = NetworkSpec(
        decoder=fcos.NAME,
        encoder_options=presets.STUDENT_ENCODER,
        decoder_options={"channels": 32, "convs": 1},
    )
    teachers = {
        "deep": NetworkSpec(
            decoder=fcos.NAME,
            encoder_options=presets.DEEP_ENCODER,
            decoder_options={"channels": 64, "convs": 2},
        ),
        "wide": NetworkSpec(
            decoder=fcos.NAME,
            encoder_options=presets.WIDE_ENCODER,
            decoder_options={"channels": 64, "convs": 2},
        ),
    }
    recipe = {"steps": 200, "batch": 8}
    teacher_recipe = {"steps": 800}
    margin = Margin(0.03)

    output: Detection

    def __init__(
        self, info: Info, *, strides: Sequence[int] = (4, 8, 16), pseudo_score: float = 0.5, nms: float = 0.6
    ) -> None:
        super().__init__(info)
        self.output = Detection(len(info.categories), strides, pseudo_score, nms)

    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build an FCOS detector."""
        return fcos.build(spec, self.output.classes, self.output.strides, self.info.category_ids)

    def metric(self) -> BoxPrecision:
        """Return an empty collection of detections."""
        return BoxPrecision(self.info.categories, self.info.category_ids)

    def target(self, sample: Sample) -> BoxTarget:
        """The boxes that are not difficult, as a batch of one."""
        boxes: Boxes = sample.annotations[self.annotation]
        easy = ~boxes.difficult
        return stack([torch.from_numpy(boxes.xyxy[easy]).float()], [torch.from_numpy(boxes.labels[easy])])

    def collate(self, targets: Sequence[BoxTarget]) -> BoxTarget:
        """Join targets, padded to the image with the most boxes."""
        return stack([target.xyxy[0] for target in targets], [target.labels[0] for target in targets])

    def targets(self, values: BoxBatch) -> BoxTarget:
        """The boxes that are not difficult; the others leave rows without a box."""
        labels = values.labels.where(values.present & ~values.difficult, ABSENT)
        return BoxTarget(values.xyxy, labels, torch.ones_like(labels, dtype=torch.float32))

    def decode(self, prediction: Prediction, index: int, size: tuple[int, int]) -> Detections:
        """The best detections in pixels of ``size``; resizing is undone in float64."""
        found = self.output.detect(prediction.select(slice(index, index + 1)), LOWEST)
        ratio = np.array([size[1] / prediction.size[1], size[0] / prediction.size[0]] * 2)
        xyxy = np.clip(found.xyxy[:MOST].cpu().double().numpy() * ratio, 0, [size[1], size[0]] * 2)
        return Detections(xyxy, found.labels[:MOST].cpu().numpy(), found.scores[:MOST].cpu().double().numpy())

    def decode_batch(self, prediction: Prediction, sizes: Sequence[tuple[int, int]]) -> list[Detections]:
        """Decode every image on the CPU: how many boxes are left is known there without waiting for each image."""
        return super().decode_batch(mapped(prediction, Tensor.cpu), sizes)

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """The mean box of each category wherever it is, as sure as images have one, in shares of the image."""
        found: dict[int, list[np.ndarray]] = defaultdict(list)
        images = 0
        for sample in samples:
            boxes: Boxes = sample.annotations[self.annotation]
            share = boxes.xyxy / np.array([sample.image.shape[1], sample.image.shape[0]] * 2)
            images += 1
            for label, box in zip(boxes.labels.tolist(), share, strict=True):
                found[label].append(box)
        labels = np.array(sorted(found), dtype=np.int64)
        means = np.array([np.mean(found[label], axis=0) for label in labels.tolist()], dtype=np.float64).reshape(-1, 4)
        scores = np.array([min(1.0, len(found[label]) / images) for label in labels.tolist()], dtype=np.float64)
        return {"mean box a category": lambda size: Detections(means * ([size[1], size[0]] * 2), labels, scores)}

    def picture(self, decoded: Detections | Boxes, image: np.ndarray) -> np.ndarray:
        """The image with its boxes; of a prediction the ten best that score at least 0.3, with their scores."""
        if isinstance(decoded, Boxes):
            return draw_boxes(image, decoded, self.info.categories)
        shown = np.flatnonzero(decoded.scores >= SHOWN)[:CROWDED]  # the best come first
        boxes = Boxes(decoded.xyxy[shown], decoded.labels[shown], np.zeros(len(shown), dtype=bool))
        return draw_boxes(image, boxes, self.info.categories, decoded.scores[shown])
