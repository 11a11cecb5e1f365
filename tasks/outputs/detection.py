"""Detection maps: class logits, four distances and a centerness at every position of every pyramid level (FCOS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tasks.base import OutputSpace, Prediction
from tasks.outputs.binary import binary_kl
from tasks.outputs.boxes import (
    BoxTarget,
    Locations,
    absent,
    assign,
    centerness,
    covered,
    gathered,
    giou_loss,
    keep,
    locations,
    sides,
    suppressed,
    unite,
)
from tasks.outputs.maps import everywhere, map_size, shrink
from tasks.resizing import resize

FLOOR = 0.05  # teacher's weight below which a position teaches no box
VISIBLE = 0.5  # share of a pasted or covered box that must be left for it to count


class Found(NamedTuple):
    """Detections of a batch: ``xyxy`` (K,4) in pixels of the input, ``labels``, ``scores`` and ``image`` (K,)."""

    xyxy: Tensor
    labels: Tensor
    scores: Tensor
    image: Tensor


class Fields(NamedTuple):
    """All levels side by side.

    ``logits`` (N,P,K); ``xyxy`` (N,P,4), boxes in pixels of the input; ``central`` (N,P), centerness logits; ``points``
    (P,2), ``strides`` (P,) and ``reach`` (P,2) as ``locations`` gives them.
    """

    logits: Tensor
    xyxy: Tensor
    central: Tensor
    points: Tensor
    strides: Tensor
    reach: Tensor


class Detection(OutputSpace):
    """The head of an anchor-free detector (Tian et al., FCOS, ICCV 2019), with torchvision's losses and conventions.

    Each map is (N,K+5,h,w): K class logits, the distances to the left, upper, right and lower side in strides (not
    negative), a centerness logit. A target is a BoxTarget.

    Args:
        classes: number of categories K.
        strides: of the pyramid levels, finest first; the same for every network of a run.
        pseudo_score: a teacher's detection counts as an object from this score on.
        nms: overlap from which the weaker of two detections of one category is dropped.
        candidates: at most this many detections an image go into the suppression.
    """

    blends = False  # both images' boxes

    def __init__(
        self, classes: int, strides: Sequence[int], pseudo_score: float = 0.5, nms: float = 0.6, candidates: int = 1000
    ) -> None:
        self.classes = classes
        self.channels = classes + 5
        self.strides = tuple(strides)
        self.pseudo_score = pseudo_score
        self.nms = nms
        self.candidates = candidates
        self._laid_out: dict[tuple[Any, ...], Locations] = {}

    def _locations(self, sizes: Sequence[tuple[int, int]], device: torch.device) -> Locations:
        """Lay out the positions of a pyramid once for its sizes and device."""
        key = (device, *sizes)
        if key not in self._laid_out:
            self._laid_out[key] = locations(sizes, self.strides, device)
        return self._laid_out[key]

    def fields(self, maps: Sequence[Tensor]) -> Fields:
        """Lay the maps of all levels side by side and turn distances into boxes."""
        if len(maps) != len(self.strides):
            raise ValueError(f"{len(maps)} maps for {len(self.strides)} pyramid levels {self.strides}")
        points, strides, reach = self._locations([map_size(level) for level in maps], maps[0].device)
        joined = torch.cat([level.float().flatten(2) for level in maps], dim=2).transpose(1, 2)
        distances = joined[..., self.classes : -1] * strides[:, None]
        xyxy = torch.cat([points - distances[..., :2], points + distances[..., 2:]], dim=-1)
        return Fields(joined[..., : self.classes], xyxy, joined[..., -1], points, strides, reach)

    def proper(self, raw: Tensor) -> Tensor:
        """Make distances positive by the softplus; logits stay."""
        logits, distances, central = raw.tensor_split([self.classes, self.classes + 4], dim=1)
        return torch.cat([logits, F.softplus(distances), central], dim=1)

    def _inside(self, prediction: Prediction) -> Tensor | None:
        """Positions (N,P) at least half of whose cell is inside the image."""
        if prediction.inside is None:
            return None
        levels = [shrink(prediction.inside, map_size(level)) for level in prediction.maps]
        return torch.cat([level.flatten(1) for level in levels if level is not None], dim=1)

    def supervised(self, maps: Sequence[Tensor], target: BoxTarget) -> Tensor:
        """Focal loss over all positions, GIoU and centerness losses over those of objects; each over their number.

        A position of a box with weight w counts w as object and 1 - w as background.
        """
        from torchvision.ops import sigmoid_focal_loss  # takes seconds, so not at the top

        fields = self.fields(maps)
        index = assign(fields.points, fields.strides, fields.reach, target)
        positive, row = index >= 0, index.clamp(min=0)
        weight = target.weight.gather(1, row).where(positive, 0.0)
        wanted = target.xyxy.gather(1, row[..., None].expand(-1, -1, 4))
        background = sigmoid_focal_loss(fields.logits, torch.zeros_like(fields.logits), reduction="sum")
        labels = target.labels.gather(1, row).clamp(min=0)
        logits = fields.logits.gather(2, labels[..., None])[..., 0]  # of the true class, the only one that differs
        zeros, ones = torch.zeros_like(logits), torch.ones_like(logits)
        gain = sigmoid_focal_loss(logits, ones) - sigmoid_focal_loss(logits, zeros)
        giou = giou_loss(fields.xyxy, wanted)
        middle = centerness(sides(fields.points, wanted)).where(positive, 0.0)
        central = F.binary_cross_entropy_with_logits(fields.central, middle, reduction="none")
        return (background + (weight * (gain + giou + central)).sum()) / weight.sum().clamp(min=1)

    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """Distance of two heads, with w = max_c p_c * centerness of the teacher, dropped below 0.05.

        Class probabilities: ``(1 - w) binary_kl + w binary_kl(tau)`` summed over positions and classes, over
        max(1, sum w). The temperature counts as far as there is an object: softened, the background, which is nearly
        all there is, would be up to tau^2 times as loud, over a divisor that does not know of it. Boxes and centerness:
        1 - GIoU and ``binary_kl(tau)``, averaged with weights w; boxes of the teacher without an area teach nothing.
        """
        student_fields, teacher_fields = self.fields(student.maps), self.fields(teacher.maps)
        inside = self._inside(student)
        weight = teacher_fields.logits.sigmoid().amax(-1) * teacher_fields.central.sigmoid()
        weight = weight.where(weight >= FLOOR, 0.0)
        logits = binary_kl(student_fields.logits, teacher_fields.logits).sum(-1)
        if temperature != 1:
            softened = binary_kl(student_fields.logits, teacher_fields.logits, temperature).sum(-1)
            logits = torch.lerp(logits, softened, weight)
        if inside is not None:
            weight, logits = weight.where(inside, 0.0), logits.where(inside, 0.0)
        area = (teacher_fields.xyxy[..., 2:] - teacher_fields.xyxy[..., :2]).prod(-1)
        chosen = weight.where(area > 0, 0.0)
        giou = giou_loss(student_fields.xyxy, teacher_fields.xyxy)
        central = binary_kl(student_fields.central, teacher_fields.central, temperature)
        boxes = (chosen * (giou + central)).sum() / chosen.sum().clamp(min=FLOOR)
        return logits.sum() / weight.sum().clamp(min=1) + boxes

    @torch.no_grad()
    def detect(self, prediction: Prediction, score: float) -> Found:
        """Find the objects of a batch that score at least ``score``, the best first, after suppression by category.

        The score is ``sqrt(p_c * centerness)``, as torchvision's.
        """
        fields = self.fields(prediction.maps)
        scores = (fields.logits.sigmoid() * fields.central.sigmoid()[..., None]).sqrt()
        inside = self._inside(prediction)
        if inside is not None:
            scores = scores.where(inside[..., None], 0.0)
        limit = min(self.candidates, scores[0].numel())
        best = scores.flatten(1).topk(limit, dim=1)
        image, place = torch.where(best.values >= score)
        position, labels = (best.indices[image, place] // self.classes, best.indices[image, place] % self.classes)
        xyxy, confidence = fields.xyxy[image, position], best.values[image, place]
        height, width = prediction.size
        xyxy = torch.stack(
            [side.clamp(0, most) for side, most in zip(xyxy.unbind(-1), (width, height) * 2, strict=True)], -1
        )
        kept = suppressed(xyxy, confidence, labels, image, self.nms)
        return Found(xyxy[kept], labels[kept], confidence[kept], image[kept])

    def hard_targets(self, teacher: Prediction) -> BoxTarget:
        """The teacher's detections as if they were labels."""
        found = self.detect(teacher, self.pseudo_score)
        return gathered(found.xyxy, found.labels, found.image, len(teacher.maps[0]))

    def summary(self, prediction: Prediction) -> Tensor:
        """Largest logit a category over all positions, (N,K)."""
        logits = self.fields(prediction.maps).logits
        inside = self._inside(prediction)
        if inside is not None:
            nothing = ~inside.any(dim=1, keepdim=True)
            logits = logits.masked_fill(~(inside | nothing)[..., None], -torch.inf) * ~nothing[..., None]
        return logits.amax(dim=1)

    def bounded(self, prediction: Prediction) -> Tensor:
        """Class probabilities of all levels at the size of the finest, (N,K*levels,h,w)."""
        size = map_size(prediction.maps[0])
        return torch.cat([resize(level[:, : self.classes], size).sigmoid() for level in prediction.maps], dim=1)

    def mix(self, a: BoxTarget, b: BoxTarget, weight: Tensor) -> BoxTarget:
        """The boxes of both, with their image's weight."""
        share = weight.to(a.weight.dtype)[:, None]
        return unite(a._replace(weight=a.weight * share), b._replace(weight=b.weight * (1 - share)))

    def paste(self, a: BoxTarget, b: BoxTarget, mask: Tensor) -> BoxTarget:
        """The boxes of both of which more than half is left to see."""
        return unite(keep(a, covered(a, mask) < 1 - VISIBLE), keep(b, covered(b, mask) > VISIBLE))

    def permute(self, target: BoxTarget, order: Tensor) -> BoxTarget:
        """Reorder a target along the batch."""
        return BoxTarget(*(part[order] for part in target))

    def join(self, parts: Sequence[BoxTarget]) -> BoxTarget:
        """The boxes of all images, padded to the image with the most."""
        longest = max(part.labels.shape[1] for part in parts)
        missing = [absent(len(part.labels), longest - part.labels.shape[1], part.labels.device) for part in parts]
        return super().join([unite(part, rows) for part, rows in zip(parts, missing, strict=True)])

    def labeled(self, target: BoxTarget, size: tuple[int, int]) -> Tensor:
        """All positions: where no object is marked there is none."""
        return everywhere(target.labels, size)

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """Nothing (zero) or an object (its largest class logit), (N,2,h,w), on each level."""
        best = [level[:, : self.classes].float().amax(dim=1, keepdim=True) for level in prediction.maps]
        return tuple(torch.cat([torch.zeros_like(level), level], dim=1) for level in best)

    def labels(self, target: BoxTarget, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
        """One where a position of the level has a box to predict."""
        points, strides, reach = self._locations(sizes, target.labels.device)
        labels = (assign(points, strides, reach, target) >= 0).long()
        levels = labels.split([height * width for height, width in sizes], dim=1)
        return tuple(level.unflatten(1, size) for level, size in zip(levels, sizes, strict=True))

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """All class logits of a position move as its largest one does; boxes and centerness stay."""
        made = []
        for level, (nothing, best), own in zip(
            prediction.maps, (each.split(1, dim=1) for each in scores), self.label_scores(prediction), strict=True
        ):
            logits, rest = level.float().tensor_split([self.classes], dim=1)
            made.append(torch.cat([logits + (best - nothing - own[:, 1:]), rest], dim=1))
        return tuple(made)
