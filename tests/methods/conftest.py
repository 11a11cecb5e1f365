"""The runner's step over two tiny networks and random images, and the fixtures that hold the authors' values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.config.schema import Recipe
from benchmark.training.clock import Clock, HostTimer
from benchmark.training.conditions import Conditions
from benchmark.training.device import build_fabric
from benchmark.training.randomness import Randomness
from benchmark.training.step import LABELED, UNLABELED, MemberStep, SharedStep
from methods.base import Setting
from tasks.base import IGNORE, Batch, Prediction
from tasks.outputs.binary import Binary
from tasks.outputs.boxes import stack
from tasks.outputs.categorical import Categorical
from tasks.outputs.density import Density
from tasks.outputs.detection import Detection
from tasks.outputs.fixation import Fixation
from tasks.outputs.logdepth import LogDepth

LOSSES = Path(__file__).parents[1] / "fixtures" / "losses"
CLASSES = 4


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
    "looks": (Fixation, lambda shape, rng: torch.rand(shape, generator=rng) ** 4, everywhere(-1.0)),
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

    def forward(self, image: Tensor) -> Prediction:
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
        )


class TinyStep(MemberStep):
    """The runner's own step, over one tiny student, its teachers and random images."""

    def __init__(
        self,
        space: str = "classes",
        batch: int = 3,
        size: int = 16,
        invalid: bool = False,
        same: bool = False,
    ) -> None:
        make_output, targets, nothing = SPACES[space]
        self.output, self._target, self._invalid = make_output(), nothing if invalid else targets, invalid
        self._rng = torch.Generator().manual_seed(7)
        channels = self.output.channels
        self.student_net = TinyNet(3, channels, seed=1)
        first, second = (3, 3) if same else (4, 6)
        width = {"deep": first, "wide": second, "spatial": first, "temporal": second}
        self.teacher_nets = {role: TinyNet(width[role], channels, seed=2) for role in width}
        if same:
            for teacher in self.teacher_nets.values():
                teacher.load_state_dict(self.student_net.state_dict())
        batches = {name: self._random(name, batch, size) for name in (LABELED, *UNLABELED)}
        conditions = Conditions(self.output, Recipe(steps=10), Randomness(7), build_fabric("cpu", "32"))
        self.shared = SharedStep(0, batches, self.teacher_nets, conditions, Clock(HostTimer()))
        super().__init__(self.shared, self.student_net, {role: role for role in self.teacher_nets})

    def _random(self, name: str, batch: int, size: int) -> Batch:
        shape = (batch, size, size)
        image = torch.randn(batch, 3, size, size, generator=self._rng)
        return Batch(name, image, self._target(shape, self._rng), torch.full(shape, not self._invalid))

    def setting(self) -> Setting:
        with torch.no_grad():
            image = self.labeled.image
            teachers = {role: net(image) for role, net in self.teacher_nets.items()}
            return Setting(self.output, self.student_net(image), teachers)

    @property
    def calls(self) -> list[str]:
        """The predictions that were computed: who, and on what."""
        return [f"student:{name}" for name in self._predictions] + [":".join(each) for each in self.shared.computed]


@pytest.fixture
def make_step() -> type[TinyStep]:
    return TinyStep
