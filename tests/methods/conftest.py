"""A step over two tiny networks and random images, and the fixtures that hold the authors' values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from torch import Tensor, nn

from methods.base import Setting
from tasks.base import IGNORE, Batch, Mixed, Pasted, Prediction
from tasks.outputs.binary import Binary
from tasks.outputs.boxes import stack
from tasks.outputs.categorical import Categorical
from tasks.outputs.density import Density
from tasks.outputs.detection import Detection
from tasks.outputs.logdepth import LogDepth

LOSSES = Path(__file__).parents[1] / "fixtures" / "losses"
CLASSES = 4

settings.register_profile("laws", deadline=None)  # a busy machine is no failure
settings.load_profile("laws")


class TinyDetection(Detection):
    """Detection on one level of stride 4, over raw maps: distances are made positive here."""

    def fields(self, maps):
        level = maps[0]
        distances = 1 + level[:, self.classes : -1].square()
        return super().fields([torch.cat([level[:, : self.classes], distances, level[:, -1:]], dim=1)])


def some_boxes(shape, rng):
    corners = shape[1] * torch.rand(shape[0], 2, 2, generator=rng)
    xyxy = torch.cat([corners, corners + 1 + shape[1] / 2], dim=2)
    return stack(list(xyxy), list(torch.randint(0, 2, (shape[0], 2), generator=rng)))


def no_boxes(shape, rng):
    return stack([torch.zeros(0, 4)] * shape[0], [torch.zeros(0).long()] * shape[0])


def everywhere(value):
    return lambda shape, rng: torch.full(shape, value)


# of each output space: how to build it, targets, targets without supervision
SPACES = {
    "classes": (
        lambda: Categorical(CLASSES),
        lambda shape, rng: torch.randint(0, CLASSES, shape, generator=rng),
        everywhere(IGNORE),
    ),
    "mask": (Binary, lambda shape, rng: torch.randint(0, 2, shape, generator=rng).float(), everywhere(-1.0)),
    "depth": (lambda: LogDepth(10.0), lambda shape, rng: 0.5 + 4 * torch.rand(shape, generator=rng), everywhere(0.0)),
    "density": (Density, lambda shape, rng: torch.rand(shape, generator=rng) / 64, everywhere(0.0)),
    "boxes": (lambda: TinyDetection(2, strides=(4,), pseudo_score=0.3), some_boxes, no_boxes),
}


@pytest.fixture
def reference() -> Callable[[str, torch.dtype], dict[str, Tensor]]:
    """Load a case: floating inputs in the given dtype, everything else as it lies there."""

    def load(name: str, dtype: torch.dtype) -> dict[str, Tensor]:
        with np.load(LOSSES / f"{name}.npz") as arrays:
            tensors = {key: torch.from_numpy(np.asarray(arrays[key])) for key in arrays}
        return {
            key: t.to(dtype) if key.startswith("in_") and t.is_floating_point() else t for key, t in tensors.items()
        }

    return load


class TinyNet(nn.Module):
    """Two strided stages, a decoder and a head; ``width`` tells student from teacher."""

    def __init__(self, width: int, channels: int = CLASSES, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.stage1 = nn.Conv2d(3, width, 3, stride=2, padding=1)
            self.stage2 = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
            self.decoder = nn.Conv2d(2 * width, width + 1, 1)
            self.head = nn.Conv2d(width + 1, channels, 1)

    def forward(self, image: Tensor, valid: Tensor | None = None) -> Prediction:
        first = self.stage1(image).relu()
        second = self.stage2(first).relu()
        decoded = self.decoder(second).relu()
        return Prediction(
            maps=(self.head(decoded),),
            features={"stage1": first, "stage2": second, "decoder": decoded},
            strides={"stage1": 2, "stage2": 4, "decoder": 4},
            shared=("decoder",),
            embedding=second.mean(dim=(2, 3)),
            size=(image.shape[-2], image.shape[-1]),
            valid=valid,
        )


class TinyStep:
    """The Step protocol over one student and its teachers; every prediction is computed once."""

    index = 0
    steps = 10

    def __init__(
        self,
        space: str = "classes",
        batch: int = 3,
        size: int = 16,
        invalid: bool = False,
        same: bool = False,
    ) -> None:
        make_output, targets, nothing = SPACES[space]
        self.output, self._target = make_output(), nothing if invalid else targets
        self.rng = torch.Generator().manual_seed(7)
        channels = self.output.channels
        self.student_net = TinyNet(3, channels, seed=1)
        width = {"deep": 3, "wide": 3} if same else {"deep": 4, "wide": 6}
        self.teacher_nets = {role: TinyNet(width[role], channels, seed=2) for role in ("deep", "wide")}
        if same:
            for teacher in self.teacher_nets.values():
                teacher.load_state_dict(self.student_net.state_dict())
        self.invalid = invalid
        self.labeled = self._batch("labeled", batch, size)
        self.unlabeled = (self._batch("u0", batch, size), self._batch("u1", batch, size))
        self.calls: list[str] = []
        self._predictions: dict[tuple[str, str], Prediction] = {}
        self._pasted: Pasted | None = None

    def _batch(self, name: str, batch: int, size: int) -> Batch:
        shape = (batch, size, size)
        image = torch.randn(batch, 3, size, size, generator=self.rng)
        return Batch(name, image, self._target(shape, self.rng), torch.full(shape, not self.invalid))

    def setting(self) -> Setting:
        with torch.no_grad():
            image = self.labeled.image
            teachers = {role: net(image) for role, net in self.teacher_nets.items()}
            return Setting(self.output, self.student_net(image), teachers)

    def mixed(self, alpha: float) -> Mixed:
        batch = self.labeled
        order = torch.arange(len(batch.image)).roll(1)
        weight = torch.linspace(0.2, 0.9, len(order))
        image = weight[:, None, None, None] * batch.image + (1 - weight)[:, None, None, None] * batch.image[order]
        target = self.output.mix(batch.target, self.output.permute(batch.target, order), weight)
        return Mixed("mixed", image, target, batch.valid & batch.valid[order], batch, order, weight)

    def pasted(self) -> Pasted:
        if self._pasted is None:
            first, second = self.unlabeled
            mask = torch.zeros_like(first.valid)
            mask[:, : mask.shape[1] // 2, 1:] = True
            image = torch.where(mask[:, None], second.image, first.image)
            valid = torch.where(mask, second.valid, first.valid)
            self._pasted = Pasted("pasted", image, None, valid, (first, second), mask)
        return self._pasted

    def student(self, batch: Batch) -> Prediction:
        return self._once("student", batch, self.student_net)

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        name = next(iter(self.teacher_nets)) if role is None else role
        with torch.no_grad():
            return self._once(name, batch, self.teacher_nets[name])

    def _once(self, who: str, batch: Batch, network: TinyNet) -> Prediction:
        if (who, batch.name) not in self._predictions:
            self.calls.append(f"{who}:{batch.name}")
            self._predictions[who, batch.name] = network(batch.image, batch.valid)
        return self._predictions[who, batch.name]

    def supervised(self) -> Tensor:
        return self.output.supervised(self.student(self.labeled).maps, self.labeled.target)

    def generator(self, purpose: str) -> torch.Generator:
        return torch.Generator().manual_seed(sum(map(ord, purpose)))


@pytest.fixture
def make_step() -> type[TinyStep]:
    return TinyStep
