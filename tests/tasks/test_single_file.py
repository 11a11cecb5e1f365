"""Classes from single files: what works, and one clear line where it does not."""

from __future__ import annotations

import hashlib
import sys
import types
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import single_file
from tasks.annotations.kind import kinds
from tasks.errors import InputError
from tasks.origin import Origin, origin_of
from tasks.registry import Registry


class Base(ABC):
    @abstractmethod
    def forward(self) -> int: ...


class Other:
    pass


GOOD = "from shared import Base\n\nclass Mine(Base):\n    def forward(self): return 1\n"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[Base]]:
    """A registry, which files reach as ``from shared import register, Base``."""
    found: Registry[Base] = Registry("thing", None, Base)
    shared = types.ModuleType("shared")
    shared.Base, shared.register = Base, found.register
    monkeypatch.setitem(sys.modules, "shared", shared)
    yield found
    for name in [name for name in sys.modules if name.startswith(single_file.MODULE)]:
        del sys.modules[name]


def written(path: Path, source: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    return path


def entered(path: Path, registry: Registry[Base], wanted: str = "") -> str | None:
    return registry.name_of(single_file.enter(f"{path}{wanted}", [registry])[1])


def test_a_class_is_named_after_its_file_or_by_itself(tmp_path: Path, registry: Registry[Base]) -> None:
    assert entered(written(tmp_path / "my_kd.py", GOOD), registry, ":Mine") == "my_kd"
    named = GOOD.replace("import Base", "import Base, register").replace("class", "@register('own')\nclass")
    assert entered(written(tmp_path / "other.py", named), registry) == "own"
    assert sorted(registry) == ["my_kd", "own"]
    assert registry["own"]().forward() == 1


def test_its_origin_is_the_file_and_its_content(tmp_path: Path, registry: Registry[Base]) -> None:
    path = written(tmp_path / "my_kd.py", GOOD)
    entered(path, registry)
    sha = hashlib.sha256(GOOD.encode()).hexdigest()
    assert registry.origin("my_kd") == Origin("my_kd.py", path=str(path.resolve()), file_sha256=sha)
    assert str(registry.origin("my_kd")) == str(path.resolve())
    assert not registry.origin("my_kd").built_in


def test_the_same_content_is_run_once_wherever_it_lies(tmp_path: Path, registry: Registry[Base]) -> None:
    entered(written(tmp_path / "a" / "my_kd.py", GOOD), registry)
    first = registry["my_kd"]
    assert entered(written(tmp_path / "b" / "my_kd.py", GOOD), registry) == "my_kd"
    assert registry["my_kd"] is first


def test_a_changed_file_takes_the_place_of_what_it_was(tmp_path: Path, registry: Registry[Base]) -> None:
    path = written(tmp_path / "my_kd.py", GOOD)
    entered(path, registry)
    before = registry.origin("my_kd")
    entered(written(path, GOOD.replace("return 1", "return 2")), registry)
    assert registry["my_kd"]().forward() == 2
    assert registry.origin("my_kd").file_sha256 != before.file_sha256


def test_a_file_may_bring_a_kind_of_annotation(tmp_path: Path, registry: Registry[Base]) -> None:
    source = (
        GOOD
        + """
from tasks.annotations.depth import DepthKind
from tasks.annotations.kind import kinds
@kinds.register("disparity")
class Disparity(DepthKind): pass
"""
    )
    try:
        for changed in ("", "# changed"):
            entered(written(tmp_path / "stereo.py", source + changed), registry)
            assert str(kinds.origin("disparity")) == str(tmp_path / "stereo.py")
    finally:
        kinds.withdraw("disparity")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        entered(written(tmp_path / "broken.py", source + "1 / 0"), registry)
    assert "disparity" not in kinds


def test_of_several_kinds_the_base_decides(tmp_path: Path, registry: Registry[Base]) -> None:
    others: Registry[Other] = Registry("other", None, Other)
    found, cls = single_file.enter(str(written(tmp_path / "my_kd.py", GOOD)), [others, registry])
    assert found is registry
    assert cls.__name__ == "Mine"


TWO = GOOD + "\nclass Second(Mine):\n    pass\n"
FAULTS = {
    "raises on import": ("import nowhere_at_all\n", "", "my_kd.py, line 1: ModuleNotFoundError: No module named"),
    "raises below": (GOOD + "\nx = [][3]\n", "", "my_kd.py, line 6: IndexError"),
    "is no Python": ("class Mine(\n", "", "my_kd.py, line 1: SyntaxError"),
    "leaves": ("import sys\nsys.exit(3)\n", "", "my_kd.py, line 2: SystemExit: 3"),
    "misspelt class": (GOOD, ":Mien", "has no class 'Mien'; did you mean 'Mine'?"),
    "no such thing": ("x = 1\n", ":x", "has no class 'x'"),
    "wrong base": ("class Mine: pass\n", ":Mine", "class 'Mine' is no thing: derive it from "),
    "not finished": ("from shared import Base\nclass Mine(Base): pass\n", ":Mine", "'Mine' does not define forward"),
    "nothing in it": ("x = 1\n", "", "defines no thing: a class derived from "),
    "several": (TWO, "", "defines several classes: Mine, Second; choose one: my_kd.py:Mine"),
}


@pytest.mark.parametrize(("source", "wanted", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_clear_line(
    source: str, wanted: str, expected: str, tmp_path: Path, registry: Registry[Base]
) -> None:
    path = written(tmp_path / "my_kd.py", source)
    with pytest.raises(InputError) as caught:
        single_file.enter(f"{path}{wanted}", [registry])
    assert expected in str(caught.value)
    assert str(path.resolve()) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(registry) == []
    assert entered(written(path, GOOD), registry) == "my_kd"  # nothing of the attempt is left


def test_a_missing_file_is_named_with_its_neighbours(tmp_path: Path, registry: Registry[Base]) -> None:
    written(tmp_path / "my_kd.py", GOOD)
    with pytest.raises(
        InputError,
        match=r"my_dk.py: expected a Python file, found no such file; did you mean 'my_kd.py'\? \(looked for /",
    ):
        single_file.enter(f"{tmp_path}/my_dk.py:Mine", [registry])


def test_a_taken_name_names_both_origins(tmp_path: Path, registry: Registry[Base]) -> None:
    first = written(tmp_path / "a" / "my_kd.py", GOOD)
    second = written(tmp_path / "b" / "my_kd.py", GOOD + "# another\n")
    entered(first, registry)
    with pytest.raises(InputError) as caught:
        single_file.enter(str(second), [registry])
    assert f"by {first.resolve()} and by {second.resolve()}" in str(caught.value)
    assert registry.origin("my_kd").path == str(first.resolve())


def test_a_file_whose_name_is_no_name_says_what_to_do(tmp_path: Path, registry: Registry[Base]) -> None:
    with pytest.raises(InputError, match="'my-kd' is not letters, digits and _; rename the file, or name the class"):
        single_file.enter(str(written(tmp_path / "my-kd.py", GOOD)), [registry])


@pytest.mark.parametrize(
    ("text", "expected"), [("./my_kd.py:MyKD", True), ("my_kd.py", True), ("mgd", False), ("x.pyc", False)]
)
def test_what_counts_as_a_file(text: str, expected: bool) -> None:
    assert single_file.is_reference(text) is expected


def test_built_in_modules_have_the_suites_origin() -> None:
    assert origin_of("methods.pixel").package == "densedistill"
    assert origin_of("yaml").package.lower() == "pyyaml"
