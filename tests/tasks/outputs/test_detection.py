import pytest
import torch
from torchvision.models.detection.fcos import FCOS as TorchvisionFCOS
from torchvision.ops import generalized_box_iou, generalized_box_iou_loss, nms

from tasks.base import Prediction
from tasks.outputs.binary import binary_kl
from tasks.outputs.boxes import (
    BoxTarget,
    assign,
    centerness,
    covered,
    gathered,
    giou_loss,
    keep,
    locations,
    sides,
    stack,
    suppressed,
)
from tasks.outputs.detection import Detection
from tests.support import ROUNDING, assert_alike

SIZE, STRIDES, K = (64, 96), (8, 16, 32), 4
SHAPES = [(8, 12), (4, 6), (2, 3)]


def random_maps(seed, n=2, spread=1.0):
    draw = torch.Generator().manual_seed(seed)
    maps = []
    for height, width in SHAPES:
        level = torch.randn(n, K + 5, height, width, generator=draw) * spread
        level[:, K:-1] = level[:, K:-1].abs() * 2
        maps.append(level)
    return tuple(maps)


def predicted(maps, inside=None):
    return Prediction(maps, {}, {}, (), torch.zeros(len(maps[0]), 1), SIZE, inside)


def random_target(seed, counts=(5, 0)):
    draw = torch.Generator().manual_seed(seed)
    xyxy, labels = [], []
    for k in counts:
        corner = torch.rand(k, 2, generator=draw) * torch.tensor([60.0, 40.0])
        xyxy.append(torch.cat([corner, corner + 4 + torch.rand(k, 2, generator=draw) * 40], dim=1))
        labels.append(torch.randint(0, K, (k,), generator=draw))
    return stack(xyxy, labels)


class Backbone(torch.nn.Module):
    out_channels = 32

    def forward(self, image):
        return {str(i): torch.zeros(len(image), 32, *shape) for i, shape in enumerate(SHAPES)}


def torchvision_loss(maps, target):
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.image_list import ImageList

    model = TorchvisionFCOS(
        Backbone(), K, anchor_generator=AnchorGenerator(tuple((s,) for s in STRIDES), ((1.0,),) * 3)
    )
    images = torch.zeros(len(maps[0]), 3, *SIZE)
    anchors = model.anchor_generator(ImageList(images, [SIZE] * len(images)), list(maps))
    rows = torch.cat([m.flatten(2) for m in maps], dim=2).transpose(1, 2)
    head = {"cls_logits": rows[..., :K], "bbox_regression": rows[..., K:-1], "bbox_ctrness": rows[..., -1:]}
    targets = [
        {"boxes": box[label >= 0], "labels": label[label >= 0]}
        for box, label in zip(target.xyxy, target.labels, strict=True)
    ]
    losses = model.compute_loss(targets, head, anchors, [h * w for h, w in SHAPES])
    return sum(losses.values())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("counts", [(5, 0), (3, 8), (0, 0)])
def test_supervised_equals_torchvision(seed, counts):
    maps, target = random_maps(seed), random_target(seed, counts)
    assert_alike(Detection(K, STRIDES).supervised(maps, target), torchvision_loss(maps, target))


def test_boxes_follow_from_distances_in_strides():
    maps = tuple(torch.zeros(1, K + 5, *shape) for shape in SHAPES)
    maps[1][0, K : K + 4, 2, 3] = torch.tensor([1.0, 0.5, 2.0, 3.0])
    fields = Detection(K, STRIDES).fields(maps)
    row = 8 * 12 + 2 * 6 + 3
    assert fields.points[row].tolist() == [48, 32]
    assert fields.xyxy[0, row].tolist() == [32, 24, 80, 80]


def test_assignment_by_hand():
    points, strides, reach = locations([(4, 4), (2, 2)], (8, 16), torch.device("cpu"))
    target = stack(
        [torch.tensor([[4.0, 4.0, 14.0, 14.0], [2.0, 2.0, 30.0, 30.0], [0.0, 0.0, 100.0, 100.0]])],
        [torch.tensor([0, 1, 2])],
    )
    index = assign(points, strides, reach, target)[0]
    # (8,8) lies in both small boxes: the smallest wins. (16,16) lies in the middle one alone, near its centre.
    assert index[5] == 0
    assert index[10] == 1
    assert index[0] == -1  # on no box of this size
    # The largest box is beyond the finest level's reach, and too far from its centre on the coarsest.
    assert (index != 2).all()


