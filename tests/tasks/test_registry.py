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


def plugins(monkeypatch: pytest.MonkeyPatch, **points: object) -> Registry[object]:
    """Make a registry whose entry points give these objects, or raise them."""

    class Entry:
        def __init__(self, name: str, found: object) -> None:
            self.name, self.value, self.found = name, f"{name}:Class", found

        def load(self) -> object:
            if isinstance(self.found, BaseException):
                raise self.found
            return self.found

    entries = [Entry(name, found) for name, found in points.items()]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: entries if group == "some.group" else [])
    return Registry("thing", "some.group", Thing)


class Own(Thing):
    pass


def test_a_plugins_class_without_a_decorator_is_named_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = plugins(monkeypatch, mine=Own)
    registry.load_plugins()
    assert registry["mine"] is Own
    assert registry.name_of(Own) == "mine"


def test_a_plugin_that_takes_a_name_is_reported_and_the_first_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = plugins(monkeypatch, one=Own, wrong=int, leaves=SystemExit("bye"), fine=type("Fine", (Thing,), {}))
    registry.register("one")(Thing)
    registry.load_plugins()
    assert registry["one"] is Thing
    assert list(registry) == ["one", "fine"]
    assert list(registry.broken) == ["one", "wrong", "leaves"]
    assert "thing 'one' is registered twice: by" in registry.broken["one"]
    assert registry.broken["wrong"].startswith("wrong:Class is no thing: derive it from ")
    assert registry.broken["leaves"] == "SystemExit: bye"


def test_what_raises_takes_back_what_it_registered() -> None:
    registry: Registry[object] = Registry("thing")
    with pytest.raises(KeyError), registry.all_or_nothing():
        registry.register("one")(Thing)
        raise KeyError
    assert list(registry) == []


@pytest.mark.parametrize("name", ["my-kd", "2nd", "", "a b", "_x"])
def test_a_name_is_letters_digits_and_underscores(name: str) -> None:
    with pytest.raises(InputError, match="a name is letters, digits and _"):
        Registry("thing").register(name)(Thing)


def test_withdrawn_with_a_reason_it_is_listed_as_broken() -> None:
    registry: Registry[object] = Registry("thing")
    registry.register("one")(Thing)
    registry.withdraw("one", "no default")
    with pytest.raises(InputError, match="thing 'one' comes from a plugin that failed to import: no default"):
        registry["one"]


def test_nearest_lists_all_where_none_is_near() -> None:
    assert nearest("zzz", ["one", "two"]) == "; known: one, two"
    assert nearest("x", []) == ""
