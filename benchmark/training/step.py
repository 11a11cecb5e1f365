"""One training step: batches and teachers' predictions computed when first asked for, then shared by the cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmark.training.clock import Clock, TeacherPass
from benchmark.training.conditions import Conditions
from benchmark.training.features import AsFloat32
from benchmark.training.ranks import ALONE, Ranks
from tasks.base import Batch, Mixed, Pasted, Prediction
from tasks.data.pixels import normalised
from tasks.errors import InputError
from tasks.nested import leaves, mapped, widened

LABELED = "labeled"
UNLABELED = ("unlabeled.0", "unlabeled.1")
BOXES = 3  # of a CutMix mask
AREA = (0.25, 0.5)  # share of the image that they cover together, at most
Made = TypeVar("Made")


def predict(network: Callable[[Tensor], Prediction], batch: Batch, fabric: Fabric, ranks: Ranks = ALONE) -> Prediction:
    """Run a network on a batch; losses are computed in float32, whatever the network ran in.

    Of processes that share the batch each runs it on a part, and all return the prediction of the whole.
    """
    with fabric.autocast():
        prediction = network(ranks.part(batch.image))

    def whole(maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return tuple(ranks.join(level).float() for level in maps)

    return replace(
        prediction,
        maps=whole(prediction.maps),
        features=AsFloat32(prediction.features, ranks.join),
        embedding=ranks.join(prediction.embedding).float(),
        inside=batch.inside,
        branches={name: whole(maps) for name, maps in prediction.branches.items()},
    )


def arrived(batch: Batch, fabric: Fabric) -> Batch:
    """Move a batch to the device, without waiting where it is pinned; normalise pixels and widen labels there.

    Nothing of it is the loader's own, so a method that changes it in place cannot reach those after it.
    """
    own = {id(tensor) for tensor in leaves(batch)}
    moved: Batch = fabric.to_device(batch)
    ready = replace(moved, image=normalised(moved.image), target=widened(moved.target))
    apart: Batch = mapped(ready, lambda tensor: tensor.clone() if id(tensor) in own else tensor)
    return apart


def box_mask(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Draw a CutMix mask, bool (H,W): three boxes inside the image, each of a third of the area, toggling on overlap.

    As MGD's code draws it (Qin et al., ECCV 2022): total area U(0.25, 0.5) of the image, random aspect ratios.
    """
    height, width = size
    mask = torch.zeros(size, dtype=torch.bool)
    low, high = AREA
    draws = torch.rand(BOXES, 4, generator=generator, dtype=torch.float64)
    for area, aspect, down, right in draws.tolist():
        share = (low + (high - low) * area) / BOXES
        tall = share**aspect  # share of the height: from the whole of it down to the box's own share
        box_height, box_width = max(1, round(height * tall)), max(1, round(width * share / tall))
        top, left = int(down * (height - box_height + 1)), int(right * (width - box_width + 1))
        mask[top : top + box_height, left : left + box_width] ^= True
    return mask


