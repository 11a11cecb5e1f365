"""What the files around the packages promise: one version, typed packages, hooks and a workflow like CI."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [each.removesuffix("*") for each in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


def test_the_citation_is_that_of_this_version() -> None:
    citation = read("CITATION.cff")
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_changelog_has_this_version_and_what_comes_next() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[:2] == ["Unreleased", PROJECT["project"]["version"]]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"]["*"]


def test_the_workflow_runs_everything_on_every_version_that_is_promised() -> None:
    (job,) = read(".github/workflows/ci.yml")["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    promised = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if "Python :: 3." in each]
    assert job["strategy"]["matrix"]["python"] == promised
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_hooks_are_the_lint_of_the_makefile() -> None:
    hooks = [hook["entry"].split()[:2] for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    lint = re.search(r"^lint:\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lint is not None
    for (tool, *verb), line in zip(hooks, lint[1].splitlines(), strict=True):
        assert line.split()[: 1 + len(verb)] == [tool, *verb]
