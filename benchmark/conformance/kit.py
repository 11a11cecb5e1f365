"""The conformance kit: every promise that a method and a task make, and who keeps them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from benchmark.config import catalog, compose
from benchmark.conformance import declaration, output_space_checks, reproduction, step_checks, task_checks
from benchmark.conformance.batch_scaling import terms_are_means
from benchmark.conformance.costs import cost
from benchmark.conformance.finding import Check, Finding, examine, words
from benchmark.conformance.laboratory import Laboratory, tiny_words
from benchmark.conformance.method_under_test import MethodUnderTest
from benchmark.conformance.task_under_test import TaskUnderTest
from methods.base import Method
from methods.base import methods as method_registry
from tasks.base import Task, datasets
from tasks.base import tasks as task_registry
from tasks.errors import InputError, nearest
from tasks.registry import Registry

Class = TypeVar("Class")
IMPORTS = "imports"
STEP: list[Check[MethodUnderTest]] = [
    Check(step_checks.builds),
    Check(step_checks.terms_are_finite_scalars, after=("builds",)),
    Check(step_checks.gradients_reach_the_student, after=("terms_are_finite_scalars",)),
]
TRAINS = ("gradients_reach_the_student", "shared_things_stay_as_they_are")  # without them there is no whole training
REPEATS = (*TRAINS, "no_global_random_numbers")
METHOD: list[Check[MethodUnderTest]] = [
    *STEP,
    Check(step_checks.shared_things_stay_as_they_are, after=("terms_are_finite_scalars",)),
    Check(step_checks.needs_are_declared, after=("terms_are_finite_scalars",)),
    Check(step_checks.works_on_one_image, after=("terms_are_finite_scalars",)),
    Check(step_checks.works_in_half_precision, after=("terms_are_finite_scalars",)),
    Check(reproduction.no_global_random_numbers, after=TRAINS),
    Check(reproduction.alone_and_in_a_cohort_are_the_same, after=REPEATS),
    Check(reproduction.resumed_and_uninterrupted_are_the_same, after=REPEATS),
    Check(terms_are_means, after=REPEATS),
    Check(cost, after=TRAINS),
]
TASK: list[Check[TaskUnderTest]] = [
    Check(task_checks.dataset_gives_samples),
    Check(task_checks.networks_return_whole_predictions, after=("dataset_gives_samples",)),
    Check(task_checks.predictions_do_not_depend_on_the_batch, after=("networks_return_whole_predictions",)),
    Check(task_checks.networks_take_any_size, after=("networks_return_whole_predictions",)),
    Check(output_space_checks.supervised_is_a_finite_mean, after=("networks_return_whole_predictions",)),
    Check(task_checks.metric_scores_and_merges, after=("networks_return_whole_predictions",)),
    Check(task_checks.right_answers_score_better, after=("supervised_is_a_finite_mean", "metric_scores_and_merges")),
    Check(output_space_checks.divergence_is_a_distance, after=("supervised_is_a_finite_mean",)),
    Check(output_space_checks.invalid_positions_do_not_count, after=("divergence_is_a_distance",)),
    Check(output_space_checks.empty_labels_are_finite, after=("supervised_is_a_finite_mean",)),
    Check(output_space_checks.pseudo_labels_can_be_learned, after=("supervised_is_a_finite_mean",)),
    Check(output_space_checks.mixing_and_pasting_have_their_limits, after=("supervised_is_a_finite_mean",)),
    Check(output_space_checks.summary_and_bounded_describe, after=("networks_return_whole_predictions",)),
]


def method_checks() -> list[str]:
    """Name the checks of a method, for one test each."""
    return _names(declaration.METHOD_DECLARATION, METHOD)


def task_checks() -> list[str]:
    """Name the checks of a task, for one test each; those of a step are made with every method."""
    return _names(declaration.TASK_DECLARATION, TASK, STEP)


def _names(*lists: Sequence[Check[Any]]) -> list[str]:
    return [check.name for checks in lists for check in checks]


def promises() -> dict[str, str]:
    """Say by its name what each check promises, in a sentence."""
    every: Iterable[Check[Any]] = (*declaration.METHOD_DECLARATION, *METHOD, *declaration.TASK_DECLARATION, *TASK)
    return {IMPORTS: "The plugin can be imported.", **{each.name: each.promise for each in every}}


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
    _known(check, method_checks())
    name = _name(method, method_registry, "method", words)
    if failure := _imports(name, method_registry):
        return [failure]
    declared = _declared(method_registry[name], f"method {name}", tuple(declaration.METHOD_DECLARATION))
    findings = [*declared]
    if not usable(declared):
        findings += _not_checked(METHOD, f"method {name}")
    else:
        for task in fitting(name, words) if tasks is None else tasks:
            named = _name(task, task_registry, "task", words)
            findings += _method_findings(method_registry[name], task_registry[named], tuple(words))
    return [each for each in findings if check in (None, each.check)]


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
    _known(check, task_checks())
    name = _name(task, task_registry, "task", words)
    if failure := _imports(name, task_registry):
        return [failure]
    declared = _declared(task_registry[name], f"task {name}", tuple(declaration.TASK_DECLARATION))
    findings = [*declared]
    if not usable(declared):
        findings += _not_checked([*TASK, *STEP], f"task {name}")
    else:
        chosen = list(method_registry) if methods is None else methods
        names = [_name(each, method_registry, "method", words) for each in chosen]
        findings += _task_findings(task_registry[name], tuple(method_registry[each] for each in names), tuple(words))
    return [each for each in findings if check in (None, each.check)]


def assert_conforms(findings: Sequence[Finding]) -> None:
    """Raise AssertionError with every fault and its fix."""
    faults = [str(each) for each in findings if not each.passed]
    if faults:
        raise AssertionError("\n".join(faults))


def _known(check: str | None, names: list[str]) -> None:
    if check is not None and check not in (*names, IMPORTS):
        raise InputError(f"there is no check '{check}'{nearest(check, names)}")


def _name(subject: str | type[Any], registry: Registry[Any], key: str, further: Sequence[str]) -> str:
    """Find the name of what is to be checked: a class has it, and a word may be anything that a run understands."""
    catalog.load()
    if not isinstance(subject, str):
        name: str | None = getattr(subject, "name", None)
        if name is None or registry.get(name) is not subject:
            raise InputError(f"{subject.__qualname__} is not registered: put @{key}s.register('name') above the class")
        return name
    if subject in registry or subject in registry.broken:
        return subject
    config = compose.load([*tiny_words(further), f"{key}=[{subject}]" if key == "method" else f"{key}={subject}"])
    return str(next(iter(config.methods)) if key == "method" else config.task["name"])


def _imports(name: str, registry: Registry[Any]) -> Finding | None:
    """Tell of a plugin that could not be imported."""
    if name not in registry.broken:
        return None
    return Finding(
        IMPORTS,
        f"{registry.kind} {name}",
        "failed",
        f"the plugin failed to import: {registry.broken[name]}",
        "import its module in a Python shell until it works, and see that its entry point names the right one",
    )


def fitting(method: str, further: Sequence[str]) -> list[str]:
    """List the tasks whose labels the chosen data has."""
    config = compose.load(tiny_words([f"method=[{method}]", *further]))
    provided = datasets[config.data["name"]].provides
    return [name for name, task in task_registry.items() if task.annotation in provided]


@functools.cache
def _declared(cls: type[Class], label: str, checks: tuple[Check[type[Class]], ...]) -> tuple[Finding, ...]:
    return tuple(examine(checks, cls, label))


def usable(declared: Sequence[Finding]) -> bool:
    """Whether a class can be imported and its options make a configuration, so that it can be tried."""
    needed = (IMPORTS, words(declaration.options_have_types_and_defaults.__name__))
    return all(each.passed for each in declared if each.check in needed)


def _not_checked(checks: Sequence[Check[Any]], label: str) -> list[Finding]:
    """Say of checks that they were not made."""
    reason = "it would say nothing before the options are a configuration"
    return [Finding(each.name, label, "not checked", reason) for each in checks]


@functools.cache
def _method_findings(cls: type[Method], task: type[Task], further: tuple[str, ...]) -> tuple[Finding, ...]:
    """Make every check of a method on one task."""
    laboratory = Laboratory([f"task={task.name}", f"method=[{cls.name}]", *further])
    return tuple(examine(METHOD, MethodUnderTest(cls, laboratory), f"method {cls.name} on {task.name}"))


@functools.cache
def _task_findings(cls: type[Task], methods: tuple[type[Method], ...], further: tuple[str, ...]) -> tuple[Finding, ...]:
    """Make every check of a task, and, where it passes, one step of each method on it."""
    label = f"task {cls.name}"
    laboratory = Laboratory([f"task={cls.name}", f"method=[{','.join(each.name for each in methods)}]", *further])
    findings = examine(TASK, TaskUnderTest(laboratory), label)
    if all(each.passed for each in findings):
        for method in methods:
            findings += examine(STEP, MethodUnderTest(method, laboratory), f"{label} with method {method.name}")
    return tuple(findings)
