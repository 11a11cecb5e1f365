"""What processes that share batches exchange: two of them, on a processor."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.training.device import Place, build_fabric
from benchmark.training.ranks import ALONE, PeerFault, Ranks
from tasks.errors import InputError
from tasks.nested import joined
from tasks.outputs.bayesian import BayesianDensity, PointTarget, stack_points
from tasks.outputs.boxes import stack
from tasks.outputs.detection import Detection

COUNT = 2


@pytest.fixture(scope="module")
def two() -> list[dict[str, Any]]:
    """Have two processes, which are slow to start, do all at once, and return what each found."""
    port = Place().main_port
    with ProcessPoolExecutor(COUNT, multiprocessing.get_context("spawn")) as pool:  # says so where a process ends
        return [each.result() for each in [pool.submit(_meet, rank, port) for rank in range(COUNT)]]


def _meet(rank: int, port: int) -> dict[str, Any]:
    torch.set_num_threads(1)
    fabric = build_fabric("cpu", "32", devices=COUNT, place=Place(rank, port))
    ranks = Ranks.of(fabric)
    ranks.meet(fabric)
    try:
        return {"gradients": gradients(ranks), **exchange(ranks)}
    finally:
        torch.distributed.destroy_process_group()


def exchange(ranks: Ranks) -> dict[str, Any]:
    """Ask for everything that there is."""
    images = torch.arange(24.0).view(4, 1, 2, 3)
    own = ranks.part(images)
    parts = ranks.parts(PointTarget(torch.full((2, 1 + ranks.rank, 2), float(ranks.rank)), torch.ones(2, 1), (4, 4)))
    last = ranks.join(own.contiguous(memory_format=torch.channels_last))
    found = {
        "part": own.tolist(),
        "join": torch.equal(ranks.join(own), images),
        "bool": torch.equal(ranks.join(own > 3), images > 3),
        "uint8": torch.equal(ranks.join(own.to(torch.uint8)), images.to(torch.uint8)),
        "channels_last": (torch.equal(last, images), last.is_contiguous(memory_format=torch.channels_last)),
        "parts": [(each.xy.shape, float(each.xy.mean()), each.size) for each in parts],
        "averaged": ranks.averaged([torch.tensor([2.0 * ranks.rank]), torch.tensor(float(ranks.rank)).double()]),
        "told": ranks.told(f"by {ranks.rank}"),
        "agreed": [ranks.agree(), ranks.agree("the same"), ranks.agree("one" if ranks.rank else "")],
    }
    try:
        fault = ranks.agree("mine") if ranks.rank else str(ranks.join(own))
    except PeerFault as peer:
        fault = str(peer)
    return {**found, "fault": fault}


def test_two_processes_exchange_all_there_is(two: list[dict[str, Any]]) -> None:
    first, second = two
    assert (first["part"], second["part"]) == tuple(torch.arange(24.0).view(2, 2, 1, 2, 3).tolist())
    for found in (first, second):
        assert (found["join"], found["bool"], found["uint8"]) == (True, True, True)
        assert found["channels_last"] == (True, True)
        assert found["parts"] == [((2, 1, 2), 0.0, (4, 4)), ((2, 2, 2), 1.0, (4, 4))]
        assert [each.tolist() for each in found["averaged"]] == [[1.0], 0.5]
        assert [each.dtype for each in found["averaged"]] == [torch.float32, torch.float64]
        assert found["told"] == "by 0"
        assert found["agreed"] == ["", "the same", "process 1: one"]
        assert found["fault"] == "process 1: mine"


def gradients(ranks: Ranks) -> list[Tensor]:
    """Differentiate a loss that relates images, through a network that sees a part and one that sees all."""
    torch.manual_seed(0)
    student, adaptor = nn.Linear(3, 4).double(), nn.Linear(4, 4).double()
    images = torch.randn(6, 3, dtype=torch.float64)
    rows = adaptor(ranks.join(student(ranks.part(images))))
    kept = rows[torch.tensor([0, 3, 4])]  # of one part more than of the other
    ((kept @ kept.T).square().mean() + kept.exp().sum().log()).backward()
    parameters = [*student.parameters(), *adaptor.parameters()]
    ranks.average(each.grad for each in parameters if each.grad is not None)
    return [each.grad for each in parameters if each.grad is not None]


def test_two_processes_have_the_gradient_of_one(two: list[dict[str, Any]]) -> None:
    alone = gradients(ALONE)
    for found in two:
        torch.testing.assert_close(found["gradients"], alone, rtol=1e-12, atol=1e-12)


def test_a_batch_that_cannot_be_divided_is_seen_whole_by_everybody() -> None:
    ranks = Ranks(1, COUNT)
    assert (ranks.over(4), ranks.over(3)) == (ranks, ALONE)
    assert (ranks.position, ALONE.position) == ((1,), ())


def test_padded_targets_join_at_the_length_of_the_longest() -> None:
    boxes = [torch.rand(count, 4) for count in (1, 3, 0, 2)]
    labels = [torch.arange(len(each)) for each in boxes]
    parts = [stack(boxes[start:stop], labels[start:stop]) for start, stop in ((0, 1), (1, 2), (2, 4))]
    whole = stack(boxes, labels)
    assert all(map(torch.equal, Detection(4, (4, 8)).join(parts), whole))
    points = [each[:, :2] for each in boxes]
    expected = stack_points(points, (8, 8))
    found = BayesianDensity().join([stack_points(points[:1], (8, 8)), stack_points(points[1:], (8, 8))])
    assert torch.equal(found.xy, expected.xy)
    assert torch.equal(found.weight, expected.weight)
    assert found.size == expected.size


def test_targets_of_other_sizes_ask_for_a_verb_of_their_own() -> None:
    with pytest.raises(InputError, match=r"differ in size \(\(1, 2\), \(1, 3\)\): their output space must"):
        joined([{"xy": torch.zeros(1, 2)}, {"xy": torch.zeros(1, 3)}])
