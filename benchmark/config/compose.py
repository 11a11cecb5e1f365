"""From ``key=value`` words to a typed configuration; what is wrong with them becomes one clear line."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn
from yaml import YAMLError

from benchmark.config import catalog, plugin_configs, protocols, schema, strength, terms
from benchmark.config.file_words import read_files
from benchmark.config.schema import Config, Recipe, TeacherConfig, data_schema, options_schema
from benchmark.config.strength import method_schema
from methods.base import Method
from tasks.base import Dataset, NetworkSpec, Task, tasks
from tasks.errors import InputError, nearest
from tasks.registry import describe, options

# what Hydra's store, which every command of a process shares, holds: classes, and what protocols fix for tasks
_entered: dict[tuple[str, str], type | protocols.Fixed] = {}
_unusable: dict[str, str] = {}  # plugins' protocols whose values do not fit a task -> why

QUOTES = "a value with spaces or brackets goes between quotes: 'home=\"my runs\"'"
KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false", "String": "a text"}
CONVERTED = re.compile(r"Value '(?P<found>.*)' of type '.*' could not be converted to (?P<kind>\w+)")
GROUPS = ("student", "teacher")  # of Hydra, that take a network


def register() -> None:
    """Enter the schema, and one option a registered task, dataset and method, into Hydra's store.

    A class of a plugin that has no usable options is withdrawn: it is reported like one that fails to import.
    """
    catalog.load()
    plugin_configs.register()
    if ("schema", "") not in _entered:
        ConfigStore.instance().store(name="schema", node=Config)
        _entered["schema", ""] = Config
    enters: dict[str, Callable[[str, Any], None]] = {
        "task": _enter_task,
        "data": _enter_dataset,
        "method": _enter_method,
        "network": _enter_network,
    }
    for key, registry in catalog.REGISTRIES.items():
        for name, cls in list(registry.items()):
            known = _entered.pop((key, name), None) is cls
            try:
                if not known:
                    enters[key](name, cls)
                if key == "task":
                    _enter_protocols(name, cls)
                _entered[key, name] = cls
            except Exception as error:
                origin = registry.origin(name)
                if origin.built_in:
                    raise
                registry.withdraw(name, f"{describe(error)} (from {origin})")
                ConfigStore.instance().repo.get(key, {}).pop(f"{name}.yaml", None)  # of an earlier, sound version
                if origin.path:  # a file was asked for by this very command
                    raise InputError(f"{origin}: {describe(error)}") from error


def _enter_task(name: str, task: type[Task]) -> None:
    _require(task, "annotation", "metrics", "student", "teachers", "recipe", "teacher_recipe")
    ConfigStore.instance().store(group="task", name=name, node=options_schema(task, name=name))


def _enter_protocols(name: str, task: type[Task]) -> None:
    """Enter what each protocol fixes for a task, which config.yaml selects by both names."""
    store = ConfigStore.instance()
    for protocol, file in protocols.files().items():
        option = protocols.option(name, protocol)
        try:
            values = protocols.fixed(protocols.read(protocol), task)
        except InputError as error:
            if protocols.built_in(file):
                raise
            _unusable[protocol] = str(error)
            continue
        if _entered.get((protocols.GROUP, option)) is values:
            continue
        _entered[protocols.GROUP, option] = values
        store.store(group="embedded", name=option, node={"defaults": [{"/data": option}]}, package="_global_")
        for part in protocols.PARTS:
            store.store(group=part, name=option, node=getattr(values, part))
        store.store(group="teacher_recipe", name=option, node=values.teacher.recipe, package="teacher.recipe")


def _enter_dataset(name: str, dataset: type[Dataset]) -> None:
    _require(dataset, "provides")
    ConfigStore.instance().store(group="data", name=name, node=data_schema(dataset))


def _enter_method(name: str, method: type[Method]) -> None:
    if name in _presets("method"):
        raise InputError(f"method={name} means something else, a file of options; give method '{name}' another name")
    ConfigStore.instance().store(group="method", name=name, node=method_schema(method), package=f"methods.{name}")


def _presets(*groups: str) -> set[str]:
    """Name the files of options of some of Hydra's groups, which go before what is registered."""
    return {path.stem for group in groups for folder in plugin_configs.folders(group) for path in folder.glob("*.yaml")}


