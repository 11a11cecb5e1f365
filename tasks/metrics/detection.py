"""Average precision of boxes: the COCO family by pycocotools; Pascal VOC's has a file of its own."""

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
from tasks.metrics.voc import area_under as area_under
from tasks.metrics.voc import eleven_points as eleven_points
from tasks.metrics.voc import iou as iou
from tasks.metrics.voc import match as match

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
