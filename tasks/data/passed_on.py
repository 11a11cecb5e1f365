"""Bad input that a loader process meets, in its own words: torch would wrap them in the traceback of that process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tasks.errors import InputError

Loaded = TypeVar("Loaded")


def caught(load: Callable[[], Loaded]) -> Loaded | InputError:
    """Return what is loaded, or the InputError that it raises."""
    try:
        return load()
    except InputError as error:
        return error


def raised(loaded: Iterable[Loaded | InputError]) -> Iterator[Loaded]:
    """Yield what was loaded, and raise the InputError that was caught."""
    for each in loaded:
        if isinstance(each, InputError):
            raise each
        yield each
