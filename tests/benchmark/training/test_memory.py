"""A member's own peak beside others, told by an allocator that the test fills."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from benchmark.training.memory import MIB, PeakMemory


@dataclass
class Member:
    held: int
    peak_bytes: int = 0

    def held_bytes(self) -> int:
        return self.held


class Allocator:
    def __init__(self) -> None:
        self.now = self.most = 0

    def reset(self) -> None:
        self.most = self.now

    def peak(self) -> int:
        return self.most

    def take(self, size: int) -> None:
        self.now += size
        self.most = max(self.most, self.now)


def test_a_peak_is_of_the_members_own_updates_less_what_the_others_hold() -> None:
    allocator, (small, large) = Allocator(), (Member(2 * MIB), Member(8 * MIB))
    memory = PeakMemory(allocator)
    shared = MIB
    allocator.take(small.held + large.held + shared)
    for member, other, need in ((small, large, 3 * MIB), (large, small, 20 * MIB), (small, large, MIB)):
        with memory.watch(member, [other]):
            allocator.take(need)
            allocator.take(-need)
    assert small.peak_bytes == 2 * MIB + shared + 3 * MIB
    assert large.peak_bytes == 8 * MIB + shared + 20 * MIB
    allocator.reset()  # as measuring the latency does: it comes too late to matter
    figure, basis = memory.figure(small, 2)
    assert figure == 6.0
    assert "less the networks, gradients and optimisers of the other 1 runs" in basis


def test_a_cpu_knows_the_whole_process_only_and_says_so() -> None:
    memory, member = PeakMemory.of(torch.device("cpu")), Member(1)
    with memory.watch(member, []):
        pass
    figure, basis = memory.figure(member, 8)
    assert member.peak_bytes == 0
    assert figure > 1
    assert basis == "peak of the whole process since it started, 8 runs side by side"
