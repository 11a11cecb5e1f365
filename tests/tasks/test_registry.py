from __future__ import annotations

import importlib.metadata
from typing import Literal

import pytest

from tasks.errors import InputError, nearest
from tasks.registry import Registry, options


class Thing:
    def __init__(self, given: int, *, weight: float = 1.0, kind: Literal["a", "b"] = "a") -> None:
        """Take options."""


def test_a_class_is_found_under_its_name_which_it_learns() -> None:
    registry: Registry[object] = Registry("thing")
    registry.register("one")(Thing)
    assert registry["one"] is Thing
    assert Thing.name == "one"
    assert list(registry) == ["one"]
    assert "one" in registry
    assert "two" not in registry


def test_an_unknown_name_brings_the_nearest() -> None:
    registry: Registry[object] = Registry("thing")
    registry.register("pixel")(Thing)
    with pytest.raises(InputError, match="unknown thing 'pixle'; did you mean 'pixel'?"):
        registry["pixle"]


def test_a_name_taken_twice_names_both_origins() -> None:
    registry: Registry[object] = Registry("thing")
    registry.register("one")(Thing)
    registry.register("one")(Thing)  # the same class may come again, e.g. through a reload
    with pytest.raises(InputError, match=r"thing 'one' is registered twice: by .* and by "):
        registry.register("one")(type("Other", (), {}))


def test_options_are_the_keyword_only_arguments() -> None:
    found = options(Thing)
    assert list(found) == ["weight", "kind"]
    assert found["weight"].default == 1.0
    assert found["weight"].annotation is float


def test_a_broken_plugin_is_kept_with_its_error_and_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def __init__(self, name: str, works: bool) -> None:
            self.name, self.works = name, works

        def load(self) -> None:
            if not self.works:
                raise ImportError("no module named 'nowhere'")
            registry.register(self.name)(Thing)

    registry: Registry[object] = Registry("thing", "some.group")
    entries = [Entry("broken", False), Entry("works", True)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries if group == "some.group" else [])
    registry.load_plugins()
    assert registry.broken == {"broken": "ImportError: no module named 'nowhere'"}
    assert "works" in registry
    with pytest.raises(InputError, match="comes from a plugin that failed to import: ImportError"):
        registry["broken"]


def test_nearest_lists_all_where_none_is_near() -> None:
    assert nearest("zzz", ["one", "two"]) == "; known: one, two"
    assert nearest("x", []) == ""
