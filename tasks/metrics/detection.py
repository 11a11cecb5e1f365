"""Average precision of boxes: the COCO family by pycocotools, and Pascal VOC's two definitions."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tasks.base import Boxes, Metric
from tasks.metrics.per_image import mean_of_defined

COCO_NAMES = (
    *("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"),
    *("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large"),
)


@dataclass
class Detections:
    """What a detector found in one image: ``xyxy`` float64 (K,4) in pixels, ``labels`` int64 (K,), ``scores`` (K,).

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import Detections
        >>> found = Detections(np.array([[0.0, 0.0, 8.0, 8.0]]), np.array([0]), np.array([0.9]))
        >>> len(found.scores)
        1
    """

    xyxy: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


def _xywh(xyxy: np.ndarray) -> np.ndarray:
    return np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)


class BoxPrecision(Metric):
    """COCO's twelve numbers, and VOC mAP at IoU 0.5 by 11 points (``voc07``) and by area (``voc10``).

    COCO (Lin et al., ECCV 2014) is scored over all images, those without a box too, with at most 1, 10 and 100
    detections an image; areas are width times height, since a mask's area is not known here. A difficult box is a
    crowd for COCO and neither a hit nor a miss for VOC (Everingham et al., IJCV 2010). Boxes are half-open, so that
    plain widths equal the devkit's ``max - min + 1`` on its 1-based inclusive corners. Scores keep full precision; ties
    go to what was fed first.

    Args:
        categories: names in the order of the labels.
        category_ids: the ids that the dataset's own file uses, in the same order; 1, 2, ... by default.

    Examples:
        >>> import numpy as np
        >>> from tasks.base import Boxes
        >>> from tasks.metrics.detection import BoxPrecision, Detections
        >>> box, label = np.array([[0.0, 0.0, 40.0, 40.0]]), np.array([0])
        >>> precision = BoxPrecision(["car"])
        >>> precision.update(Detections(box, label, np.array([0.9])), Boxes(box, label, np.array([False])))
        >>> round(precision.compute()["ap"], 3)
        1.0
    """

    def __init__(self, categories: Sequence[str], category_ids: Sequence[int] = ()) -> None:
        self.categories = tuple(categories)
        self.category_ids = tuple(category_ids) or tuple(range(1, len(self.categories) + 1))
        self.images: list[tuple[Detections, Boxes]] = []

    def update(self, prediction: Detections, truth: Boxes) -> None:
        """Add one image; boxes of both in pixels of the image."""
        self.images.append((prediction, truth))

    def merge(self, other: Self) -> None:
        """Add the images of another metric."""
        self.images.extend(other.images)

    def ground_truth(self) -> dict[str, Any]:
        """Return the truth as a COCO annotation file holds it; annotation ids start at 1, as 0 means "no match"."""
        annotations: list[dict[str, Any]] = []
        for image, (_, truth) in enumerate(self.images, start=1):
            for box, label, difficult in zip(_xywh(truth.xyxy), truth.labels, truth.difficult, strict=True):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": self.category_ids[label],
                        "bbox": box.tolist(),
                        "area": float(box[2] * box[3]),
                        "iscrowd": int(difficult),
                    }
                )
        return {
            "images": [{"id": image} for image in range(1, len(self.images) + 1)],
            "annotations": annotations,
            "categories": [{"id": i, "name": name} for i, name in zip(self.category_ids, self.categories, strict=True)],
        }

    def results(self) -> np.ndarray:
        """Return all detections as rows of image id, x, y, width, height, score, category id."""
        ids = np.asarray(self.category_ids, dtype=np.float64)
        rows = [np.zeros((0, 7))]
        for image, (detections, _) in enumerate(self.images, start=1):
            number = np.full((len(detections.scores), 1), image)
            columns = (number, _xywh(detections.xyxy), detections.scores[:, None], ids[detections.labels][:, None])
            rows.append(np.concatenate(columns, axis=1))
        return np.concatenate(rows)

    def leave_one_out(self, parts: Sequence[Self], name: str) -> list[float]:
        """Return a score without each image in turn; COCO's AP from one matching of all images.

        Boxes are matched within their image, so that leaving an image out takes its detections and truths away and
        changes no other match.
        """
        if name != "ap" or not any(len(truth.labels) for part in parts for _, truth in part.images):
            return super().leave_one_out(parts, name)
        whole = BoxPrecision(self.categories, self.category_ids)
        for part in parts:
            whole.merge(part)
        owner = np.repeat(np.arange(len(parts)), [len(part.images) for part in parts])
        matches = whole._matches()
        return [mean_of_defined(_average_precision(matches, owner, image)) for image in range(len(parts))]

    def _matches(self) -> list[_Matches]:
        """Match all detections with the truths, a category at a time, over boxes of all sizes, 100 an image."""
        evaluation = self._evaluate()
        images, areas = len(self.images), len(evaluation.params.areaRng)
        matches = []
        for category in range(len(self.categories)):
            first = category * areas * images  # all sizes come first
            cells = evaluation.evalImgs[first : first + images]
            filled = [(number, cell) for number, cell in enumerate(cells) if cell is not None]
            positives = np.zeros(images, dtype=np.int64)
            for number, cell in filled:
                positives[number] = int((np.asarray(cell["gtIgnore"]) == 0).sum())
            scores = np.concatenate([np.asarray(cell["dtScores"]) for _, cell in filled] or [np.zeros(0)])
            order = np.argsort(-scores, kind="mergesort")  # as pycocotools sorts
            owner = np.repeat([number for number, _ in filled], [len(cell["dtScores"]) for _, cell in filled])
            none = np.zeros((len(evaluation.params.iouThrs), 0), dtype=bool)
            hit, left_out = (
                np.concatenate([none, *(np.asarray(cell[key]).astype(bool) for _, cell in filled)], axis=1)[:, order]
                for key in ("dtMatches", "dtIgnore")
            )
            matches.append(_Matches(owner[order].astype(np.int64), hit & ~left_out, ~hit & ~left_out, positives))
        return matches

    def _evaluate(self) -> Any:
        """Run pycocotools on what is there; return its COCOeval."""
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports on stdout and has no switch for it
            truth = COCO()
            truth.dataset = self.ground_truth()
            truth.createIndex()
            rows = self.results()
            results = truth.loadRes(rows) if len(rows) else COCO()  # loadRes cannot read an empty list
            evaluation = COCOeval(truth, results, "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return evaluation

    def compute(self) -> dict[str, float]:
        """Return COCO's twelve numbers, ``voc07`` and ``voc10``; NaN where no ground truth defines one."""
        undefined = dict.fromkeys((*COCO_NAMES, "voc07", "voc10"), math.nan)
        if not any(len(truth.labels) for _, truth in self.images):
            return undefined
        scores = dict(zip(COCO_NAMES, self._evaluate().stats.tolist(), strict=True))
        curves = [self._voc_curve(label) for label in range(len(self.categories))]
        scores["voc07"] = mean_of_defined(np.array([eleven_points(*curve) for curve in curves]))
        scores["voc10"] = mean_of_defined(np.array([area_under(*curve) for curve in curves]))
        return {name: math.nan if value == -1 else value for name, value in scores.items()}

    def per_class(self) -> dict[str, float]:
        """Return COCO's AP a category, NaN for one without ground truth."""
        if not any(len(truth.labels) for _, truth in self.images):
            return dict.fromkeys(self.categories, math.nan)
        precision = self._evaluate().eval["precision"][:, :, :, 0, 2]  # IoU, recall, category; all areas, 100 boxes
        means = [float(precision[:, :, k].mean()) for k in np.argsort(np.argsort(self.category_ids))]
        return {name: math.nan if mean == -1 else mean for name, mean in zip(self.categories, means, strict=True)}

    def _voc_curve(self, label: int, threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
        """Return recall and precision after each detection of one category; recall is empty without ground truth."""
        scores, hits, misses, positives = [], [], [], 0
        for detections, truth in self.images:
            wanted, easy = truth.labels == label, ~truth.difficult[truth.labels == label]
            chosen = detections.labels == label
            hit, miss = match(detections.xyxy[chosen], detections.scores[chosen], truth.xyxy[wanted], ~easy, threshold)
            scores.append(detections.scores[chosen])
            hits.append(hit)
            misses.append(miss)
            positives += int(easy.sum())
        if positives == 0:
            return np.full(0, np.nan), np.zeros(0)
        order = np.argsort(-np.concatenate(scores), kind="stable")
        true, false = np.cumsum(np.concatenate(hits)[order]), np.cumsum(np.concatenate(misses)[order])
        # A first detection that is difficult counts nowhere: 0/0 is precision 0, at recall 0.
        return np.append(0.0, true / positives), np.append(0.0, true / np.maximum(true + false, 1))


@dataclass(frozen=True)
class _Matches:
    """Detections of one category, best score first: image (K,), hit and miss (IoU, K), and true boxes an image."""

    image: np.ndarray
    hit: np.ndarray
    miss: np.ndarray
    positives: np.ndarray


def _average_precision(matches: Sequence[_Matches], owner: np.ndarray, left_out: int) -> np.ndarray:
    """COCO's AP of each category without the images of one owner: 101 recalls, ten IoUs; NaN without a true box."""
    recalls = np.linspace(0.0, 1.0, 101)
    precisions = []
    for category in matches:
        positives = int(category.positives[owner != left_out].sum())
        kept = owner[category.image] != left_out
        hits, misses = category.hit[:, kept].cumsum(axis=1), category.miss[:, kept].cumsum(axis=1)
        if positives == 0:
            precisions.append(math.nan)
            continue
        precision = hits / np.maximum(hits + misses, 1)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        padded = np.concatenate([best, np.zeros((len(best), 1))], axis=1)  # what is never recalled has precision 0
        reached = [np.searchsorted(recall, recalls, side="left") for recall in hits / positives]
        precisions.append(float(np.mean([line[at] for line, at in zip(padded, reached, strict=True)])))
    return np.array(precisions)


def match(
    boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray, difficult: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Decide which detections of one image and category are hits and which are misses, as the VOC devkit does.

    Each detection, best score first, is held against the box that it overlaps most, taken or not; a second hit on the
    same box is a miss, one on a difficult box is neither.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import match
        >>> boxes = np.array([[0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 8.0, 7.0]])  # both on one object: the second is a miss
        >>> hit, miss = match(boxes, np.array([0.9, 0.8]), boxes[:1], np.array([False]), 0.5)
        >>> hit.tolist(), miss.tolist()
        ([True, False], [False, True])
    """
    hit, miss = np.zeros(len(boxes), dtype=bool), np.zeros(len(boxes), dtype=bool)
    taken = np.zeros(len(truth), dtype=bool)
    for i in np.argsort(-scores, kind="stable"):
        overlap = iou(boxes[i], truth)
        best = int(overlap.argmax()) if len(truth) else -1
        if best < 0 or overlap[best] < threshold:
            miss[i] = True
        elif not difficult[best]:
            hit[i], miss[i] = not taken[best], taken[best]
            taken[best] = True
    return hit, miss


def iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with others (K,4), corners x0, y0, x1, y1; 0 where both are empty.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import iou
        >>> iou(np.array([0.0, 0.0, 2.0, 2.0]), np.array([[0.0, 0.0, 2.0, 1.0]])).tolist()
        [0.5]
    """
    sides = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    intersection = sides[:, 0] * sides[:, 1]
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def eleven_points(recall: np.ndarray, precision: np.ndarray) -> float:
    """VOC 2007: the mean over recalls 0, 0.1, ... 1 of the best precision from there on; NaN where undefined.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import eleven_points
        >>> round(eleven_points(np.array([0.45, 1.0]), np.array([1.0, 0.5])), 3)
        0.727
    """
    if recall.size == 0:
        return math.nan
    return float(np.mean([precision[recall >= level].max(initial=0.0) for level in np.arange(0.0, 1.1, 0.1)]))


def area_under(recall: np.ndarray, precision: np.ndarray) -> float:
    """VOC 2010 and later: the area under precision made non-increasing in recall; NaN where undefined.

    Examples:
        >>> import numpy as np
        >>> from tasks.metrics.detection import area_under
        >>> area_under(np.array([0.0, 0.5, 1.0]), np.array([1.0, 1.0, 0.5]))
        0.75
    """
    if recall.size == 0:
        return math.nan
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * envelope[1:]))
