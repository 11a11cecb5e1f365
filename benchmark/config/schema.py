"""The typed configuration: every key that a command takes, with its type and default."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from omegaconf import MISSING

from benchmark.config.ranges import BELOW_1, FROM_0, FROM_1, POSITIVE, SEED, SHARE, Range
from leaderboards.values import SelectionRule
from tasks.base import Dataset, NetworkSpec
from tasks.errors import InputError, nearest
from tasks.registry import options

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"32": "32-true", "bf16": "bf16-mixed"}  # ours -> fabric's
WORDS, RANGE = "words", "range"  # of a field's metadata: all that it may hold, or the numbers that it may hold


def one_of(*words: str) -> Any:
    """Describe a field that takes one of a few words, the first where none is given; see ``check_words``."""
    return field(default=words[0], metadata={WORDS: words})


def within(default: Any, numbers: Range) -> Any:
    """Describe a field that takes some numbers; see ``check_words``."""
    return field(default=default, metadata={RANGE: numbers})


def check_words(node: Any, prefix: str = "") -> None:
    """Go through a configuration, whatever lies in it, and hold each field against the words and numbers it takes.

    Raises InputError naming the first that holds another, what it takes, and the nearest of its words.
    """
    known_keys = [entry.name for entry in dataclasses.fields(node)]
    for name in vars(node):
        if name not in known_keys:  # added by a word with a plus, and read by nobody
            raise InputError(f"unknown key '{prefix}{name}'{nearest(name, known_keys)}")
    for entry in dataclasses.fields(node):
        key, value = f"{prefix}{entry.name}", getattr(node, entry.name)
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for name, part in parts:
            if dataclasses.is_dataclass(part):
                check_words(part, f"{key}.{name}." if name else f"{key}.")
        allowed = entry.metadata.get(WORDS)
        if allowed is not None and value not in allowed:
            known = [str(word) for word in allowed]
            expected = " or ".join(filter(None, (", ".join(known[:-1]), known[-1])))
            raise InputError(f"{key}={value}: expected {expected}{nearest(str(value), known)}")
        numbers = entry.metadata.get(RANGE)
        if numbers is not None and value is not None:
            wrong = [one for one in (value if isinstance(value, list) else [value]) if one not in numbers]
            if wrong:
                raise InputError(f"{key}={value}: expected a number {numbers}, found {wrong[0]}")


@dataclass
class Recipe:
    """How a network is trained; the same for every member of a cohort."""

    steps: int = within(200, FROM_1)
    budget: str = one_of("steps", "time")  # time: as many steps as fit into what the control takes, timed alone
    factor: float = within(1.0, POSITIVE)  # multiple of the steps, or of the control's training time
    batch: int = within(8, FROM_1)
    optimizer: str = one_of("adamw", "sgd", "adam")  # adam decays through the gradient, as most papers' code does
    lr: float = within(2e-3, POSITIVE)
    momentum: float = within(0.9, BELOW_1)  # of sgd
    weight_decay: float = within(1e-2, FROM_0)
    warmup: int = within(20, FROM_0)  # steps of linear growth
    schedule: str = one_of("poly", "step", "cosine", "constant")  # of the rate after warm-up
    power: float = within(0.9, FROM_0)  # of the polynomial decay
    # of step: a tenth after each share of steps
    drops: list[float] = field(default_factory=lambda: [2 / 3, 11 / 12], metadata={RANGE: SHARE})
    head: float = within(1.0, FROM_0)  # factor on the rate of all that is not the encoder
    decay_all: bool = False  # weight decay of biases and norms as well
    ema: float = within(0.0, BELOW_1)  # share of the old in a running mean of the weights, which is scored; 0: none
    auxiliary: float = within(0.0, FROM_0)  # weight of the task loss of each branch that predicts by itself
    clip: float | None = within(5.0, POSITIVE)  # largest norm of the gradient
    # height, width; null: the size of the images
    crop: list[int] | None = field(default=None, metadata={RANGE: FROM_1})
    crop_share: list[float] | None = None  # instead: range of a random share of both sides, in batches of one image
    scale: list[float] = field(default_factory=lambda: [0.75, 1.5], metadata={RANGE: POSITIVE})
    flip: float = within(0.5, SHARE)
    jitter: float = within(0.2, SHARE)
    selection: str = one_of(*typing.get_args(SelectionRule))  # best: the weights with the best validation score
    validations: int = within(5, FROM_1)  # evaluations on the validation split during training, for selection=best


@dataclass
class EvaluationConfig:
    """How an image is looked at where it is scored; raw maps of several views are averaged at its size."""

    # height, width of a sliding window; null: whole images
    window: list[int] | None = field(default=None, metadata={RANGE: FROM_1})
    overlap: float = within(1 / 3, BELOW_1)  # share of a window that the next one sees too, at least
    flip: bool = False  # mirrored as well
    batch: int = within(16, FROM_1)  # images at a time


@dataclass
class TeacherConfig:
    """The teachers, by the names that the task gives them, the main one first."""

    networks: dict[str, NetworkSpec] = field(default_factory=dict)
    checkpoint: str | None = None  # a file of weights for the main teacher, instead of training it
    weights: str | None = None  # hub:NAME, a published network as the main teacher, instead of training it
    control: str = one_of(
        "trained", "untrained", "self"
    )  # for control rows: random weights, or the student trained alone
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = within(0, SEED)
    # teachers of each role, told apart by their seeds: a student of seed s has the teacher s modulo this
    seeds: int = within(1, FROM_1)


@dataclass
class Stage:
    """A part of a protocol's matrix: methods under some words, for every seed of the protocol."""

    title: str = MISSING
    methods: list[str] = field(default_factory=list)  # names, or: control, learners, regularisers
    words: list[str] = field(default_factory=list)  # of the command; comma lists are run one after the other
    tasks: list[str] = field(default_factory=list)  # empty: all


