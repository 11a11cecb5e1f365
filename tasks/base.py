"""The contracts of a task: what a network is given and returns, what a task builds.

Those of a dataset and of a metric have files of their own; their names can be had from here, as every contract's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tasks.annotations.boxes import Boxes as Boxes
from tasks.annotations.kind import IGNORE as IGNORE
from tasks.annotations.kind import Info as Info
from tasks.annotations.kind import kind_of
from tasks.dataset import Dataset as Dataset
from tasks.dataset import Sample as Sample
from tasks.dataset import datasets as datasets
from tasks.errors import InputError
from tasks.metric import Metric as Metric
from tasks.nested import joined, mapped
from tasks.registry import Registry
from tasks.trivial import Trivial

SHARPNESS = 4.0  # factor from a bounded map to scores of labels
MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB in [0, 1]
STD = (0.229, 0.224, 0.225)


class Draws(Protocol):
    """Counter-based randomness: a fresh generator for every (purpose, position), whoever asks and in whatever order."""

    def numpy(self, purpose: str, *position: int) -> np.random.Generator:
        """Return a NumPy generator."""

    def torch(self, purpose: str, *position: int) -> torch.Generator:
        """Return a CPU torch generator."""


@dataclass
class Batch:
    """Images on their way into a network.

    ``image`` (N,3T,H,W), T frames: uint8 as far as the device, then float32, ImageNet-normalised; ``target`` what the
    task's output space reads, None where labels are hidden; ``inside`` bool (N,H,W), False on padding: teachers are
    trusted inside, labeled or not; where labels are known the target says; ``name`` is unique within a step.
    """

    name: str
    image: Tensor
    target: Any
    inside: Tensor

    @staticmethod
    def whole(name: str, image: Tensor) -> Batch:
        """Make a batch of whole images: no padding, no labels."""
        inside = torch.ones(len(image), *image.shape[-2:], dtype=torch.bool, device=image.device)
        return Batch(name, image, None, inside)

    def pin_memory(self) -> Batch:
        """Copy all tensors, those of the target too, to page-locked memory: a GPU reads it without waiting."""
        pinned: Batch = mapped(self, lambda tensor: tensor.pin_memory())
        return pinned


@dataclass
class Mixed(Batch):
    """Mixup of a batch with itself: ``weight * x + (1 - weight) * x[order]``; weight (N,), order (N,)."""

    source: Batch
    order: Tensor
    weight: Tensor


@dataclass
class Pasted(Batch):
    """CutMix of two batches: the second where ``mask`` (N,H,W bool) is set, the first elsewhere."""

    sources: tuple[Batch, Batch]
    mask: Tensor


@dataclass
class Prediction:
    """What every network returns, student or teacher.

    ``maps``: raw head outputs, one (N,C,h,w), or one a pyramid level. ``features``: named, shallow to deep, each
    (N,C,h,w), with ``strides``. ``shared``: names of the features that the head reads (decoder, or pyramid levels).
    ``embedding``: (N,D), pooled deepest feature. ``size``: (H,W) of the input. ``inside``: bool (N,H,W), the input
    without padding, or None when there is none. ``branches``: named raw maps, like ``maps``, of parts of the network
    that predict by themselves before they are fused; most have none.

    Examples:
        >>> import torch
        >>> from tasks.base import Prediction
        >>> deep = torch.zeros(2, 16, 4, 4)
        >>> maps = (torch.zeros(2, 3, 4, 4),)
        >>> seen = Prediction(maps, {"stage3": deep}, {"stage3": 8}, ("stage3",), deep.mean(dim=(2, 3)), (32, 32))
        >>> seen.embedding.shape
        torch.Size([2, 16])
    """

    maps: tuple[Tensor, ...]
    features: Mapping[str, Tensor]
    strides: dict[str, int]
    shared: tuple[str, ...]
    embedding: Tensor
    size: tuple[int, int]
    inside: Tensor | None = None
    branches: dict[str, tuple[Tensor, ...]] = field(default_factory=dict)

    def select(self, images: Tensor | slice) -> Prediction:
        """Return the prediction of some of the images, by their positions; one may be chosen twice."""
        return replace(
            self,
            maps=tuple(each[images] for each in self.maps),
            branches={name: tuple(each[images] for each in maps) for name, maps in self.branches.items()},
            features={name: each[images] for name, each in self.features.items()},
            embedding=self.embedding[images],
            inside=None if self.inside is None else self.inside[images],
        )


@dataclass
class NetworkSpec:
    """Which network to build, and where its first weights come from: a decoder on an encoder, or a registered class.

    ``weights``: None (from scratch), ``imagenet`` (encoder), ``hub:NAME`` or the path of a file of weights.
    ``network`` names a class of the registry ``networks``, built with ``options``; of a plain module, ``output`` and
    ``features`` name the nodes of its graph that are its raw map and its features (``tasks.networks.extracted``).
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

    def __str__(self) -> str:
        return self.network or f"{self.decoder} {self.encoder}"


