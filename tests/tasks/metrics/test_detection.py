import contextlib
import io
import math

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.base import Boxes
from tasks.metrics.detection import COCO_NAMES, BoxPrecision, Detections

IDS = (7, 3, 90)  # contiguous labels 0, 1, 2; deliberately unordered and with gaps
NAMES = ("cat", "dog", "toothbrush")
FIRST_PIXEL = np.array([1.0, 1.0, 0.0, 0.0])  # from half-open corners to the devkit's


def boxes(xyxy=(), labels=(), difficult=None):
    labels = np.asarray(labels, dtype=np.int64)
    hard = np.zeros(len(labels), bool) if difficult is None else np.asarray(difficult, bool)
    return Boxes(np.asarray(xyxy, dtype=np.float64).reshape(-1, 4), labels, hard)


def detections(xyxy=(), labels=(), scores=()):
    return Detections(
        np.asarray(xyxy, dtype=np.float64).reshape(-1, 4),
        np.asarray(labels, dtype=np.int64),
        np.asarray(scores, dtype=np.float64),
    )


def random_images(seed, images=12, difficult=0.0):
    """Boxes on a 200 px image; detections are jittered copies with a few misses and false alarms."""
    draw = np.random.default_rng(seed)
    pairs = []
    for _ in range(images):
        k = draw.integers(0, 5)
        corner, side = draw.uniform(0, 150, (k, 2)), draw.uniform(5, 110, (k, 2))
        truth = boxes(np.hstack([corner, corner + side]), draw.integers(0, 3, k), draw.random(k) < difficult)
        kept = draw.random(k) < 0.9
        noise = truth.xyxy[kept] + draw.normal(0, 4, (kept.sum(), 4))
        false = draw.integers(0, 4)
        start = draw.uniform(0, 150, (false, 2))
        extra = np.hstack([start, start + draw.uniform(5, 80, (false, 2))])
        labels = np.concatenate([truth.labels[kept], draw.integers(0, 3, false)])
        pairs.append((detections(np.vstack([noise, extra]), labels, draw.random(len(labels))), truth))
    return pairs


def fed(pairs, ids=IDS):
    metric = BoxPrecision(NAMES, ids)
    for pair in pairs:
        metric.update(*pair)
    return metric