class SharedStep:
    """What a step computes once for all members of a cohort.

    Args:
        index: number of the step.
        batches: this step's batches by name, where the loader left them.
        teachers: networks by name, in eval mode.
        conditions: what all members train under.
        clock: times the teachers' predictions.
    """

    def __init__(
        self,
        index: int,
        batches: Mapping[str, Batch],
        teachers: Mapping[str, nn.Module],
        conditions: Conditions,
        clock: Clock,
    ) -> None:
        self.index, self.batches, self.teachers, self.clock = index, batches, teachers, clock
        self.conditions = conditions
        self.output, self.draws, self.fabric = conditions.output, conditions.draws, conditions.fabric
        self.steps, self.ranks = conditions.recipe.steps, conditions.ranks
        self.computed: list[TeacherPass] = []  # teachers' predictions so far
        self._made: dict[str, tuple[Batch, int]] = {}
        self._predictions: dict[TeacherPass, tuple[Prediction, int]] = {}

    def batch(self, name: str) -> Batch:
        """Return a batch of the loader on the device."""
        return self._once(name, lambda: self._place(name))

    def _place(self, name: str) -> Batch:
        if name not in self.batches:
            raise InputError(
                f"this cohort has no stream '{name}': a method asked for it without declaring it; "
                "set needs = Needs(unlabeled=True) in its class"
            )
        batch = self.batches[name]
        batch = arrived(batch if self.ranks.count == 1 else self._whole(batch), self.fabric)
        if self.conditions.channels_last:
            batch = replace(batch, image=batch.image.contiguous(memory_format=torch.channels_last))
        return batch

    def _whole(self, part: Batch) -> Batch:
        """Join the parts of a batch that the processes have loaded."""
        moved: Batch = self.fabric.to_device(part)
        target = None if part.target is None else self.output.join(self.ranks.parts(moved.target))
        return replace(moved, image=self.ranks.join(moved.image), target=target, inside=self.ranks.join(moved.inside))

    def mixed(self, alpha: float) -> Mixed:
        """Mix the labeled batch with a permutation of itself (mixup, Zhang et al., ICLR 2018)."""
        made = self._once(f"mixed.{alpha}", lambda: self._mix(alpha))
        assert isinstance(made, Mixed)
        return made

    def _mix(self, alpha: float) -> Mixed:
        source = self.batch(LABELED)
        count, device = len(source.image), source.image.device
        generator = self.draws.numpy("mixup", self.index)
        weight = (
            torch.from_numpy(generator.beta(alpha, alpha, count)).to(source.image.dtype).to(device, non_blocking=True)
        )
        order = torch.from_numpy(generator.permutation(count)).to(device, non_blocking=True)
        if not self.output.blends:  # an image that meets itself stays whole
            weight = weight.where(order != torch.arange(count, device=device), 1.0)
        share = weight[:, None, None, None]
        image = share * source.image + (1 - share) * source.image[order]
        target = self.output.mix(source.target, self.output.permute(source.target, order), weight)
        inside = source.inside & source.inside[order]
        return Mixed(f"mixed.{alpha}", image, target, inside, source, order, weight)

    def pasted(self, labeled: bool = False) -> Pasted:
        """Paste the second unlabeled batch into the first (CutMix, Yun et al., ICCV 2019), or the labeled into itself.

        Of the labeled batch the targets are pasted as the images are.
        """
        name, make = ("pasted.labeled", self._paste_labeled) if labeled else ("pasted", self._paste_unlabeled)
        made = self._once(name, make)
        assert isinstance(made, Pasted)
        return made

    def _paste_unlabeled(self) -> Pasted:
        return self._paste("pasted", self.batch(UNLABELED[0]), self.batch(UNLABELED[1]))

    def _paste_labeled(self) -> Pasted:
        source, shuffled = self.batch(LABELED), self._shuffled()
        pasted = self._paste("pasted.labeled", source, shuffled)
        return replace(pasted, target=self.output.paste(source.target, shuffled.target, pasted.mask))

    def _shuffled(self) -> Batch:
        """Return the labeled batch in another order."""
        source = self.batch(LABELED)
        generator = self.draws.torch("cutmix order", self.index)
        order = torch.randperm(len(source.image), generator=generator).to(source.image.device, non_blocking=True)
        target = self.output.permute(source.target, order)
        return Batch("labeled.shuffled", source.image[order], target, source.inside[order])

    def _paste(self, name: str, below: Batch, above: Batch) -> Pasted:
        count, _, height, width = below.image.shape
        generator = self.draws.torch("cutmix", self.index)
        mask = torch.stack([box_mask((height, width), generator) for _ in range(count)])
        mask = mask.to(below.image.device, non_blocking=True)
        image = torch.where(mask[:, None], above.image, below.image)
        inside = torch.where(mask, above.inside, below.inside)
        return Pasted(name, image, None, inside, (below, above), mask)

    def teacher(self, batch: Batch, name: str) -> Prediction:
        """Return a teacher's prediction, computed once."""
        key = (name, batch.name)
        if key not in self._predictions:
            with self.clock.measure(self.clock.teachers[key]), torch.no_grad():
                ranks = self.ranks.over(len(batch.image))
                prediction = predict(self.teachers[name], batch, self.fabric, ranks)
            self.computed.append(key)
            self._predictions[key] = (prediction, _version(prediction))
        return self._predictions[key][0]

    def check_untouched(self) -> None:
        """Raise RuntimeError where what is shared was changed in place; it is made afresh for the others."""
        if altered := [name for name, (batch, version) in self._made.items() if _changes(batch) != version]:
            self._made.clear()
            self._predictions.clear()  # perhaps of the changed images
            raise RuntimeError(
                f"changed batch '{altered[0]}', its images or its labels, in place; it is shared by the whole cohort: "
                "use the out-of-place form of the operation, or clone first"
            )
        touched = [key for key, (prediction, version) in self._predictions.items() if _version(prediction) != version]
        for key in touched:
            del self._predictions[key]
        if touched:
            name, batch = touched[0]
            raise RuntimeError(
                f"changed the prediction of teacher '{name}' on batch '{batch}' in place; it is shared by the whole "
                "cohort: use the out-of-place form of the operation, or clone first"
            )

    def _once(self, name: str, make: Callable[[], Batch]) -> Batch:
        if name not in self._made:
            made = make()
            self._made[name] = (made, _changes(made))
        return self._made[name][0]