networks: Registry[nn.Module] = Registry("network", "densedistill.networks", nn.Module)


class OutputSpace(ABC):
    """What the maps of a network mean, and the verbs that follow from it.

    Every loss is a mean over the positions that count, which no method sees: the task loss counts where the truth is
    known (``labeled``, neither ignore label nor missing depth), everything that looks at a prediction alone counts
    inside the image (``Prediction.inside``), whatever labels say. A target is whatever ``supervised`` reads; methods
    pass it around and never look into it.

    Examples:
        >>> import torch
        >>> from tasks.outputs.categorical import Categorical
        >>> maps, labels = (torch.zeros(1, 3, 4, 4),), torch.zeros(1, 8, 8, dtype=torch.long)
        >>> round(Categorical(3).supervised(maps, labels).item(), 3)
        1.099
    """

    channels: int  # of each map
    labels_are_ordered: bool = False  # bins of a quantity, whose neighbours are alike
    labels_say_all: bool = False  # a prediction is its labels: nothing is left out, as boxes are

    @abstractmethod
    def supervised(self, maps: Sequence[Tensor], target: Any) -> Tensor:
        """Return the task loss of raw maps against a target (hard, mixed or pasted), a scalar."""

    @abstractmethod
    def divergence(self, student: Prediction, teacher: Prediction, temperature: float = 1.0) -> Tensor:
        """Return the soft distance between two predictions of one batch, a scalar; zero when they are equal."""

    @abstractmethod
    def hard_targets(self, teacher: Prediction) -> Any:
        """Turn a teacher's prediction into a pseudo-label: a target at the resolution of the input."""

    @abstractmethod
    def summary(self, prediction: Prediction) -> Tensor:
        """Describe each image by one vector, (N,D), taken inside it."""

    @abstractmethod
    def bounded(self, prediction: Prediction) -> Tensor:
        """Return one map (N,C,h,w) in a bounded range, for critics."""

    def enlarged(self, prediction: Prediction) -> Tensor:
        """Return the raw map at the size of the input, (N,C,H,W), by which views of one image are averaged.

        Raises InputError, as here, where a prediction is no map of numbers at positions.
        """
        raise InputError(
            "evaluation.window and evaluation.flip join maps of numbers, which this task does not predict; drop both"
        )

    def proper(self, raw: Tensor) -> Tensor:
        """Bring any numbers (N,C,h,w), as a bare convolution gives them, into the range of the maps of this space."""
        return raw

    @abstractmethod
    def mix(self, a: Any, b: Any, weight: Tensor) -> Any:
        """Mix two targets as mixup mixes their images, ``weight`` (N,) on ``a``."""

    @abstractmethod
    def paste(self, a: Any, b: Any, mask: Tensor) -> Any:
        """Paste target ``b`` into ``a`` where ``mask`` (N,H,W) is set, as CutMix does with their images."""

    @abstractmethod
    def permute(self, target: Any, order: Tensor) -> Any:
        """Reorder a target along the batch."""

    def join(self, parts: Sequence[Any]) -> Any:
        """Join the targets of the parts of a batch, one after the other, as ``Task.collate`` joins those of its images.

        Here tensors, however nested, along the batch. Raises InputError where these differ in another size, as lists
        that are padded to the longest of a batch do: a space with such targets says itself how they are joined.
        """
        return joined(parts)

    @abstractmethod
    def labeled(self, target: Any, size: tuple[int, int]) -> Tensor:
        """Return the positions of the input where the truth is known, bool (N,H,W)."""

    def label_scores(self, prediction: Prediction) -> tuple[Tensor, ...]:
        """Tell a prediction in labels: one score a label and position, (N,K,h,w), a map or pyramid level; K is fixed.

        Unless an output space has labels of its own, they are the channels of its bounded map, the largest of which is
        the most likely one; a single channel is held against zero.
        """
        scores = SHARPNESS * self.bounded(prediction)
        return (torch.cat([torch.zeros_like(scores), scores], dim=1) if scores.shape[1] == 1 else scores,)

    def labels(self, target: Any, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, ...] | None:
        """Return the true labels of a hard target at the sizes of the label scores, int64 (N,h,w), 255 where unknown.

        None, as here, where the truth cannot be told in labels: then a teacher's most likely ones stand for it.
        """
        return None

    def relabel(self, prediction: Prediction, scores: Sequence[Tensor]) -> tuple[Tensor, ...] | None:
        """Return the maps of a prediction whose label scores were these: the way back from ``label_scores``.

        Its own scores give its own maps back; what labels do not tell stays. None, as here, where there is no way back.
        """
        return None


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
