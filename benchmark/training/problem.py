"""A task on a dataset, ready to train and to score networks on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.config.schema import Config, DataCommon, Recipe
from benchmark.training.conditions import Conditions
from benchmark.training.dataset import MACHINE, build_dataset
from benchmark.training.device import default_workers, place
from benchmark.training.evaluate import Evaluation, evaluate
from benchmark.training.randomness import Randomness
from benchmark.training.ranks import ALONE, Ranks
from benchmark.training.residency import Placement, decide
from benchmark.training.step import LABELED, UNLABELED
from tasks.base import Batch, Dataset, NetworkSpec, Prediction, Task, datasets, tasks
from tasks.data.augment import Augment
from tasks.data.clips import Frames
from tasks.data.loader import Images, Part, Plan, stream
from tasks.data.partition import Partition, split_labeled
from tasks.data.resident import Resident, resident_stream
from tasks.data.resize import target_size
from tasks.errors import InputError, first_line
from tasks.networks.build import build_network
from tasks.registry import options


class Problem:
    """Task, dataset and the part of it that carries labels.

    Args:
        config: everything that was asked for.
        fabric: device and precision.

    Raises InputError where the dataset lacks what the task learns from.
    """

    def __init__(self, config: Config, fabric: Fabric) -> None:
        self.config, self.fabric, self.ranks = config, fabric, Ranks.of(fabric)
        self._tried: set[str] = set()  # networks that took an image
        self.dataset = build_dataset(config.data, Path(config.home))
        cls = tasks[config.task["name"]]
        if cls.annotation not in self.dataset.provides:
            fitting = sorted(name for name, dataset in datasets.items() if cls.annotation in dataset.provides)
            raise InputError(
                f"task={cls.name} learns from '{cls.annotation}', which data={self.dataset.name} does not have; "
                f"datasets that do: {', '.join(fitting)}"
            )
        chosen = {key: value for key, value in config.task.items() if key != "name"}
        self.task: Task = cls(self.dataset.info, **chosen)
        self.dataset = Frames(self.dataset, self.task.frames)  # as scores are taken on it
        self.partition: Partition = split_labeled(
            self.dataset.ids("train"), str(config.data["labeled"]), self.dataset.group
        )
        own_size = "size" in options(datasets[config.data["name"]])
        self.size: int | Sequence[int] | None = None if own_size else config.data["size"]

    @cached_property
    def data_options(self) -> dict[str, Any]:
        """The data keys that can change a result."""
        common = {field for field in DataCommon.__dataclass_fields__ if field not in ("name", "size")}
        chosen = {key: value for key, value in self.config.data.items() if key not in MACHINE | common}
        share = self.config.data["tuning_split"]
        return chosen if share is None else {**chosen, "tuning_split": share}

    @cached_property
    def manifest(self) -> str:
        """Hash of the dataset's content."""
        return self.dataset.manifest()

    @cached_property
    def first_size(self) -> tuple[int, int]:
        """Size (H,W) of the first training image as a network sees it."""
        return target_size(self.dataset.load("train", 0).image, self.size)

    @property
    def blank(self) -> torch.Tensor:
        """One black image as a network sees it, (1,3*frames,H,W)."""
        return torch.zeros(1, 3 * self.task.frames, *self.first_size, device=self.fabric.device)

    def crop(self, recipe: Recipe) -> tuple[int, int]:
        """Size (H,W) of the training batches."""
        return (recipe.crop[0], recipe.crop[1]) if recipe.crop is not None else self.first_size

    def conditions(self, recipe: Recipe, draws: Randomness) -> Conditions:
        """Say what a cohort of this problem trains under."""
        config = self.config
        return Conditions(
            self.task.output, recipe, draws, self.fabric, config.channels_last, config.compile, self.ranks
        )

    def build_network(self, spec: NetworkSpec, draws: Randomness) -> nn.Module:
        """Build a network on the device, its initial weights keyed by the seed."""
        with draws.globally("initial weights"):
            network = build_network(self.task, spec, self.first_size)
        network = place(network, self.fabric, self.config.channels_last)
        if repr(spec) not in self._tried:
            self._try(network)
            self._tried.add(repr(spec))
        return network

    def _try(self, network: nn.Module) -> None:
        """Raise InputError where a network cannot take one image of the data's size: the smallest batch there is."""
        try:
            with torch.no_grad():
                network.eval()(self.blank)
        except torch.AcceleratorError:
            raise
        except (ValueError, RuntimeError) as error:
            size = "x".join(map(str, self.first_size))
            raise InputError(
                f"a network cannot take one image of {size} pixels ({first_line(error)}); give it larger ones by "
                "data.size, or choose another student or teacher"
            ) from error
        finally:
            network.train()

    def example(self, network: nn.Module, recipe: Recipe) -> Prediction:
        """Run a network on two blank images, to learn the shapes of what it returns."""
        network.eval()
        blank = torch.zeros(2, 3 * self.task.frames, *self.crop(recipe), device=self.fabric.device)
        with torch.no_grad():
            prediction: Prediction = network(blank)
        return prediction

    def batches(
        self, recipe: Recipe, draws: Randomness, start: int, unlabeled: bool, ranks: Ranks = ALONE
    ) -> Iterator[Mapping[str, Batch]]:
        """Open the streams at a step: the labeled one, and two unlabeled ones where asked for; of ``ranks``, a part."""
        parts = [Part(LABELED, self.partition.labeled)]
        if unlabeled:  # all images, without labels, where every one has a label
            rest = self.partition.unlabeled or self.partition.labeled
            parts += [Part(name, rest, hidden=True) for name in UNLABELED]
        plan = Plan(
            parts,
            batch=recipe.batch,
            start=start,
            stop=recipe.steps,
            workers=default_workers(self.fabric, self.config.workers),
            pin=self.fabric.device.type == "cuda",
            rank=ranks.rank,
            ranks=ranks.count,
        )
        augment = Augment(self.crop(recipe), recipe.scale, recipe.flip, recipe.jitter, recipe.crop_share)
        if self.placement.resident:
            return resident_stream(self._resident, self.task, augment, draws, plan)
        return stream(self._images, self.task, augment, draws, plan)

    @cached_property
    def placement(self) -> Placement:
        """Where samples are augmented, and why there: those of students and of teachers alike."""
        config = self.config
        crops_vary = any(recipe.crop_share is not None for recipe in (config.recipe, config.teacher.recipe))
        cache, device = config.data["cache"], self.fabric.device
        return decide(cache, self.task, self.dataset, self.size, device, crops_vary=crops_vary)

    @cached_property
    def _resident(self) -> Resident:
        workers = default_workers(self.fabric, self.config.workers)
        return Resident(self._images, self.fabric.device, workers)

    @cached_property
    def _images(self) -> Images:
        return Images(self._training, "train", frozenset({self.task.annotation}), self.size)

    @cached_property
    def _training(self) -> Dataset:
        """The dataset as it is trained on: its samples are kept at the size that a network sees."""
        if self.size is None:
            return self.dataset
        return Frames(build_dataset(self.config.data, Path(self.config.home), self.size), self.task.frames)

    def evaluate(self, network: nn.Module, split: str) -> Evaluation:
        """Score a network on a split; on the test split an image at a time as well."""
        return evaluate(
            network,
            self.task,
            self.dataset,
            split,
            size=self.size,
            how=self.config.evaluation,
            fabric=self.fabric,
            per_image=self.primary if split == "test" else None,
        )

    @property
    def primary(self) -> str:
        """Name of the metric that ranks."""
        return next(iter(self.task.metrics))

    def goodness(self, evaluation: Evaluation) -> float:
        """The primary metric, signed so that higher is better."""
        value = evaluation.scores[self.primary]
        return value if self.task.metrics[self.primary] else -value