def test_boxes_without_weight_claim_nothing():
    points, strides, reach = locations([(4, 4)], (8,), torch.device("cpu"))
    target = stack([torch.tensor([[4.0, 4.0, 14.0, 14.0]])], [torch.tensor([0])])
    assert (assign(points, strides, reach, target) >= 0).sum() == 1
    assert (assign(points, strides, reach, target._replace(weight=torch.zeros(1, 1))) >= 0).sum() == 0
    assert (assign(points, strides, reach, keep(target, torch.tensor([[False]]))) >= 0).sum() == 0


def test_weight_interpolates_between_object_and_background():
    maps, target = random_maps(0, n=1), random_target(0, (4,))
    space = Detection(K, STRIDES)
    points, strides, reach = locations(SHAPES, STRIDES, torch.device("cpu"))
    number = (assign(points, strides, reach, target) >= 0).sum()
    full, none = space.supervised(maps, target) * number, space.supervised(maps, keep(target, target.labels < 0))
    for share in (0.25, 0.9):
        found = space.supervised(maps, target._replace(weight=torch.full((1, 4), share)))
        expected = (share * full + (1 - share) * none) / (share * number).clamp(min=1)
        assert_alike(found, expected)


def test_centerness_by_hand():
    points = torch.tensor([[5.0, 5.0], [2.0, 5.0]])
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0]] * 2)
    assert_alike(centerness(sides(points, boxes)), torch.tensor([1.0, (2 / 8) ** 0.5]))


def test_covered_share():
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[0, :4, :4] = True
    boxes = torch.tensor(
        [[[0.0, 0, 4, 4], [0, 0, 8, 4], [4, 4, 8, 8], [2, 2, 4, 8], [3.2, 3.2, 3.3, 3.3], [-5, -5, 2, 4]]]
    )
    target = BoxTarget(boxes, torch.zeros(1, 6, dtype=torch.int64), torch.ones(1, 6))
    assert_alike(covered(target, mask)[0], torch.tensor([1.0, 0.5, 0.0, 1 / 3, 1.0, 1.0]))


def test_pasting_keeps_boxes_of_which_more_than_half_is_left():
    mask = torch.zeros(1, *SIZE, dtype=torch.bool)
    mask[0, :, :48] = True
    a = stack([torch.tensor([[40.0, 0, 60, 10], [30.0, 0, 60, 10], [60.0, 0, 90, 20]])], [torch.tensor([0, 1, 2])])
    pasted = Detection(K, STRIDES).paste(a, a, mask)
    assert pasted.labels.tolist() == [[0, -1, 2, -1, 1, -1]]


def test_detections_become_pseudo_boxes():
    space = Detection(K, STRIDES)
    maps = tuple(torch.zeros(2, K + 5, *shape) - 10 for shape in SHAPES)
    for level in maps:
        level[:, K:-1] = 1
    maps[0][0, 2, 3, 4] = 5.0  # category 2 at (32, 24)
    maps[0][0, 2, 3, 5] = 4.0  # a weaker one on almost the same box
    maps[0][0, -1] = 5.0
    maps[0][0, K:-1, 3, 5] = torch.tensor([2.0, 1.0, 0.1, 1.0])
    found = space.detect(predicted(maps), 0.5)
    assert found.labels.tolist() == [2]
    assert found.xyxy.tolist() == [[24.0, 16.0, 40.0, 32.0]]
    assert found.scores.item() == pytest.approx(torch.tensor(5.0).sigmoid().item(), rel=ROUNDING)
    target = space.hard_targets(predicted(maps))
    assert target.labels.tolist() == [[2], [-1]]
    assert target.xyxy[0].tolist() == [[24.0, 16.0, 40.0, 32.0]]


