"""Every output space with shapes, targets and predictions to try it on."""

from dataclasses import dataclass

import torch

from tasks.base import IGNORE, OutputSpace, Prediction
from tasks.outputs.bayesian import BayesianDensity, stack_points
from tasks.outputs.binary import Binary
from tasks.outputs.boxes import stack
from tasks.outputs.categorical import Categorical
from tasks.outputs.density import Density
from tasks.outputs.detection import Detection
from tasks.outputs.fixation import Fixation
from tasks.outputs.logdepth import LogDepth

N, SIZE = 3, (30, 42)  # neither side is a multiple of 4


def boxes(generator):
    corner = torch.rand(N, 4, 2, generator=generator) * torch.tensor([30.0, 18.0])
    side = 4 + torch.rand(N, 4, 2, generator=generator) * 8
    xyxy = torch.cat([corner, corner + side], dim=-1)
    labels = torch.randint(0, 3, (N, 4), generator=generator)
    return stack(list(xyxy), list(labels))


def points(generator):
    spread = torch.tensor([SIZE[1], SIZE[0]])
    return stack_points([torch.rand(k, 2, generator=generator) * spread for k in (4, 0, 7)], SIZE)


@dataclass
class Case:
    space: OutputSpace
    shapes: list  # of the maps: channels, height, width
    target: object  # generator -> target
    nothing: object  # a target on which nothing is marked

    def prediction(self, seed, inside=None, grad=False):
        generator = torch.Generator().manual_seed(seed)
        maps = [torch.randn(N, *shape, generator=generator) for shape in self.shapes]
        if isinstance(self.space, Detection):
            k = self.space.classes
            maps = [torch.cat([m[:, :k], m[:, k:-1].abs(), m[:, -1:]], dim=1) for m in maps]
        return self.wrap([m.requires_grad_(grad) for m in maps], inside)

    def wrap(self, maps, inside=None):
        return Prediction(tuple(maps), {}, {}, (), torch.zeros(N, 4), SIZE, inside)

    def labels(self, seed):
        return self.target(torch.Generator().manual_seed(seed))


def uniform(generator):
    return torch.rand(N, *SIZE, generator=generator)


def everywhere(value):
    return torch.full((N, *SIZE), value)


CASES = {
    "categorical": Case(
        Categorical(3), [(3, 8, 11)], lambda g: torch.randint(0, 3, (N, *SIZE), generator=g), everywhere(IGNORE)
    ),
    "binary": Case(Binary(), [(1, 8, 11)], lambda g: (uniform(g) > 0.5).float(), everywhere(-1.0)),
    "logdepth": Case(LogDepth(10.0), [(1, 8, 11)], lambda g: 0.5 + 9 * uniform(g), everywhere(0.0)),
    "density": Case(Density(), [(1, 8, 11)], lambda g: uniform(g) / 50, everywhere(0.0)),
    "density reference": Case(Density("reference"), [(1, 8, 11)], lambda g: uniform(g) / 50, everywhere(0.0)),
    "bayesian": Case(BayesianDensity(4.0), [(1, 8, 11)], points, stack_points([torch.zeros(0, 2)] * N, SIZE)),
    "fixation": Case(Fixation(), [(1, 8, 11)], uniform, everywhere(-1.0)),
    "fixation, all terms": Case(Fixation(cc=1.0, nss=0.1), [(1, 8, 11)], lambda g: uniform(g) ** 4, everywhere(-1.0)),
    "detection": Case(
        Detection(3, (4, 8)),
        [(8, 8, 11), (8, 4, 6)],
        boxes,
        stack([torch.zeros(0, 4)] * N, [torch.zeros(0, dtype=torch.long)] * N),
    ),
}


def left_half():
    inside = torch.zeros(N, *SIZE, dtype=torch.bool)
    inside[:, :, :24] = True
    return inside


def gradients(loss, prediction):
    grads = torch.autograd.grad(loss, prediction.maps, allow_unused=True)
    return [torch.zeros_like(m) if g is None else g for g, m in zip(grads, prediction.maps, strict=True)]
