"""Images that live on the device: batches are cut out of them there, augmented in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from tasks.annotations.kind import Geometry, MovedBatch, kind_of
from tasks.base import Batch, Draws, Sample, Task
from tasks.data.augment import Augment
from tasks.data.batch_colour import recoloured
from tasks.data.batch_geometry import Move, uploaded
from tasks.data.loader import Images, Key, Order, Part, Plan, generator_of
from tasks.data.passed_on import caught, raised
from tasks.errors import InputError


def host_only(task: Task) -> str | None:
    """Say why a task's samples cannot be augmented on the device; None where they can.

    The class that says how one sample is augmented, or turned into a target, must say it of a batch as well.
    """
    kind = kind_of(task.annotation)
    for each, batched, single in (
        (kind, "moved_batch", ("moved",)),
        (task, "targets", ("target", "collate")),
    ):
        heirs = type(each).__mro__
        defined = {name: next(heirs.index(cls) for cls in heirs if name in vars(cls)) for name in (batched, *single)}
        if any(defined[batched] > defined[name] for name in single):
            return f"{heirs[0].__qualname__} has no `{batched}` beside its `{single[0]}`"
    return None


class Resident:
    """The images of a split on the device, uint8, with what moves with them; each is loaded once, when first needed.

    Args:
        images: at the size that the network sees, of one kind of annotation.
        device: where they live.
        workers: processes that load them, 0 for none.
    """

    def __init__(self, images: Images, device: torch.device, workers: int = 0) -> None:
        self.images, self.device, self.workers = images, device, workers
        (self.kind,) = (kind_of(name) for name in images.kinds)
        self.size: tuple[int, int] = (0, 0)  # (H,W) of all images, once there are any
        self._rows: dict[int, int] = {}  # index of an image -> where it lies in all of the following
        self._images, self._maps = _Grids(), defaultdict[str, _Grids](_Grids)
        self._boxes, self._points, self._carried = _Lists(), _Lists(), defaultdict[str, _Lists](_Lists)

    def load(self, indices: Iterable[int]) -> None:
        """Bring images to the device that are not there yet.

        Raises InputError for an image of another size than the others.
        """
        missing = sorted({*indices} - {*self._rows})
        if not missing:
            return
        loader = DataLoader(_Chosen(self.images, missing), batch_size=None, num_workers=self.workers)
        for index, sample in zip(missing, raised(loader), strict=True):
            self._take(index, sample)
        for each in (self._boxes, self._points, *self._carried.values()):
            each.upload(self.device)

    def _take(self, index: int, sample: Sample) -> None:
        value, size = sample.annotations[self.kind.name], (sample.image.shape[0], sample.image.shape[1])
        if self._rows and size != self.size:
            raise InputError(
                f"data.cache=device: image '{sample.id}' has a size of {size[0]}x{size[1]}, expected that of the "
                f"first, {self.size[0]}x{self.size[1]}; set data.size=[height,width], or data.cache=disk"
            )
        self.size, row = size, len(self._rows)
        geometry: Geometry = self.kind.geometry(value)
        count = len(self.images.dataset.ids(self.images.split))
        self._images.put(row, sample.image, count, self.device)
        for name, array in geometry.maps.items():
            self._maps[name].put(row, array, count, self.device)
        self._boxes.rows.append(geometry.boxes.astype(np.float32))
        self._points.rows.append(geometry.points)
        for name, array in self.kind.carried(value).items():
            self._carried[name].rows.append(array)
        self._rows[index] = row

    def rows(self, indices: Sequence[int]) -> np.ndarray:
        """Say where images lie, int64 (N,)."""
        return np.array([self._rows[index] for index in indices])

    def pixels(self, rows: np.ndarray, move: Move) -> Tensor:
        """Cut out the images in some rows, uint8 (N,H,W,3T)."""
        return move.colours(self._images.stack, uploaded(rows, self.device))

    def moved(self, rows: np.ndarray, move: Move) -> MovedBatch:
        """Cut out and move all that is known of them."""
        where = uploaded(rows, self.device)
        boxes, has_box = self._boxes.of(rows, where)
        points, has_point = self._points.of(rows, where)
        boxes, box_seen = move.boxes(boxes)
        points, point_seen = move.points(points)
        return MovedBatch(
            maps={name: move.labels(each.stack, where) for name, each in self._maps.items()},
            boxes=boxes,
            has_box=has_box & box_seen,
            points=points,
            has_point=has_point & point_seen,
            carried={name: each.of(rows, where)[0] for name, each in self._carried.items()},
            inside=move.inside,
            mirrored=move.mirrored,
        )


class _Grids:
    """Arrays (H,W,...) of one size, an image each, stacked on the device."""

    stack: Tensor

    def put(self, row: int, array: np.ndarray, count: int, device: torch.device) -> None:
        """Bring an array to the device; the first makes room for ``count`` of its size."""
        tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
        if row == 0:
            self.stack = torch.empty((count, *tensor.shape), dtype=tensor.dtype, device=device)
        self.stack[row].copy_(tensor)


class _Lists:
    """Arrays (K,...) of another length an image, padded on the device to the longest."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self._padded = torch.zeros(0)

    def upload(self, device: torch.device) -> None:
        """Bring all of them to the device, where there is any."""
        if self.rows:
            longest = max(1, *(len(array) for array in self.rows))
            padded = np.zeros((len(self.rows), longest, *self.rows[0].shape[1:]), self.rows[0].dtype)
            for row, array in enumerate(self.rows):
                padded[row, : len(array)] = array
            self._padded = torch.from_numpy(padded).to(device)

    def of(self, rows: np.ndarray, where: Tensor) -> tuple[Tensor, Tensor]:
        """Return the arrays in some rows, padded to their longest (N,K,...), and which entries there are (N,K)."""
        lengths = np.array([len(self.rows[row]) for row in rows])
        longest = max(1, int(lengths.max()))
        present = uploaded(np.arange(longest) < lengths[:, None], where.device)
        return self._padded[:, :longest].index_select(0, where), present


class _Chosen(TorchDataset):
    """Some of the images."""

    def __init__(self, images: Images, indices: Sequence[int]) -> None:
        self.images, self.indices = images, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> Sample | InputError:
        if place >= len(self.indices):
            raise IndexError(place)
        return caught(lambda: self.images[self.indices[place]])


def resident_stream(
    resident: Resident, task: Task, augment: Augment, draws: Draws, plan: Plan
) -> Iterator[Mapping[str, Batch]]:
    """Yield what ``tasks.data.loader.stream`` does, up to the rounding of colours, made on the device.

    A sample's pixels are the same whatever lies beside it. Arguments are those of ``stream``; ``workers`` and ``pin``
    of the plan have no meaning, since no batch is made elsewhere.
    """
    resident.load(index for part in plan.parts for index in part.indices)
    for keys in Order(plan, draws):
        yield {
            part.name: _batch(resident, task, augment, draws, part, [key for key in keys if key[0] == number])
            for number, part in enumerate(plan.parts)
        }


def _batch(resident: Resident, task: Task, augment: Augment, draws: Draws, part: Part, keys: Sequence[Key]) -> Batch:
    rows = resident.rows([index for _, _, index in keys])
    changes = [augment.draw(resident.size, generator_of(draws, part, position)) for _, position, _ in keys]
    move = Move(changes, resident.size, augment.crop, resident.device)
    image = recoloured(resident.pixels(rows, move), changes).permute(0, 3, 1, 2)
    target = None if part.hidden else task.targets(resident.kind.moved_batch(resident.moved(rows, move)))
    return Batch(part.name, image, target, move.inside)