def test_detections_stay_inside_the_image_and_off_the_padding():
    maps = random_maps(0, spread=3.0)
    inside = torch.zeros(2, *SIZE, dtype=torch.bool)
    inside[:, :, :64] = True
    space = Detection(K, STRIDES)
    found = space.detect(predicted(maps), 0.05)
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= torch.tensor([96.0, 64.0, 96.0, 64.0])).all()
    assert found.scores.diff().max() <= 0
    masked = [m.clone() for m in maps]
    for level in masked:
        level[:, :K, :, level.shape[-1] * 2 // 3 :] = -100
    hidden = space.detect(predicted(maps, inside), 0.05)
    assert len(hidden.scores) < len(found.scores)
    assert_alike(hidden.scores, space.detect(predicted(tuple(masked)), 0.05).scores)


def test_divergence_equals_its_definition():
    own, other = random_maps(0), random_maps(1)
    space = Detection(K, STRIDES)
    s, t = space.fields(own), space.fields(other)
    w = t.logits.sigmoid().amax(-1) * t.central.sigmoid()
    w = torch.where(w < 0.05, 0.0, w)
    giou = torch.stack([torch.diag(generalized_box_iou(a, b)) for a, b in zip(s.xyxy, t.xyxy, strict=True)])
    expected = (
        torch.lerp(binary_kl(s.logits, t.logits), binary_kl(s.logits, t.logits, 2.0), w[..., None]).sum()
        / w.sum().clamp(min=1)
        + (w * (1 - giou)).sum() / w.sum()
        + (w * binary_kl(s.central, t.central, 2.0)).sum() / w.sum()
    )
    assert_alike(space.divergence(predicted(own), predicted(other), 2.0), expected)


def test_the_temperature_leaves_the_background_alone():
    """A teacher that finds nothing: its classes teach as loudly at tau = 4 as at 1, for w is zero."""
    teacher = tuple(torch.full((1, K + 5, *shape), -4.6, dtype=torch.float64) for shape in SHAPES)
    slopes = []
    for temperature in (1.0, 4.0):
        student = tuple((level + 0.6).requires_grad_() for level in teacher)
        loss = Detection(K, STRIDES).divergence(predicted(student), predicted(teacher), temperature)
        slopes.append(torch.autograd.grad(loss, student)[0][0, :K])
    q, p = (torch.tensor(z, dtype=torch.float64).sigmoid().item() for z in (-4.0, -4.6))
    for slope in slopes:
        assert_alike(slope, torch.full_like(slope, q - p))


def test_summary_is_the_best_logit_a_category():
    maps = random_maps(0)
    expected = torch.cat([m[:, :K].flatten(2) for m in maps], dim=2).amax(dim=2)
    assert_alike(Detection(K, STRIDES).summary(predicted(maps)), expected)


def test_another_pyramid_is_refused():
    with pytest.raises(ValueError, match=r"3 maps for 2 pyramid levels"):
        Detection(K, (8, 16)).supervised(random_maps(0), random_target(0))


@pytest.mark.parametrize("count", [0, 1, 9])
def test_gathering_boxes_is_stacking_those_of_each_image(count):
    generator = torch.Generator().manual_seed(count)
    xyxy, labels = torch.rand(count, 4, generator=generator), torch.randint(0, 3, (count,), generator=generator)
    image = torch.randint(0, 3, (count,), generator=generator)
    found, chosen = gathered(xyxy, labels, image, 4), [image == i for i in range(4)]
    expected = stack([xyxy[rows] for rows in chosen], [labels[rows] for rows in chosen])
    for own, other in zip(found, expected, strict=True):
        assert torch.equal(own, other)


def test_stacking_no_boxes():
    target = stack([torch.zeros(0, 4)] * 2, [torch.zeros(0, dtype=torch.int64)] * 2)
    assert target.labels.tolist() == [[-1], [-1]]


def test_the_loss_of_boxes_is_torchvisions():
    corners = torch.randn(2, 40, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 10
    boxes, wanted = torch.cat([corners.amin(2), corners.amax(2)], dim=-1)
    ours, theirs = boxes.clone().requires_grad_(), boxes.clone().requires_grad_()
    expected = generalized_box_iou_loss(theirs, wanted)
    torch.testing.assert_close(giou_loss(ours, wanted), expected)
    giou_loss(ours, wanted).sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_box_without_an_area_has_a_finite_loss_and_gradient():
    empty = torch.zeros(1, 4, requires_grad=True)
    loss = giou_loss(empty, torch.zeros(1, 4)).sum()
    loss.backward()
    assert loss.isfinite()
    assert empty.grad.isfinite().all()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_in_an_image_does_not_depend_on_the_others(seed):
    draw = torch.Generator().manual_seed(seed)
    corner, image = torch.rand(960, 2, generator=draw) * 60 + 1200, torch.arange(16).repeat_interleave(60)
    xyxy = torch.cat([corner, corner + 8 + 24 * torch.rand(960, 2, generator=draw)], dim=1)
    scores, labels = torch.rand(960, generator=draw), torch.full((960,), 79)
    found = suppressed(xyxy, scores, labels, image, 0.6)
    assert scores[found].diff().max() <= 0
    for number in range(16):
        alone = nms(xyxy[image == number], scores[image == number], 0.6)
        assert torch.equal(found[image[found] == number], alone + 60 * number)


def test_no_boxes_are_suppressed_to_none():
    nothing = torch.zeros(0, dtype=torch.long)
    assert suppressed(torch.zeros(0, 4), torch.zeros(0), nothing, nothing, 0.6).tolist() == []
