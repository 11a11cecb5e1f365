"""Protocols: what a comparison fixes, by name; a file ``conf/protocol/NAME.yaml`` each, ours or a plugin's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

import benchmark
from benchmark.config import plugin_configs
from benchmark.config.schema import (
    Config,
    EvaluationConfig,
    Protocol,
    Recipe,
    TeacherConfig,
    data_schema,
    options_schema,
)
from tasks.base import Dataset, NetworkSpec, Task, datasets, tasks
from tasks.errors import InputError, nearest

GROUP = "protocol"
PARTS = ("student", "teacher", "recipe", "data")  # of the configuration: what a protocol may set
FREE = {  # keys of these parts that a run may choose for itself
    "teacher": ("control", "seed"),
    "recipe": ("budget", "factor"),
    "data": ("root", "cache", "labeled"),
}


def files() -> dict[str, Path]:
    """Find the protocols by name; where two share one, ours goes first, as in Hydra's search path."""
    folders = plugin_configs.folders(GROUP)
    return {path.stem: path for folder in reversed(list(folders)) for path in sorted(folder.glob("*.yaml"))}


def built_in(path: Path) -> bool:
    """Say whether a protocol is ours, not a plugin's."""
    return Path(benchmark.__file__).parent in path.resolve().parents


def read(name: str) -> Protocol:
    """Read a protocol; raises InputError for a name that there is not, and for a file that is none."""
    known = files()
    if name not in known:
        raise InputError(f"unknown protocol '{name}'{nearest(name, known)}")
    return _read(known[name], known[name].stat().st_mtime_ns)


@cache
def _read(path: Path, _changed: int) -> Protocol:
    try:
        made = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Protocol), OmegaConf.load(path)))
    except (OmegaConfBaseException, YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from error
    assert isinstance(made, Protocol)
    if made.name != path.stem:
        raise InputError(f"{path}: name: expected '{path.stem}', as the file is called, found '{made.name}'")
    for part in {part for values in (made.every, *made.tasks.values()) for part in values} - set(PARTS):
        raise InputError(f"{path}: '{part}': expected {', '.join(PARTS)}{nearest(part, PARTS)}")
    return made


@dataclass(frozen=True)
class Fixed:
    """What a protocol fixes for one task, as typed nodes of the configuration."""

    student: DictConfig
    teacher: DictConfig
    recipe: DictConfig
    data: DictConfig


def fixed(protocol: Protocol, task: type[Task]) -> Fixed:
    """Lay the values of a protocol over the defaults of a task's class: those for every task, then those for this one.

    Raises InputError, naming protocol, task and key, for a value that does not fit.
    """
    layers = [protocol.every, protocol.tasks.get(task.name, {})]
    named = [layer["data"]["name"] for layer in layers if "name" in layer.get("data", {})]
    dataset = datasets[named[-1] if named else task.dataset]
    key = (task, dataset, repr(protocol))
    if key not in _known:
        bases = defaults(task, dataset)
        _known[key] = Fixed(*(_laid(protocol, task, part, bases[part], layers) for part in PARTS))
    return _known[key]


_known: dict[object, Fixed] = {}  # saves time: all of them are asked for whenever a configuration is composed


def defaults(task: type[Task], dataset: type[Dataset]) -> dict[str, Any]:
    """Return what the classes of a task and a dataset say of each part."""
    recipe = dict(task.recipe)
    teacher = TeacherConfig(dict(task.teachers), recipe=Recipe(**{**recipe, **task.teacher_recipe}))
    return {"student": task.student, "teacher": teacher, "recipe": Recipe(**recipe), "data": data_schema(dataset)}


def _laid(
    protocol: Protocol, task: type[Task], part: str, base: Any, layers: Sequence[Mapping[str, Any]]
) -> DictConfig:
    node = OmegaConf.structured(base)
    try:
        for values in (layer.get(part, {}) for layer in layers):
            _leave_decoders(node, values)
            node = OmegaConf.merge(node, values)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or ""
        where = f"protocol {protocol.name}, task {task.name}: {part}.{key}"
        raise InputError(f"{where}: {str(error).splitlines()[0]}") from error
    assert isinstance(node, DictConfig)
    return node


def _leave_decoders(node: DictConfig, values: Mapping[str, Any]) -> None:
    """Leave out the options of a network's decoder where a layer of a protocol names another one."""
    networks = node.get("networks", {})
    named = [(node, values), *((networks.get(role), each) for role, each in values.get("networks", {}).items())]
    for spec, each in named:
        if spec is not None and each.get("decoder", spec.get("decoder")) != spec.get("decoder"):
            spec.decoder_options = {}


def option(task: str, protocol: str) -> str:
    """Name the options of Hydra's groups that hold what a protocol fixes for a task."""
    return f"{task}_{protocol}"


def forget_options(config: Config) -> None:
    """Leave out what a protocol says of a network's decoder where another decoder was chosen, which has other options.

    Options that were given for the new one stay.
    """
    there = fixed(config.protocol, tasks[config.task["name"]])
    networks: list[tuple[NetworkSpec, Any]] = [(config.student, there.student)]
    networks += [(spec, there.teacher.networks.get(role)) for role, spec in config.teacher.networks.items()]
    for spec, named in networks:
        if named is not None and spec.decoder != named.decoder:
            given = spec.decoder_options.items()
            spec.decoder_options = {key: value for key, value in given if named.decoder_options.get(key) != value}


def kept(config: Config) -> bool:
    """Say whether a run keeps to the protocol that it was composed with: whether its name may stand on the record."""
    return not any(True for _ in changes(config))


def changes(config: Config) -> Iterator[str]:
    """Name the keys in which a configuration differs from what its protocol fixes."""
    protocol = read(config.protocol.name)
    cls = tasks[config.task["name"]]
    there = fixed(protocol, cls)
    for part in PARTS:
        wanted = _plain(OmegaConf.to_container(getattr(there, part)))
        chosen = _plain(getattr(config, part))
        for key in sorted(wanted.keys() | chosen.keys()):
            if key not in FREE.get(part, ()) and wanted.get(key) != chosen.get(key):
                yield f"{part}.{key}"
    if config.task != asdict(options_schema(cls, name=cls.name)()):
        yield "task"
    if config.evaluation != EvaluationConfig():
        yield "evaluation"
    allowed: dict[str, tuple[object, Sequence[object]]] = {
        "data.labeled": (config.data["labeled"], protocol.labels),
        "recipe.budget": (config.recipe.budget, protocol.budgets),
        "recipe.factor": (config.recipe.factor, protocol.multiples),
        "teacher.seed": (config.teacher.seed, range(config.teacher.seeds)),
        "precision": (config.precision, [Config().precision]),
    }
    yield from (key for key, (value, values) in allowed.items() if value not in values)


def _plain(node: Any) -> dict[str, Any]:
    """Turn a part of a configuration into plain values that compare, whichever way it was made."""
    made: dict[str, Any] = json.loads(json.dumps(dict(node) if isinstance(node, Mapping) else asdict(node)))
    return made


def name(config: Config) -> str:
    """Name the rules of a run: its protocol's name, or ``custom`` with the protocol that it departs from."""
    return config.protocol.name if kept(config) else f"custom (based on {config.protocol.name})"