def _changes(batch: Batch) -> int:
    """Count the in-place changes that the tensors of a batch have seen."""
    return sum(tensor._version for tensor in leaves(batch))


def _version(prediction: Prediction) -> int:
    """Count the in-place changes that the tensors of a prediction have seen."""
    features = prediction.features
    held = features.held() if isinstance(features, AsFloat32) else features.values()
    branches = (tensor for maps in prediction.branches.values() for tensor in maps)
    return sum(tensor._version for tensor in (*prediction.maps, *held, prediction.embedding, *branches))


class MemberStep:
    """One step as one member of the cohort sees it; implements ``methods.base.Step``.

    Args:
        shared: what the cohort computes once.
        network: the student.
        roles: the teacher that plays each role of the method, the method's first role first.
    """

    def __init__(self, shared: SharedStep, network: Callable[[Tensor], Prediction], roles: Mapping[str, str]) -> None:
        self.index, self.steps = shared.index, shared.steps
        self.asked: set[TeacherPass] = set()  # teachers' predictions that this member used
        self._shared, self._network, self._roles = shared, network, roles
        self._predictions: dict[str, Prediction] = {}

    @cached_property
    def labeled(self) -> Batch:
        """The labeled batch."""
        return self._shared.batch(LABELED)

    @property
    def unlabeled(self) -> tuple[Batch, Batch]:
        """Two independently shuffled unlabeled batches."""
        return self._shared.batch(UNLABELED[0]), self._shared.batch(UNLABELED[1])

    def mixed(self, alpha: float) -> Mixed:
        """The labeled batch mixed with itself."""
        return self._shared.mixed(alpha)

    def pasted(self, labeled: bool = False) -> Pasted:
        """The second unlabeled batch pasted into the first, or the labeled one into itself."""
        return self._shared.pasted(labeled)

    def student(self, batch: Batch) -> Prediction:
        """The member's own prediction; its dropout is keyed by the step, the batch and the part of a shared batch."""
        if batch.name not in self._predictions:
            ranks, purpose = self._shared.ranks.over(len(batch.image)), f"dropout {batch.name}"
            self._shared.draws.reseed(purpose, self.index, *ranks.position)
            self._predictions[batch.name] = predict(self._network, batch, self._shared.fabric, ranks)
            if ranks.count > 1:  # what a method's own layers draw is the same in every process
                self._shared.draws.reseed(purpose, self.index)
        return self._predictions[batch.name]

    def role(self, role: str | None) -> str:
        """Return a role of the method, its first where None is asked for; raises InputError for one undeclared."""
        chosen = next(iter(self._roles), "teacher") if role is None else role
        if chosen not in self._roles:
            raise InputError(
                f"this method has no teacher '{chosen}': declare it, needs = Needs(teachers=('{chosen}',))"
            )
        return chosen

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        """A teacher's prediction, without gradient, shared by the cohort."""
        name = self._roles[self.role(role)]
        self.asked.add((name, batch.name))
        return self._shared.teacher(batch, name)

    def supervised(self, batch: Batch | None = None) -> Tensor:
        """The task loss on a batch, and that of the student's branches where the recipe gives them weight."""
        batch = self.labeled if batch is None else batch
        output, student, target = self._shared.output, self.student(batch), batch.target
        loss = output.supervised(student.maps, target)
        weight = self._shared.conditions.recipe.auxiliary
        branches = student.branches.values() if weight else ()
        return loss + weight * sum(output.supervised(maps, target) for maps in branches) if branches else loss

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator keyed by (seed, purpose, step)."""
        return self._shared.draws.torch(f"method {purpose}", self.index)
