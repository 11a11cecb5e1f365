"""Several processes that share each batch: every one runs the networks on its part, all compute the whole loss.

What a network returns for the parts is joined, so losses, mixed images and critics see the whole batch as one process
would: means count all valid positions, and what relates images to one another relates all of them, without a method or
an output space that knows of processes.

A prediction z_r of process r has its own part of dL/dz, times the number n of processes; then the gradients of all
parameters are averaged. For the student that is ``mean_r n dL/dz_r dz_r/dw = dL/dw``; adaptors and critics see whole
batches in every process, and the mean of equal gradients is that gradient.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor

from tasks.nested import leaves, rebuilt

PATIENCE = timedelta(days=30)  # with a process that trains nothing for now: it may evaluate, or wait for a lock
Word = TypeVar("Word")


class PeerFault(Exception):  # noqa: N818 - named for what happened
    """Another process met a fault in what all do together."""


class RankLost(Exception):  # noqa: N818
    """A process of those that share batches has ended, so nothing can be done together any more."""


@dataclass(frozen=True)
class Order:
    """What the first process has the others train beside it."""

    what: Literal["teacher", "students"]
    names: tuple[str, ...]


class Ranks:
    """The processes that share each batch, and the place of this one among them.

    Whatever is exchanged, all ask for it in the same order. Before each exchange they agree that nobody met a fault
    meanwhile; where one did, all others raise PeerFault, so none waits for ever.

    Args:
        rank: of this process; the first, 0, alone writes files.
        count: of processes. One by itself exchanges nothing.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count
        self._host: Any = None  # speaks between processors, so that no card is waited for

    @classmethod
    def of(cls, fabric: Fabric) -> Ranks:
        """Take the place that fabric was given."""
        return cls(fabric.global_rank, fabric.world_size)

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    @property
    def position(self) -> tuple[int, ...]:
        """What keys draws that differ from process to process; nothing for one by itself."""
        return (self.rank,) if self.count > 1 else ()

    def meet(self, fabric: Fabric) -> None:
        """Wait for all others."""
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces every process
        fabric.launch()
        self._host = dist.new_group(backend="gloo", timeout=PATIENCE)

    def over(self, images: int) -> Ranks:
        """Return those who share a batch of so many images: nobody, where it cannot be divided."""
        return self if images % self.count == 0 else ALONE

    def part(self, whole: Tensor) -> Tensor:
        """Return this process's part of a batch."""
        if self.count == 1:
            return whole
        share = len(whole) // self.count
        return whole[self.rank * share : (self.rank + 1) * share]

    def join(self, part: Tensor) -> Tensor:
        """Join the parts of all processes, of one shape, along the batch; differentiable, see above."""
        if self.count == 1:
            return part
        joined: Tensor = _Join.apply(part, self)
        return joined

    def parts(self, value: Any) -> list[Any]:
        """Return the value of each process in their order: tensors of any sizes, in one structure of whatever kind."""
        if self.count == 1:
            return [value]
        mine = leaves(value)
        self._go_on()
        with _together():
            sizes: list[list[torch.Size]] = [[] for _ in range(self.count)]
            dist.all_gather_object(sizes, [tensor.shape for tensor in mine], group=self._host)
        gathered = [
            self._gathered_padded(tensor, shapes) for tensor, shapes in zip(mine, zip(*sizes, strict=True), strict=True)
        ]
        return [rebuilt(value, [tensors[rank] for tensors in gathered]) for rank in range(self.count)]

    def _gathered_padded(self, tensor: Tensor, shapes: Sequence[torch.Size]) -> list[Tensor]:
        """Gather tensors of several shapes, padded on their way."""
        padded = tensor.new_zeros([max(sides) for sides in zip(*shapes, strict=True)])
        padded[tuple(slice(side) for side in tensor.shape)] = tensor
        return [
            part[tuple(slice(side) for side in shape)]
            for part, shape in zip(self.gathered(padded), shapes, strict=True)
        ]

    def gathered(self, part: Tensor) -> list[Tensor]:
        """Return the tensor of each process, all of one shape; images keep their memory format."""
        if last := part.ndim == 4 and part.is_contiguous(memory_format=torch.channels_last):
            part = part.permute(0, 2, 3, 1)
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(self.count)]
        self._go_on()
        if part.numel():
            with _together():
                dist.all_gather(parts, part.detach().contiguous())
        return [part.permute(0, 3, 1, 2) for part in parts] if last else parts

    def averaged(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the mean of each tensor over all processes; one exchange for each kind of number."""
        if self.count == 1 or not tensors:
            return list(tensors)
        means: dict[int, Tensor] = {}
        for kind in dict.fromkeys(tensor.dtype for tensor in tensors):
            places = [place for place, tensor in enumerate(tensors) if tensor.dtype == kind]
            flat = torch.cat([tensors[place].detach().flatten() for place in places])
            self._go_on()
            with _together():
                dist.all_reduce(flat)
            split = (flat / self.count).split([tensors[place].numel() for place in places])
            means |= {place: mean.view(tensors[place].shape) for place, mean in zip(places, split, strict=True)}
        return [means[place] for place in range(len(tensors))]

    @torch.no_grad()
    def average(self, tensors: Iterable[Tensor]) -> None:
        """Give each tensor its mean over all processes."""
        if self.count > 1:
            changed = list(tensors)
            for tensor, mean in zip(changed, self.averaged(changed), strict=True):
                tensor.copy_(mean)

    def told(self, word: Word) -> Word:
        """Return what the first process says."""
        if self.count == 1:
            return word
        said = [word]
        with _together():
            dist.broadcast_object_list(said, src=0, group=self._host)
        return said[0]

    def agree(self, fault: str = "") -> str:
        """Return the faults that processes came with, this one's among them; the same text everywhere, mostly none."""
        if self.count == 1:
            return fault
        flag = torch.tensor(bool(fault), dtype=torch.int64)
        faults = [fault] * self.count
        with _together():
            dist.all_reduce(flag, dist.ReduceOp.MAX, group=self._host)
            if flag:
                dist.all_gather_object(faults, fault, group=self._host)
        if len(set(faults)) == 1:
            return fault
        return "; ".join(f"process {rank}: {said}" for rank, said in enumerate(faults) if said)

    def _go_on(self) -> None:
        if fault := self.agree():
            raise PeerFault(fault)


ALONE = Ranks()


class _Join(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        return torch.cat(ranks.gathered(part))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.ranks.part(gradient) * ctx.ranks.count, None


@contextmanager
def _together() -> Iterator[None]:
    """Say of an exchange that failed what it means."""
    try:
        yield
    except RuntimeError as error:
        raise RankLost(
            "a process that shares the batches has ended, see what it said; the same command goes on "
            f"from the last save ({error})"
        ) from error