@dataclass
class Protocol:
    """What a comparison fixes, by name; see ``benchmark.config.protocols``."""

    name: str = MISSING
    proves: bool = False  # made to compare methods, rather than to show that things run
    seeds: list[int] = field(default_factory=lambda: [0])
    labels: list[str] = field(default_factory=lambda: ["1"])
    budgets: list[str] = field(default_factory=lambda: ["steps"])
    multiples: list[float] = field(default_factory=lambda: [1.0])  # of the steps, at which the control is trained
    matrix: list[Stage] = field(default_factory=list)  # what is trained and published, in order
    every: dict[str, Any] = field(default_factory=dict)  # values of student, teacher, recipe and data, for every task
    tasks: dict[str, Any] = field(default_factory=dict)  # task -> the same for it alone, laid over ``every``


@dataclass
class Config:
    """Everything that one command runs with."""

    protocol: Protocol = field(default_factory=Protocol)
    task: Any = MISSING
    data: Any = MISSING
    student: NetworkSpec = field(default_factory=NetworkSpec)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    recipe: Recipe = field(default_factory=Recipe)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    methods: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)  # PATH.py:CLASS; filled in from method=, task= and data=
    seed: int = within(0, SEED)
    control: bool = True  # train the control beside the methods when its record is missing
    only: list[str] = field(default_factory=list)  # train these of it: methods.NAME, teacher.NAME; empty: the methods
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    devices: int = within(1, FROM_1)  # cards, or processes on a processor, that share each batch
    precision: str = one_of(*PRECISIONS)
    channels_last: bool = True
    compile: bool = False  # students and teachers, in training and in evaluation
    tf32: bool = False  # on a GPU, let float32 products be rounded to 10 bits: precision=32 is really 32 without
    deterministic: bool = False  # on a GPU, the same bits every time, at a price
    workers: int | None = within(None, FROM_0)  # loader processes; null: none on a CPU, up to 8 beside a GPU
    save_every: float = within(60.0, FROM_0)  # seconds between two saves of the resume state; 0: after each step
    tuning: str | None = None  # folder with records of `benchmark tune`, preferred to the defaults
    tensorboard: bool = False  # also log for TensorBoard, an extra
    home: str = "runs"


@dataclass
class DataCommon:
    """Keys that every dataset has."""

    name: str = MISSING
    labeled: str = "1"  # 1, 1/2, 1/4, 1/8, 1/16, or the path of a list file
    size: Any = None  # of the images that a network sees: shorter side, [height, width], or null as they are
    tuning_split: Any = None  # share of train to score on instead of val and test, to choose hyper-parameters
    cache: str = one_of(
        "auto", "none", "memory", "disk", "device"
    )  # of decoded images; auto: on a GPU where they fit, on disk where they are slow to make


def plain_type(annotation: Any) -> Any:
    """Turn an annotation into one that OmegaConf validates: literals become str, anything unknown Any."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        inner = [plain_type(argument) for argument in arguments if argument is not type(None)]
        return inner[0] | None if len(inner) == 1 and type(None) in arguments and inner[0] is not Any else Any
    if annotation in (int, float, str, bool):
        return annotation
    if origin in (list, dict):
        return annotation
    return Any


def options_schema(cls: type[Any], **fixed: Any) -> type:
    """Derive a dataclass from the keyword-only arguments of a registered class's constructor, and from fixed values.

    Raises InputError for an argument without a default, since an option must have one.
    """
    fields: list[tuple[str, Any, Any]] = [(key, type(value), field(default=value)) for key, value in fixed.items()]
    for key, parameter in options(cls).items():
        if parameter.default is inspect.Parameter.empty:
            raise InputError(f"option '{key}' of {cls.__qualname__} needs a default value")
        default = parameter.default
        literal = typing.get_origin(parameter.annotation) is Literal
        words = {WORDS: typing.get_args(parameter.annotation)} if literal else {}
        listed = isinstance(default, (list, tuple))
        value = field(default_factory=partial(list, default)) if listed else field(default=default, metadata=words)
        fields.append((key, plain_type(parameter.annotation), value))
    return dataclasses.make_dataclass(f"{cls.__name__}Options", fields)


def data_schema(dataset: type[Dataset]) -> type:
    """Join a dataset's own options and the keys that every dataset has; its own go first where they share a name."""
    schema = options_schema(dataset, name=dataset.name)
    taken = {option.name for option in dataclasses.fields(schema)}
    kinds = typing.get_type_hints(DataCommon)
    common = [
        (key.name, kinds[key.name], field(default=key.default, metadata=key.metadata))
        for key in dataclasses.fields(DataCommon)
        if key.name not in taken
    ]
    return dataclasses.make_dataclass(schema.__name__, common, bases=(schema,))