def _enter_network(name: str, network: type[nn.Module]) -> None:
    """Enter a network as a student, and as the one teacher, which plays every role."""
    store = ConfigStore.instance()
    if name in _presets(*GROUPS) | {protocols.option(task, file) for task in tasks for file in protocols.files()}:
        raise InputError(f"student={name} or teacher={name} means something else; give network '{name}' another name")
    defaults = {key: parameter.default for key, parameter in options(network).items()}
    spec = NetworkSpec(network=name, options=defaults)
    for group, node in zip(GROUPS, (spec, TeacherConfig({name: spec})), strict=True):
        store.store(group=group, name=name, node=node)


def _require(cls: type[Any], *attributes: str) -> None:
    """Raise InputError for a class that does not say what its contract asks for."""
    if missing := [attribute for attribute in attributes if not hasattr(cls, attribute)]:
        raise InputError(f"{cls.__qualname__} does not set {', '.join(missing)}")


def load(words: Sequence[str]) -> Config:
    """Compose and check the configuration that ``key=value`` words ask for.

    Raises InputError: one line that names the word, what was expected, and the nearest known names.
    """
    return typed(composed(words))


def composed(words: Sequence[str]) -> DictConfig:
    """Compose the configuration that words ask for, as Hydra has it; raises InputError."""
    words = read_files(words)
    check_words(words)
    register()
    with initialize_config_module(version_base="1.3", config_module=plugin_configs.OURS):
        try:
            return compose("config", overrides=list(words))
        except (HydraException, OmegaConfBaseException) as error:
            raise InputError(_explain(list(words), error)) from error
        except YAMLError as error:  # of a plugin's file, which it names
            raise InputError(" ".join(str(error).split())) from error


def check_words(words: Sequence[str]) -> None:
    """Raise InputError for a word that is not ``key=value``."""
    for word in words:
        try:
            key = OverridesParser.create().parse_override(word).key_or_group
        except HydraException as error:
            raise InputError(f"'{word}' is not of the form key=value; {QUOTES}") from error
        if not key:
            raise InputError(f"'{word}' is not of the form key=value: there is no key; {QUOTES}")


def typed(composed: DictConfig) -> Config:
    """Turn a composed Hydra configuration, perhaps of another process, into the typed one."""
    catalog.load_with(composed.get("files", []))
    try:
        plain = OmegaConf.to_object(composed)
    except OmegaConfBaseException as error:
        raise InputError(_first_line(error)) from error
    assert isinstance(plain, Config)
    schema.check_words(plain)
    plain.task, plain.data = asdict(plain.task), asdict(plain.data)
    plain.methods = {name: asdict(chosen) for name, chosen in plain.methods.items()}
    if plain.protocol != protocols.read(plain.protocol.name):
        raise InputError(
            f"protocol.*: protocol {plain.protocol.name} is fixed by its file; set the keys of the run themselves "
            "(recipe.steps=...), or write a protocol of your own"
        )
    if plain.teacher.recipe.budget == "time":
        raise InputError("teacher.recipe.budget=time: a teacher has no control to share its time with; give it steps")
    if plain.teacher.recipe.factor != 1:
        steps = round(plain.teacher.recipe.steps * plain.teacher.recipe.factor)
        raise InputError(
            f"teacher.recipe.factor: only a student's steps are multiplied; set teacher.recipe.steps={steps}"
        )
    if not plain.home.strip():
        raise InputError("home=: expected the path of a folder, such as home=runs")
    protocols.forget_options(plain)
    _check_crops("recipe", plain.recipe)
    _check_crops("teacher.recipe", plain.teacher.recipe)
    _check_pair("evaluation.window", plain.evaluation.window)
    _check_data(plain.data)
    _check_devices(plain)
    plain.teacher.seed += plain.seed % plain.teacher.seeds
    strength.fill(plain)
    terms.fill(plain)
    return plain


def _check_pair(key: str, pair: Sequence[Any] | None) -> None:
    """Raise InputError for what is no height and width."""
    if pair is not None and len(pair) != 2:
        raise InputError(f"{key}={pair}: expected [height,width] in pixels, or null")


