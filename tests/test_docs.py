"""Every command of the README and the manual runs, on tiny images, in the order in which a reader meets them."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from benchmark.cli import app, guarded
from tests.support import TINY, tiny_run
from tests.tasks.datasets import layouts

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = ("-m", "typer", "benchmark.cli", "utils", "docs", "--name", "benchmark", "--title", "Command line")
CONFIGURED = ("run", "tune")  # commands that take a configuration


def commands(page: Path) -> Iterator[list[str]]:
    """List the ``benchmark`` commands of a page's shell blocks, without comments and line breaks."""
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["benchmark"]:
                yield words[1:]


WITH_COMMANDS = [page for page in PAGES if any(commands(page))]


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, teachers_home: Callable[[str], Path], registries: None
) -> Path:
    """A reader's folder: teachers and a run are there already, and so is what the pages call other/runs and PATH."""
    monkeypatch.chdir(tmp_path)
    for task in ("seg", "depth"):
        shutil.copytree(teachers_home(task), tmp_path / "runs" / "teachers", copy_function=os.link, dirs_exist_ok=True)
    (tmp_path / "other" / "runs" / "records").mkdir(parents=True)
    layouts.camvid(tmp_path / "PATH")
    tiny_run(Path("runs"), "method=none")
    return tmp_path


def filled_in(words: list[str], place: Path) -> Iterator[str]:
    """Do what the shell would do with stars, and what a reader would do with NAME.json."""
    for word in words:
        pattern = word.replace("NAME", "*")
        if "*" not in pattern:
            yield word
        elif word == pattern:
            yield from map(str, sorted(place.glob(pattern)))
        else:
            yield str(min(place.glob(pattern)))


def shrunk(words: list[str]) -> list[str]:
    """Add what makes a command a matter of seconds, without touching what the page says."""
    if words[0] not in CONFIGURED:
        return words
    said = {word.partition("=")[0] for word in words}
    if "experiment" in said and "data.root" not in said:
        return words  # small by itself
    if "data.root" in said:
        return [*words, "recipe.steps=2", "teacher.recipe.steps=2", "device=cpu", "recipe.crop=null"]
    few = {"--seeds": "1", "--trials": "3"} if words[0] == "tune" else {}
    once = [part for option, value in few.items() if option not in words for part in (option, value)]
    return [*words, *once, *(word for word in TINY if word.partition("=")[0] not in said and word != "control=false")]


@pytest.mark.slow  # three minutes of one core; .ci/run runs it
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_runs(page: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(page):
        typed = shrunk(list(filled_in(words, place)))
        code = guarded(lambda found=typed: app(found, standalone_mode=False))
        told = capsys.readouterr()
        assert code == 0, f"benchmark {shlex.join(typed)}: exit code {code}\n{told.out[-1500:]}{told.err[-1500:]}"


def test_the_reference_of_the_command_line_is_what_the_code_says() -> None:
    tested = re.search(r"^typer==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    if tested is None or importlib.metadata.version("typer") != tested[1]:
        pytest.skip("another version of typer words the reference otherwise than the one in constraints.txt")
    made = subprocess.run([sys.executable, *REFERENCE], capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == made, "run make reference"


def test_there_are_commands_to_run() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) >= 20


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}, which does not exist"


def test_pictures_can_be_opened() -> None:
    for page in PAGES:
        for target in re.findall(r"!\[[^\]]*\]\((?!https?:)([^)]+\.png)\)", page.read_text(encoding="utf-8")):
            with Image.open(page.parent / target) as picture:
                assert min(picture.size) > 100
