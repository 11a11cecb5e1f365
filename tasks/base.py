"""The contract of a task: what it builds, and from what.

Those of batches, predictions, output spaces, datasets and metrics have files of their own; the names of all can be had
from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import nn

from tasks.annotations.boxes import Boxes as Boxes
from tasks.annotations.kind import IGNORE as IGNORE
from tasks.annotations.kind import Info as Info
from tasks.annotations.kind import kind_of
from tasks.batch import MEAN as MEAN
from tasks.batch import STD as STD
from tasks.batch import Batch as Batch
from tasks.batch import Mixed as Mixed
from tasks.batch import Pasted as Pasted
from tasks.dataset import Dataset as Dataset
from tasks.dataset import Sample as Sample
from tasks.dataset import datasets as datasets
from tasks.metric import Metric as Metric
from tasks.output_space import SHARPNESS as SHARPNESS
from tasks.output_space import OutputSpace as OutputSpace
from tasks.prediction import Prediction as Prediction
from tasks.registry import Registry
from tasks.trivial import Trivial


class Draws(Protocol):
    """Counter-based randomness: a fresh generator for every (purpose, position), whoever asks and in whatever order."""

    def numpy(self, purpose: str, *position: int) -> np.random.Generator:
        """Return a NumPy generator."""

    def torch(self, purpose: str, *position: int) -> torch.Generator:
        """Return a CPU torch generator."""


@dataclass
class NetworkSpec:
    """Which network to build, and where its first weights come from: a decoder on an encoder, or a registered class.

    ``weights``: None (from scratch), ``imagenet`` (encoder), ``hub:NAME`` or the path of a file of weights.
    ``network`` names a class of the registry ``networks``, built with ``options``; of a plain module, ``output`` and
    ``features`` name the nodes of its graph that are its raw map and its features (``tasks.networks.extracted``).
    ``shrink``: it sees the image averaged over cells of so many pixels each way (``tasks.networks.shrunk``).
    """

    decoder: str = "fpn"
    encoder: str = "tu-resnet18"
    encoder_options: dict[str, Any] = field(default_factory=dict)
    decoder_options: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None
    network: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    output: str | None = None
    features: Any = None  # dict[str, str]; any, since Hydra opens a typed mapping to no new key
    shrink: int = 1

    def __str__(self) -> str:
        name = self.network or f"{self.decoder} {self.encoder}"
        return name if self.shrink == 1 else f"{name} at 1/{self.shrink}"


networks: Registry[nn.Module] = Registry("network", "densedistill.networks", nn.Module)


@dataclass(frozen=True)
class Margin:
    """By how much a teacher must beat the student alone for their gap to mean something, in the primary metric.

    Either absolute or, ``relative``, a share of the student's score.
    """

    value: float
    relative: bool = False


class Task(ABC):
    """What is predicted; built for one dataset; the constructor's keyword-only arguments are its options.

    Examples:
        >>> from tasks.base import Info
        >>> from tasks.segmentation import Segmentation
        >>> task = Segmentation(Info(classes=("sky", "road")))
        >>> task.annotation, next(iter(task.metrics)), task.output.channels
        ('classes', 'miou', 2)
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    annotation: ClassVar[str]  # the kind that it learns from
    dataset: ClassVar[str] = "scenes"  # where nothing else is chosen
    metrics: ClassVar[Mapping[str, bool]]  # name -> higher is better; the first is primary
    student: ClassVar[NetworkSpec]  # defaults that the command line overrides
    teachers: ClassVar[Mapping[str, NetworkSpec]]  # name -> network, the main one first
    recipe: ClassVar[Mapping[str, Any]]  # deviations from benchmark.config.schema.Recipe's defaults
    teacher_recipe: ClassVar[Mapping[str, Any]]  # the same for teachers, on top of ``recipe``
    margin: ClassVar[Margin | None] = None  # None: a protocol cannot be held against one
    frames: int = 1  # of an image that its networks read: (N,3*frames,H,W), the newest first
    output: OutputSpace

    def __init__(self, info: Info) -> None:
        self.info = info

    @abstractmethod
    def network(self, spec: NetworkSpec) -> nn.Module:
        """Build a network whose forward maps images (N,3*frames,H,W) to a Prediction."""

    @abstractmethod
    def metric(self) -> Metric:
        """Return a fresh metric."""

    @abstractmethod
    def target(self, sample: Sample) -> Any:
        """Turn an (augmented) sample's annotation into tensors that collate; uint8 ones reach losses as int64."""

    def collate(self, targets: Sequence[Any]) -> Any:
        """Join the targets of single samples into one of a batch; stacks tensors unless a task says otherwise."""
        return torch.stack(list(targets))

    def targets(self, values: Any) -> Any:
        """Turn what ``moved_batch`` of the task's kind of annotation made into the target of a batch, on the device.

        The same as ``target`` of each sample, joined by ``collate``. A task need not have it: its samples are then
        augmented on the host alone. A class that overrides one of the two others overrides this one too, or the same
        holds for it.
        """
        raise NotImplementedError

    @abstractmethod
    def decode(self, prediction: Prediction, index: int, size: tuple[int, int]) -> Any:
        """Turn image ``index`` of a prediction into what the metric reads, at ``size`` (H,W) of the ground truth."""

    def decode_batch(self, prediction: Prediction, sizes: Sequence[tuple[int, int]]) -> list[Any]:
        """Decode every image of a prediction, each at its size; here one by one, which on a GPU waits for each."""
        return [self.decode(prediction, index, size) for index, size in enumerate(sizes)]

    def truth(self, sample: Sample) -> Any:
        """Return the annotation that the metric holds a decoded prediction against."""
        return sample.annotations[self.annotation]

    def truth_size(self, sample: Sample) -> tuple[int, int]:
        """Return the size (H,W) at which predictions are scored: the annotation's if it has one, else the image's."""
        size = kind_of(self.annotation).size(sample.annotations[self.annotation])
        return size or (sample.image.shape[0], sample.image.shape[1])

    def trivial(self, samples: Iterable[Sample]) -> dict[str, Trivial]:
        """Learn predictors that look at no image from labeled training samples, each a pass over them at most.

        Every board shows them: a student that does not beat the best has learned nothing that counts. None, as here,
        where a task knows none; see ``tasks.trivial``.
        """
        return {}

    @abstractmethod
    def picture(self, decoded: Any, image: np.ndarray) -> np.ndarray:
        """Draw a decoded prediction, or a truth, as uint8 RGB of the size of ``image``."""


tasks: Registry[Task] = Registry("task", "densedistill.tasks", Task)
