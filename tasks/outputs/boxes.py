"""Boxes as a target of training: what a batch of them holds, and which positions of a pyramid each one claims."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

Locations = tuple[Tensor, Tensor, Tensor]  # see ``locations``
ABSENT = -1  # label of a row that holds no box
EPS = 1e-7  # of areas, in square pixels
RADIUS = 1.5  # strides around the centre of a box that belong to it


class BoxTarget(NamedTuple):
    """Boxes of a batch, padded to the same number an image.

    ``xyxy`` float32 (N,M,4) in pixels of the input; ``labels`` int64 (N,M), -1 where there is no box; ``weight``
    float32 (N,M), the share of its image in a mixed one, 1 otherwise.
    """

    xyxy: Tensor
    labels: Tensor
    weight: Tensor


def stack(xyxy: Sequence[Tensor], labels: Sequence[Tensor]) -> BoxTarget:
    """Join the boxes (K,4) and labels (K,) of single images."""
    longest = max(1, *(len(label) for label in labels)) if labels else 1
    target = absent(len(labels), longest, labels[0].device if labels else None)
    for i, (box, label) in enumerate(zip(xyxy, labels, strict=True)):
        target.xyxy[i, : len(box)] = box
        target.labels[i, : len(label)] = label
    return target


def gathered(xyxy: Tensor, labels: Tensor, image: Tensor, images: int) -> BoxTarget:
    """Sort boxes (K,4) with their labels (K,) to their images (K,), each image's in the order in which they come.

    A GPU is waited for once, for how many the fullest image has; ``stack`` would take boxes that were picked by a mask
    for each image.

    Examples:
        >>> import torch
        >>> from tasks.outputs.boxes import gathered
        >>> gathered(torch.zeros(3, 4), torch.tensor([5, 6, 7]), torch.tensor([1, 0, 1]), 2).labels.tolist()
        [[6, -1], [5, 7]]
    """
    counts = (image[:, None] == torch.arange(images, device=image.device)).sum(dim=0)
    order = image.argsort(stable=True)
    row = image[order]
    place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    target = absent(images, max(1, int(counts.amax())), row.device)
    target.xyxy[row, place], target.labels[row, place] = xyxy[order], labels[order]
    return target


def absent(images: int, longest: int, device: torch.device | None) -> BoxTarget:
    """Make room for boxes, none of which is there yet."""
    shape = (images, longest)
    return BoxTarget(
        torch.zeros(*shape, 4, device=device),
        torch.full(shape, ABSENT, device=device),
        torch.ones(shape, device=device),
    )


def unite(a: BoxTarget, b: BoxTarget) -> BoxTarget:
    """Put the boxes of two targets of the same images together."""
    return BoxTarget(*(torch.cat(pair, dim=1) for pair in zip(a, b, strict=True)))


def keep(target: BoxTarget, kept: Tensor) -> BoxTarget:
    """Leave out the boxes whose entry in ``kept``, bool (N,M), is not set."""
    return target._replace(labels=target.labels.where(kept, ABSENT))


def covered(target: BoxTarget, mask: Tensor) -> Tensor:
    """Share of each box, (N,M), that lies under a mask, bool (N,H,W); boxes are rounded to at least one pixel."""
    height, width = mask.shape[1:]
    area = mask.new_zeros((len(mask), height + 1, width + 1), dtype=torch.int64)
    area[:, 1:, 1:] = mask.long().cumsum(1).cumsum(2)
    limit = torch.tensor([width, height]).to(mask.device, non_blocking=True)
    low = target.xyxy[..., :2].round().long().clamp(min=0).minimum(limit - 1)
    high = target.xyxy[..., 2:].round().long().minimum(limit).maximum(low + 1)
    image = torch.arange(len(mask), device=mask.device)[:, None]
    (x0, y0), (x1, y1) = low.unbind(-1), high.unbind(-1)
    inside = area[image, y1, x1] - area[image, y0, x1] - area[image, y1, x0] + area[image, y0, x0]
    return inside / ((x1 - x0) * (y1 - y0))


def locations(sizes: Sequence[tuple[int, int]], strides: Sequence[int], device: torch.device) -> Locations:
    """Lay out the positions of a pyramid, level after level, each row by row.

    Returns:
        points (P,2) x,y in pixels of the input, at multiples of the stride as torchvision places them; the stride of
        each (P,); the reach (P,2) that a level is responsible for: the largest distance from a point to a side of its
        box lies between 4 and 8 strides, with no lower limit on the finest level and no upper one on the coarsest.
    """
    points, scales, reach = [], [], []
    for level, ((height, width), stride) in enumerate(zip(sizes, strides, strict=True)):
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        points.append(torch.stack([x, y], dim=-1).reshape(-1, 2) * float(stride))
        scales.append(torch.full((height * width,), float(stride)))
        low = 0.0 if level == 0 else 4.0 * stride
        high = math.inf if level == len(sizes) - 1 else 8.0 * stride
        reach.append(torch.tensor([low, high]).expand(height * width, 2))
    laid_out = (torch.cat(points), torch.cat(scales), torch.cat(reach))
    on_points, of_scales, in_reach = (each.to(device, non_blocking=True) for each in laid_out)
    return on_points, of_scales, in_reach


def sides(points: Tensor, xyxy: Tensor) -> Tensor:
    """Distances from points (...,2) to the left, upper, right and lower side of boxes (...,4)."""
    return torch.cat([points - xyxy[..., :2], xyxy[..., 2:] - points], dim=-1)


def assign(points: Tensor, strides: Tensor, reach: Tensor, target: BoxTarget) -> Tensor:
    """Give each position the box that it has to predict: an index into the target's rows (N,P), -1 for none.

    A position belongs to a box that it lies in, if it is within 1.5 strides of the centre and the box is of its
    level's size; of several the smallest (FCOS, section 3.2, with centre sampling, as torchvision matches).
    """
    boxes = target.xyxy[:, None]  # N,1,M,4
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    near = (points[:, None] - centres).abs().amax(-1) < RADIUS * strides[:, None]
    distances = sides(points[:, None].expand(len(boxes), -1, boxes.shape[2], -1), boxes.expand(-1, len(points), -1, -1))
    farthest = distances.amax(-1)
    sized = (farthest > reach[:, :1]) & (farthest < reach[:, 1:])
    real = (target.labels != ABSENT) & (target.weight > 0)
    claimed = near & sized & (distances.amin(-1) > 0) & real[:, None]
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    smallest, index = area.expand_as(claimed).where(claimed, math.inf).min(dim=-1)
    return index.where(smallest < math.inf, -1)


def giou_loss(boxes: Tensor, wanted: Tensor) -> Tensor:
    """One minus the generalised intersection over union of boxes (...,4), elementwise and without a value's shape.

    ``1 - I / U + (C - U) / C``, C the area of the smallest box around both (Rezatofighi et al., CVPR 2019, eq. 4);
    torchvision's, whose selection of overlapping boxes would wait for the device.
    """
    low, high = torch.maximum(boxes[..., :2], wanted[..., :2]), torch.minimum(boxes[..., 2:], wanted[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    union = (boxes[..., 2:] - boxes[..., :2]).prod(-1) + (wanted[..., 2:] - wanted[..., :2]).prod(-1) - shared
    outer_low, outer_high = (
        torch.minimum(boxes[..., :2], wanted[..., :2]),
        torch.maximum(boxes[..., 2:], wanted[..., 2:]),
    )
    around = (outer_high - outer_low).prod(-1)
    return 1 - shared / (union + EPS) + (around - union) / (around + EPS)


def centerness(distances: Tensor) -> Tensor:
    """``sqrt(min(l,r)/max(l,r) * min(t,b)/max(t,b))`` of positive distances (...,4) to the sides of a box."""
    across, down = distances[..., 0::2], distances[..., 1::2]
    return (across.amin(-1) / across.amax(-1) * down.amin(-1) / down.amax(-1)).sqrt()


def suppressed(xyxy: Tensor, scores: Tensor, labels: Tensor, image: Tensor, overlap: float) -> Tensor:
    """Return the positions of the boxes (M,4) that no better one of their image and category overlaps, the best first.

    Each image by itself: torchvision moves categories apart, and many images far enough for float32 to round corners.
    """
    from torchvision.ops import batched_nms

    own = (torch.where(image == number)[0] for number in image.unique())
    kept = [at[batched_nms(xyxy[at], scores[at], labels[at], overlap)] for at in own]
    found = torch.cat(kept) if kept else image
    return found[scores[found].argsort(descending=True, stable=True)]
