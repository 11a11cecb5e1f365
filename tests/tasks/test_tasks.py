"""What holds for every built-in task beside what the conformance kit checks: on small networks and rendered scenes."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from tasks.base import NetworkSpec, Task, tasks
from tasks.data.pixels import as_tensor, normalised, stacked
from tasks.datasets.scenes import Scenes
from tasks.metrics.detection import Detections
from tasks.nested import widened
from tests.support import built_in

RENDERED = [name for name in built_in(tasks) if tasks[name].annotation in Scenes.provides]
SIZE = 64
ENCODER = {"layers": (1, 1, 1, 1), "channels": (8, 8, 16, 16), "stem_width": 8}


@pytest.fixture(scope="module")
def samples():
    data = Scenes(size=SIZE)
    return [data.load("train", i) for i in range(3)]


@pytest.fixture(params=RENDERED)
def task(request) -> Task:
    return tasks[request.param](Scenes.info)


def small(task: Task) -> NetworkSpec:
    decoder = (
        {"channels": 32, "convs": 1}
        if task.student.decoder == "fcos"
        else {"decoder_pyramid_channels": 32, "decoder_segmentation_channels": 32}
    )
    return replace(task.student, encoder_options=ENCODER, decoder_options=decoder)


def batch(task, samples):
    images = normalised(stacked([as_tensor(sample.image) for sample in samples]))
    return images, widened(task.collate([task.target(sample) for sample in samples]))


def as_prediction(truth, image):
    """What a perfect network would decode to."""
    if hasattr(truth, "difficult"):
        return Detections(truth.xyxy, truth.labels, np.ones(len(truth.labels)))
    if truth.ndim == 2 and truth.shape[1] == 2:
        density = np.zeros(image.shape[:2])
        np.add.at(density, tuple(np.floor(truth[:, ::-1]).astype(int).clip(0, SIZE - 1).T), 1)
        return density
    return truth


def test_the_truth_scores_best(task, samples):
    metric = task.metric()
    for sample in samples:
        metric.update(as_prediction(task.truth(sample), sample.image), task.truth(sample))
    scores = metric.compute()
    primary, higher = next(iter(task.metrics.items()))
    assert scores[primary] == pytest.approx(1.0 if higher else 0.0, abs=0.02 if task.name == "det" else 1e-6)
    assert isinstance(metric.per_class(), dict)


def test_the_default_student_is_much_weaker_than_its_teachers(task):
    sizes = [
        sum(p.numel() for p in task.network(spec).parameters()) for spec in (task.student, *task.teachers.values())
    ]
    assert all(size > 4 * sizes[0] for size in sizes[1:])


def test_training_lowers_the_loss_and_reaches_every_weight(task, samples):
    torch.manual_seed(0)
    network = task.network(small(task)).train()
    images, target = batch(task, samples)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02)
    losses = []
    for _ in range(6):
        loss = task.output.supervised(network(images).maps, target)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    unreached = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert unreached == []


def test_decodes_to_the_size_of_the_truth(task, samples):
    network = task.network(small(task)).eval()
    images, _ = batch(task, samples)
    with torch.no_grad():
        prediction = network(images)
    size = (31, 40)
    decoded = task.decode(prediction, 1, size)
    if isinstance(decoded, Detections):
        assert (decoded.xyxy >= 0).all()
        assert (decoded.xyxy <= [size[1], size[0]] * 2).all()
    else:
        assert decoded.shape == size
        assert np.isfinite(decoded).all()


def test_a_batch_is_decoded_as_its_images_are(task, samples):
    """Whatever their sizes, in their order."""
    network = task.network(small(task)).eval()
    images, _ = batch(task, samples)
    with torch.no_grad():
        prediction = network(images)
    sizes = [(31, 40), (SIZE, SIZE), (31, 40)]
    for index, found in enumerate(task.decode_batch(prediction, sizes)):
        alone = task.decode(prediction, index, sizes[index])
        pairs = [(found, alone)]
        if isinstance(found, Detections):
            pairs = [(getattr(found, each.name), getattr(alone, each.name)) for each in fields(found)]
        for one, other in pairs:
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_draws_the_truth(task, samples):
    for sample in samples:
        picture = task.picture(task.truth(sample), sample.image)
        assert picture.shape == sample.image.shape
        nobody = task.name == "count" and len(sample.annotations["points"]) == 0
        assert np.array_equal(picture, sample.image) == nobody
