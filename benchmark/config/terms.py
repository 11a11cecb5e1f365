"""Terms: which of a method's own terms are kept, so that a gain can be attributed to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.config.schema import Config
from methods.base import SUPERVISED, Method
from tasks.errors import InputError, nearest

TERMS = "terms"


def fill(config: Config) -> None:
    """Drop the option where all terms are kept, and put the names into one order where some are.

    Raises InputError for a list without names: that is the student alone.
    """
    for name, options in config.methods.items():
        kept = options.pop(TERMS, None)
        if kept is None:
            continue
        own = sorted(set(kept) - {SUPERVISED})
        if not own:
            said = f"methods.{name}.{TERMS}=[{','.join(kept)}]"
            raise InputError(f"{said}: expected terms of its own to keep; without any it is method=none")
        options[TERMS] = own


def variant(options: Mapping[str, Any]) -> str:
    """Say what is left of a method, for boards; nothing where all is."""
    return f"only {' + '.join(options[TERMS])}" if options.get(TERMS) else ""


def keep(method: Method, options: Mapping[str, Any]) -> None:
    """Take the weight of every term that is neither supervised nor kept, and the critic of one that speaks in it.

    Raises InputError for a term that the method does not have, or that its options have switched off.
    """
    kept = options.get(TERMS)
    if kept is None:
        return
    counting = [name for name, weight in method.weights.items() if name != SUPERVISED and weight != 0]
    for name in kept:
        if name not in counting:
            raise InputError(
                f"methods.{method.name}.{TERMS}: no term '{name}' that counts; there are {', '.join(counting)}"
                f"{nearest(name, counting)}"
            )
    lost = {name for name in counting if name not in kept}
    method.weights = {name: 0.0 if name in lost else weight for name, weight in method.weights.items()}
    if method.critic_term in lost:
        method.critic = None