def reference(pairs, first_id=1, only_found=False):
    """The COCO API used plainly, as its documentation does."""
    annotations, results = [], []
    for image, (found, truth) in enumerate(pairs):
        for (x0, y0, x1, y1), label, hard in zip(truth.xyxy, truth.labels, truth.difficult, strict=True):
            box = [x0, y0, x1 - x0, y1 - y0]
            base = {"image_id": image, "category_id": IDS[label], "bbox": box, "area": box[2] * box[3]}
            annotations.append({**base, "iscrowd": int(hard), "id": first_id + len(annotations)})
        for (x0, y0, x1, y1), label, score in zip(found.xyxy, found.labels, found.scores, strict=True):
            box = [x0, y0, x1 - x0, y1 - y0]
            results.append({"image_id": image, "category_id": IDS[label], "bbox": box, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": i} for i in range(len(pairs))],
            "annotations": annotations,
            "categories": [{"id": i} for i in IDS],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        if only_found:
            evaluation.params.imgIds = sorted({each["image_id"] for each in results})
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize(("seed", "difficult"), [(0, 0.0), (1, 0.0), (2, 0.3)])
def test_equals_pycocotools(seed, difficult):
    pairs = random_images(seed, difficult=difficult)
    expected = reference(pairs)
    scores = fed(pairs).compute()
    assert [scores[name] for name in COCO_NAMES] == pytest.approx(expected.stats.tolist(), abs=1e-12)
    by_class = expected.eval["precision"][:, :, :, 0, 2].mean(axis=(0, 1))  # in the order of sorted ids: 3, 7, 90
    assert fed(pairs).per_class() == pytest.approx(dict(zip(("dog", "cat", "toothbrush"), by_class, strict=True)))


def test_says_nothing_on_stdout(capsys):
    fed(random_images(0)).compute()
    assert capsys.readouterr().out == ""


def test_annotation_ids_start_at_one_because_zero_means_unmatched():
    pairs = random_images(0)
    assert min(each["id"] for each in fed(pairs).ground_truth()["annotations"]) == 1
    assert reference(pairs, first_id=0).stats[0] < fed(pairs).compute()["ap"]


def test_ids_of_the_file_are_kept():
    metric = fed([(detections([[0, 0, 5, 5]], [2], [0.123456789012345]), boxes([[0, 0, 5, 5]], [0]))])
    assert metric.ground_truth()["annotations"][0]["category_id"] == 7
    assert metric.ground_truth()["annotations"][0]["area"] == 25
    np.testing.assert_array_equal(metric.results(), [[1, 0, 0, 5, 5, 0.123456789012345, 90]])


def test_all_images_are_scored_those_without_detections_too():
    pairs = [
        (detections([[0, 0, 10, 10]], [0], [0.9]), boxes([[0, 0, 10, 10]], [0])),
        (detections(), boxes([[0, 0, 10, 10]], [0])),
    ]
    # Half of the boxes found: precision 1 up to recall 0.5, that is 51 of 101 points.
    assert fed(pairs).compute()["ap"] == pytest.approx(51 / 101)
    assert reference(pairs, only_found=True).stats[0] == pytest.approx(1.0)


def test_false_alarm_on_an_image_without_boxes_costs():
    found = detections([[0, 0, 10, 10]], [0], [0.5])
    pairs = [(found, boxes([[0, 0, 10, 10]], [0])), (detections([[0, 0, 9, 9]], [0], [0.9]), boxes())]
    assert fed(pairs).compute()["ap"] == pytest.approx(0.5)
    assert fed(pairs).compute()["voc10"] == pytest.approx(0.5)


def test_edge_inputs():
    nothing = fed([])
    assert all(math.isnan(value) for value in nothing.compute().values())
    no_truth = fed([(detections([[0, 0, 1, 1]], [0], [1.0]), boxes())])
    assert all(math.isnan(value) for value in no_truth.compute().values())
    assert all(math.isnan(value) for value in no_truth.per_class().values())
    no_detection = fed([(detections(), boxes([[0, 0, 40, 40]], [1]))])
    scores = no_detection.compute()
    assert scores["ap"] == scores["ap50"] == scores["ar100"] == scores["voc07"] == scores["voc10"] == 0.0
    assert math.isnan(scores["ap_small"])
    assert math.isnan(no_detection.per_class()["cat"])
    assert no_detection.per_class()["dog"] == 0.0
    empty_box = fed([(detections([[3, 3, 3, 3]], [0], [1.0]), boxes([[3, 3, 3, 3], [0, 0, 40, 40]], [0, 0]))])
    assert all(math.isnan(value) or 0 <= value <= 1 for value in empty_box.compute().values())


def test_perfect_detections():
    truth = boxes([[0, 0, 20, 20], [30, 30, 80, 80]], [0, 1])
    scores = fed([(detections(truth.xyxy, truth.labels, [0.5, 0.6]), truth)]).compute()
    assert [scores[name] for name in ("ap", "ap50", "voc07", "voc10")] == pytest.approx([1.0] * 4)


def test_only_difficult_boxes_leave_voc_undefined():
    truth = boxes([[0, 0, 20, 20]], [0], [True])
    scores = fed([(detections(truth.xyxy, truth.labels, [0.5]), truth)]).compute()
    assert math.isnan(scores["voc07"])
    assert math.isnan(scores["voc10"])


def devkit(pairs, label, eleven):
    """Pascal VOC's evaluation on its own 1-based, inclusive corners, written out as its description says."""
    ranked, positives = [], 0
    for image, (found, truth) in enumerate(pairs):
        positives += sum(1 for x, hard in zip(truth.labels, truth.difficult, strict=True) if x == label and not hard)
        for box, x, score in zip(found.xyxy, found.labels, found.scores, strict=True):
            if x == label:
                ranked.append((-score, image, box + FIRST_PIXEL))
    ranked.sort(key=lambda each: each[0])
    seen, tp, fp = set(), [0], [0]
    for _, image, box in ranked:
        truth = pairs[image][1]
        best, which = -math.inf, None
        for i, other in enumerate(truth.xyxy + FIRST_PIXEL):
            width = min(box[2], other[2]) - max(box[0], other[0]) + 1
            height = min(box[3], other[3]) - max(box[1], other[1]) + 1
            if truth.labels[i] == label and width > 0 and height > 0:
                areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, other)]
                overlap = width * height / (sum(areas) - width * height)
                if overlap > best:
                    best, which = overlap, i
        hit = miss = 0
        if best >= 0.5:
            if not truth.difficult[which]:
                hit, miss = (0, 1) if (image, which) in seen else (1, 0)
                seen.add((image, which))
        else:
            miss = 1
        tp.append(tp[-1] + hit)
        fp.append(fp[-1] + miss)
    recall = [t / positives for t in tp[1:]]
    precision = [t / max(t + f, 1e-300) for t, f in zip(tp[1:], fp[1:], strict=True)]
    if eleven:
        levels = np.arange(0, 1.1, 0.1)
        return sum(max([p for p, r in zip(precision, recall, strict=True) if r >= t], default=0) for t in levels) / 11
    recall, precision = [0, *recall, 1], [0, *precision, 0]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))


@pytest.mark.parametrize("seed", range(4))
def test_voc_equals_its_devkit(seed):
    pairs = random_images(seed, images=20, difficult=0.25)
    scores = fed(pairs).compute()
    assert scores["voc07"] == pytest.approx(np.mean([devkit(pairs, k, True) for k in range(3)]), abs=1e-12)
    assert scores["voc10"] == pytest.approx(np.mean([devkit(pairs, k, False) for k in range(3)]), abs=1e-12)
    assert scores["voc10"] != pytest.approx(scores["ap50"], abs=1e-6)  # another definition, another name


def test_voc_gives_a_second_detection_of_a_box_to_nobody_else():
    # Both detections overlap the first box most; VOC counts a miss, COCO re-matches to the free second box.
    truth = boxes([[0, 0, 10, 10], [0, 0, 10, 16]], [0, 0])
    found = detections([[0, 0, 10, 10], [0, 0, 10, 10.4]], [0, 0], [0.9, 0.8])
    scores = fed([(found, truth)]).compute()
    assert scores["voc10"] == pytest.approx(0.5)
    assert scores["ap50"] == pytest.approx(1.0)


def test_merging_and_order():
    pairs = random_images(5)
    first, second = fed(pairs[:5]), fed(pairs[5:])
    second.merge(first)
    assert second.compute() == pytest.approx(fed(pairs).compute(), abs=1e-12, nan_ok=True)