def _check_data(data: Mapping[str, Any]) -> None:
    """Raise InputError for a size that there cannot be."""
    size = data.get("size")
    sides = size if isinstance(size, list | tuple) else [size, size]
    if size is not None and (len(sides) != 2 or any(type(side) is not int or side < 1 for side in sides)):
        raise InputError(f"data.size={size}: expected the shorter side, or [height,width], in pixels, or null")


def _check_crops(key: str, recipe: Recipe) -> None:
    """Raise InputError for crops and scales that there cannot be, and for a batch of crops that differ in size."""
    _check_pair(f"{key}.crop", recipe.crop)
    if len(recipe.scale) != 2 or recipe.scale[0] > recipe.scale[1]:
        raise InputError(f"{key}.scale={recipe.scale}: expected a range such as [0.75,1.5]")
    share = recipe.crop_share
    if share is None:
        return
    if len(share) != 2 or not 0 < share[0] <= share[1] <= 1:
        raise InputError(f"{key}.crop_share={share}: expected a range above 0 and up to 1, such as [0.5,1]")
    if recipe.batch != 1:
        raise InputError(f"{key}.crop_share={share}: crops differ in size; set {key}.batch=1, found {recipe.batch}")


def _check_devices(config: Config) -> None:
    """Raise InputError for batches that cannot be divided among the devices, and for time that is measured on one."""
    devices = config.devices
    for key, recipe in (("recipe", config.recipe), ("teacher.recipe", config.teacher.recipe)):
        if recipe.batch % devices:
            nearest_batch = devices * max(1, round(recipe.batch / devices))
            raise InputError(
                f"{key}.batch={recipe.batch} cannot be divided among devices={devices}; set {key}.batch={nearest_batch}"
            )
    if devices > 1 and config.recipe.budget == "time":
        raise InputError(
            f"recipe.budget=time is measured on one device, but devices={devices}; give steps, or devices=1"
        )


def _explain(words: list[str], error: Exception) -> str:
    """Say which word is wrong and what was meant."""
    loader = GlobalHydra.instance().config_loader()
    top = set(loader.list_groups(""))

    @functools.cache  # of each choice, for the loader copies all there is
    def options(key: str) -> Sequence[str]:
        return loader.get_group_options(key) if key.partition("/")[0] in top else []

    for word in words:
        override = OverridesParser.create().parse_override(word)
        key = override.key_or_group
        if key == protocols.GROUP and (reason := _unusable.get(str(override.value()))):
            return reason
        if fault := _wrong_choice(key, override.value(), options(key)):
            return fault
    groups = [word for word in words if options(word.partition("=")[0])]
    known = set(_keys(compose("config", overrides=groups)))  # all keys that there are with these choices
    for word in words:  # all choices exist, so a key or a value must be wrong
        key = word.partition("=")[0].lstrip("+~")
        free = any(key.startswith(f"{place}.") for place in known if place.endswith("_options"))
        if not options(key) and key not in known and not free:
            return f"unknown key '{key}'{nearest(key, known)}"
    return _first_line(error.__cause__ or error)


def _wrong_choice(key: str, value: Any, known: Sequence[str]) -> str | None:
    """Say that a group has no such option; one that a broken plugin would bring is named with its error."""
    if not known:
        return None
    registry = catalog.registry_of(key)
    for choice in value if isinstance(value, list) else [value]:
        if choice is None or isinstance(choice, (bool, int, float)) or str(choice) in known:
            continue
        if registry is not None and str(choice) in registry.broken:
            return f"{key} '{choice}' comes from a plugin that failed to import: {registry.broken[str(choice)]}"
        return f"unknown {key} '{choice}'{nearest(str(choice), known)}{plugin_configs.faults()}"
    return None


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, DictConfig):
        for key in node:
            yield f"{prefix}{key!s}"
            if not OmegaConf.is_missing(node, key):
                yield from _keys(node[key], f"{prefix}{key!s}.")


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    where = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), None)
    said = CONVERTED.search(lines[0])
    if said:
        lines[0] = f"expected {KINDS.get(said['kind'], said['kind'])}, found '{said['found']}'"
    elif "is not Optional" in lines[0]:
        lines[0] = "expected a value, found null"
    elif "interpolation" in lines[0]:
        lines[0] += "; mend what stands between ${ and }"
    return f"{where}: {lines[0]}" if where else lines[0]
