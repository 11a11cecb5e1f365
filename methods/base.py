"""The contracts of a distillation method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn

from tasks.base import Batch, Mixed, OutputSpace, Pasted, Prediction
from tasks.registry import Registry

SUPERVISED = "supervised"  # the name of the task loss among a method's terms


@dataclass(frozen=True)
class Needs:
    """What a method must be given: its teachers, and whether unlabeled images.

    ``teachers`` names the roles that the method wants, in its own words. A task's teacher of that name plays the role,
    else the task's teacher at the same position, else its first: with one role, any name will do.
    """

    teachers: tuple[str, ...] = ("teacher",)
    unlabeled: bool = False


@dataclass(frozen=True)
class CriticRecipe:
    """How a critic descends its loss, beside the student: by a rate of its own, on the schedule of the student's.

    ``adam`` has the betas (0, 0.9) of Gulrajani et al. (NeurIPS 2017) for critics with a gradient penalty, and a decay
    apart from the gradient (AdamW); ``sgd`` a momentum of 0.9. ``lr`` is the rate before warm-up and decay.
    """

    optimizer: Literal["adam", "sgd"] = "adam"
    lr: float = 4e-4
    weight_decay: float = 0.0


class Step(Protocol):
    """One training step as a method sees it: everything is computed when first asked for, teachers once for all."""

    index: int
    steps: int

    @property
    def labeled(self) -> Batch:
        """The batch with labels."""

    @property
    def unlabeled(self) -> tuple[Batch, Batch]:
        """Two independently shuffled batches; the labeled images, without labels, where there are no others."""

    def mixed(self, alpha: float) -> Mixed:
        """The labeled batch mixed with itself, weights drawn from Beta(alpha, alpha)."""

    def pasted(self, labeled: bool = False) -> Pasted:
        """The second unlabeled batch pasted into the first (CutMix, three boxes); or the labeled one into itself."""

    def student(self, batch: Batch) -> Prediction:
        """The student's prediction on a batch."""

    def teacher(self, batch: Batch, role: str | None = None) -> Prediction:
        """A teacher's prediction on a batch, without gradient, shared by all methods: never change it in place.

        ``role`` is one of ``needs.teachers``; the first of them where it is left out.
        """

    def supervised(self, batch: Batch | None = None) -> Tensor:
        """The task loss of the student on the labeled batch, or on a mixed or pasted one that has a target."""

    def generator(self, purpose: str) -> torch.Generator:
        """A CPU generator keyed by (seed, purpose, step): the only source of random numbers for a method."""


@dataclass(frozen=True)
class Setting:
    """What a method is built for: the output space, and one small prediction of the student and of each teacher.

    The predictions stand for shapes (channels, names of features, strides); their values mean nothing. Teachers stand
    in the order of ``needs.teachers``.
    """

    output: OutputSpace
    student: Prediction
    teachers: Mapping[str, Prediction]

    @property
    def teacher(self) -> Prediction:
        """The first teacher, which is the only one of most methods."""
        return next(iter(self.teachers.values()))


class Method(nn.Module, ABC):
    """How a student learns: named, unweighted terms whose weights the class knows.

    A constructor takes ``setting`` and keyword-only hyper-parameters with types and defaults; each becomes an option
    ``methods.<name>.<option>``. Parameters of the module (adaptors) train with the student and are dropped with the
    method. A ``critic`` has an optimiser of its own, by its ``critic_recipe``, which the runner steps after the
    student's; ``critic_term`` names the term that it speaks in, without which there is none. A ``calibration`` holds,
    in buffers, what ``calibrate`` learns of the teachers: once for all students, and kept beside their weights. A
    ``decoder`` maps the student's prediction to the one that counts: both are scored, stored and exported together.

    Examples:
        >>> import torch
        >>> from methods.base import SUPERVISED, Method, Setting
        >>> from tasks.base import Prediction
        >>> from tasks.outputs.categorical import Categorical
        >>> class Alone(Method):
        ...     def forward(self, step):
        ...         return {SUPERVISED: step.supervised()}
        >>> shapes = Prediction((torch.zeros(1, 2, 4, 4),), {}, {}, (), torch.zeros(1, 8), (16, 16))
        >>> Alone(Setting(Categorical(2), shapes, {})).weights
        {'supervised': 1.0}
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    reference: ClassVar[str] = ""  # where the paper can be read
    license: ClassVar[str] = ""  # of the code that its authors published, none of which is in here
    bibtex: ClassVar[str] = ""  # entries to cite
    also_called: ClassVar[tuple[str, ...]] = ()  # what papers call it
    elsewhere: ClassVar[Mapping[str, str]] = {}  # names of ours that other papers use -> what they mean there
    needs: ClassVar[Needs] = Needs()
    control: ClassVar[bool] = False  # the row that every method is compared with
    critic_term: ClassVar[str] = ""  # the term that the critic speaks in
    regulariser: ClassVar[bool] = False  # a control that tells regularisation from knowledge: it has no teacher
    weights: dict[str, float]
    critic: nn.Module | None
    critic_recipe: CriticRecipe
    calibration: nn.Module | None
    decoder: nn.Module | None

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.output = setting.output
        self.weights = {SUPERVISED: 1.0}
        self.critic = None  # not on the class, where it would hide the submodule of that name
        self.critic_recipe = CriticRecipe()
        self.calibration = None
        self.decoder = None

    @classmethod
    def build_decoder(cls, setting: Setting, options: Mapping[str, Any]) -> nn.Module | None:
        """Build the ``decoder`` that a method of these options deploys, for stored weights; None, as here, without one.

        It follows from the output space, shapes of the student's prediction (``setting`` has no teacher) and options.
        """
        return None

    @classmethod
    def refuses(cls, output: OutputSpace) -> str:
        """Say why the method has no meaning for an output space; empty, as here, where it has one."""
        return ""

    @abstractmethod
    def forward(self, step: Step) -> dict[str, Tensor]:
        """Return the terms of the objective by name, each a scalar; those with weight zero may be left out."""

    def critic_loss(self, step: Step) -> Tensor:
        """Return the critic's own loss for this step, on detached predictions of the student."""
        raise TypeError(f"{type(self).__name__} has a critic but does not say what its loss is: define critic_loss")

    def calibrate(self, steps: Iterable[Step]) -> None:
        """Fill ``calibration`` before the first step, from labeled batches and teachers: no student is there yet.

        Take as many steps as it needs, depend on nothing but them and the options, draw no random numbers.
        """
        raise TypeError(f"{type(self).__name__} has a calibration but does not say how to fill it: define calibrate")


methods: Registry[Method] = Registry("method", "densedistill.methods", Method)
register = methods.register
