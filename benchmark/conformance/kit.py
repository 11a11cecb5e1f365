"""The conformance kit: every promise that a method and a task make, and who keeps them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmark.config import catalog, compose
from benchmark.conformance.batch_scaling import SCALING
from benchmark.conformance.costs import COST
from benchmark.conformance.declaration import METHOD_DECLARATION, TASK_DECLARATION, options_have_types_and_defaults
from benchmark.conformance.finding import Check, Finding, examine
from benchmark.conformance.laboratory import Laboratory, tiny_words
from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.conformance.output_space_checks import VERBS
from benchmark.conformance.reproduction import REPRODUCTION
from benchmark.conformance.step_checks import MANNERS, STEP
from benchmark.conformance.task_checks import NETWORKS, SCORES
from benchmark.conformance.task_under_test import TaskUnderTest
from methods.base import Method
from methods.base import methods as method_registry
from tasks.base import Task, datasets
from tasks.base import tasks as task_registry
from tasks.errors import InputError, nearest
from tasks.registry import Registry

IMPORTS = "imports"
OPTIONS = Check(options_have_types_and_defaults).name
NETWORK_METHODS = ("none", "pixel")  # that a network is tried with where none are named
METHOD: list[Check[Any]] = [*STEP, *MANNERS, *REPRODUCTION, *SCALING, *COST]
TASK: list[Check[Any]] = [*NETWORKS, *VERBS, *SCORES]


def method_checks() -> list[str]:
    """Name the checks of a method, for one test each."""
    return [check.name for check in (*METHOD_DECLARATION, *METHOD)]


def task_checks() -> list[str]:
    """Name the checks of a task, for one test each; those of a step are made with every method."""
    return [check.name for check in (*TASK_DECLARATION, *TASK, *STEP)]


def promises() -> dict[str, str]:
    """Say by its name what each check promises, in a sentence."""
    checks = (*METHOD_DECLARATION, *METHOD, *TASK_DECLARATION, *TASK)
    return {IMPORTS: "The plugin can be imported.", **{check.name: check.promise for check in checks}}


def check_method(
    method: str | type[Method],
    check: str | None = None,
    *,
    tasks: Sequence[str] | None = None,
    words: Sequence[str] = (),
) -> list[Finding]:
    """Check a method on tasks; what is found is remembered, so that asking check by check costs no more.

    Args:
        method: its name, or its class, which is registered.
        check: one of ``method_checks()``; all by default.
        tasks: names; every task that the dataset can serve by default.
        words: further configuration, e.g. ``methods.my_kd.weight=2`` or ``data=camvid``.

    Raises InputError for names and words that mean nothing.
    """
    return _chosen(check, method_checks(), examine_method(method, tasks, words))


def examine_method(
    method: str | type[Method], tasks: Sequence[str] | None, words: Sequence[str]
) -> Iterator[Sequence[Finding]]:
    """Check a method as ``check_method`` does, and yield what is found of the class, then of it on each task."""
    name = _name(method, method_registry, words)
    declared = _declared(name, method_registry, METHOD_DECLARATION, METHOD)
    yield declared
    if _usable(declared):
        for task in _served(name, words) if tasks is None else tasks:
            cls = task_registry[_name(task, task_registry, words)]
            yield _method_findings(method_registry[name], cls, tuple(words))


def check_task(
    task: str | type[Task],
    check: str | None = None,
    *,
    methods: Sequence[str] | None = None,
    words: Sequence[str] = (),
) -> list[Finding]:
    """Check a task, and one training step of methods on it.

    Args:
        task: its name, or its class, which is registered.
        check: one of ``task_checks()``; all by default.
        methods: names; every registered method by default.
        words: further configuration, e.g. ``data=my_data``.

    Raises InputError for names and words that mean nothing.
    """
    name = _name(task, task_registry, words)
    groups: list[Sequence[Finding]] = [_declared(name, task_registry, TASK_DECLARATION, [*TASK, *STEP])]
    if _usable(groups[0]):
        chosen = [_name(method, method_registry, words) for method in (method_registry if methods is None else methods)]
        classes = tuple(method_registry[method] for method in chosen)
        groups.append(_task_findings(task_registry[name], classes, tuple(words)))
    return _chosen(check, task_checks(), groups)


def check_network(
    student: str, task: str, *, methods: Sequence[str] | None = None, words: Sequence[str] = ()
) -> list[Finding]:
    """Check a network as the student of a task, and one training step of methods with it.

    Args:
        student: a registered name, or ``PATH.py:CLASS``.
        task: its name.
        methods: names; ``none`` and ``pixel`` by default.
        words: further configuration, e.g. ``student.output=NODE``.

    Raises InputError for names and words that mean nothing, and for a network that cannot be built for the task.
    """
    listed = f"method=[{','.join(methods or NETWORK_METHODS)}]"
    tested = TaskUnderTest([f"task={task}", listed, f"student={student}", *words])
    classes = [method_registry[name] for name in tested.config.methods]
    return _with_a_step(classes, tested, f"network {tested.config.student} on {task}")


def assert_conforms(findings: Sequence[Finding]) -> None:
    """Raise AssertionError with every fault and its fix."""
    faults = [str(finding) for finding in findings if not finding.passed]
    if faults:
        raise AssertionError("\n".join(faults))


def _chosen(check: str | None, names: list[str], groups: Iterable[Sequence[Finding]]) -> list[Finding]:
    """Join what is found, of one check where one is asked for; raises InputError where there is none of that name."""
    if check is not None and check not in (*names, IMPORTS):
        raise InputError(f"there is no check '{check}'{nearest(check, names)}")
    return [finding for findings in groups for finding in findings if check in (None, finding.check)]


def _served(method: str, words: Sequence[str]) -> list[str]:
    """List the tasks whose labels the chosen data has."""
    config = compose.load(tiny_words([f"method=[{method}]", *words]))
    provided = datasets[config.data["name"]].provides
    return [name for name, task in task_registry.items() if task.annotation in provided]


def _usable(declared: Sequence[Finding]) -> bool:
    """Whether a class can be imported and its options make a configuration, so that it can be tried."""
    return all(finding.passed for finding in declared if finding.check in (IMPORTS, OPTIONS))


def _name(subject: str | type[Any], registry: Registry[Any], words: Sequence[str]) -> str:
    """Find the name of what is to be checked: a class has it, and a word may be anything that a run understands."""
    catalog.load()
    kind = registry.kind
    if not isinstance(subject, str):
        if (name := registry.name_of(subject)) is None:
            raise InputError(f"{subject.__qualname__} is not registered: put @{kind}s.register('name') above the class")
        return name
    if subject in registry or subject in registry.broken:
        return subject
    config = compose.load([*tiny_words(words), f"{kind}=[{subject}]" if kind == "method" else f"{kind}={subject}"])
    return str(next(iter(config.methods)) if kind == "method" else config.task["name"])


def _declared(
    name: str, registry: Registry[Any], declared: Sequence[Check[Any]], further: Sequence[Check[Any]]
) -> list[Finding]:
    """Check what a class says of itself, and say of further checks where they cannot be made."""
    label = f"{registry.kind} {name}"
    if name in registry.broken:
        fault = f"the plugin failed to import: {registry.broken[name]}"
        fix = "import its module in a Python shell until it works, and see that its entry point names the right one"
        return [Finding(IMPORTS, label, "failed", fault, fix)]
    findings = examine(declared, registry[name], label)
    if not _usable(findings):
        reason = "it would say nothing before the options are a configuration"
        findings += [Finding(check.name, label, "not checked", reason) for check in further]
    return findings


@functools.cache
def _method_findings(cls: type[Method], task: type[Task], words: tuple[str, ...]) -> Sequence[Finding]:
    """Make every check of a method on one task."""
    laboratory = Laboratory([f"task={task.name}", f"method=[{cls.name}]", *words])
    return _examine(METHOD, cls, laboratory, f"method {cls.name} on {task.name}")


@functools.cache
def _task_findings(cls: type[Task], methods: tuple[type[Method], ...], words: tuple[str, ...]) -> Sequence[Finding]:
    """Make every check of a task, and of a step of methods on it."""
    tested = TaskUnderTest([f"task={cls.name}", f"method=[{','.join(method.name for method in methods)}]", *words])
    return _with_a_step(methods, tested, f"task {cls.name}")


def _with_a_step(methods: Iterable[type[Method]], tested: TaskUnderTest, label: str) -> list[Finding]:
    """Make every check of a task with its networks, and, where it passes, one step of each method on it."""
    findings = examine(TASK, tested, label)
    if all(finding.passed for finding in findings):
        for method in methods:
            findings += _examine(STEP, method, tested, f"{label} with method {method.name}")
    return findings


def _examine(
    checks: Sequence[Check[MethodUnderTest]], cls: type[Method], laboratory: Laboratory, label: str
) -> list[Finding]:
    """Make checks of a method on a task, unless it has no meaning there and says so."""
    if reason := cls.refuses(laboratory.output):
        return [Finding(check.name, label, "not checked", f"not applicable: {reason}") for check in checks]
    return examine(checks, MethodUnderTest(cls, laboratory), label)
