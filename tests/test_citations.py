"""What is said of where a built-in method or dataset comes from is there, and agrees with itself."""

from __future__ import annotations

import re

import pytest

from methods.base import Method, methods
from tasks.base import Dataset, datasets

METHODS = [methods[name] for name in sorted(methods) if methods.origin(name).built_in]
DATASETS = [datasets[name] for name in sorted(datasets) if datasets.origin(name).built_in]
CITED = [each for each in (*METHODS, *DATASETS) if each.bibtex]


def plain(text: str) -> str:
    return " ".join(text.split()).lower()


@pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
def test_a_method_cites_the_paper_that_it_names(cls: type[Method]) -> None:
    if cls.control:
        assert not cls.bibtex
        return
    assert cls.license
    assert f"author = {{{cls.paper.partition(' et al.')[0]}, " in cls.bibtex
    assert set(re.findall(r"\b20\d\d\b", cls.paper)) & set(re.findall(r"year = {(\d{4})}", cls.bibtex))
    titles = re.findall(r'"(.+?)",? (?=[A-Za-z])', plain(cls.__doc__ or "").partition("``l =")[0])
    assert titles
    assert titles[0] in plain(cls.bibtex)


@pytest.mark.parametrize("cls", DATASETS, ids=lambda cls: cls.name)
def test_a_dataset_says_what_allows_its_use_and_cites_what_its_docstring_names(cls: type[Dataset]) -> None:
    assert cls.license
    if cls.bibtex:
        named = re.search(r"\((\w+) et al\., [^)]*?(\d{4})\)", cls.__doc__ or "")
        assert named
        assert f"author = {{{named[1]}, " in cls.bibtex
        assert f"year = {{{named[2]}}}" in cls.bibtex


@pytest.mark.parametrize("cls", CITED, ids=lambda cls: cls.name)
def test_what_is_cited_can_be_found_and_is_well_formed(cls: type[Method | Dataset]) -> None:
    assert re.fullmatch(r"https?://[\w.-]+(/[\w.~/-]*)?", cls.reference)
    entries = re.split(r"\n\s*(?=@)", cls.bibtex.strip())
    for entry in entries:
        assert re.match(r"@(article|inproceedings){\w+,\n", entry.strip())
        assert entry.count("{") == entry.count("}")
        fields = dict(re.findall(r"^\s+(\w+) = {(.+?)},?$", entry, re.MULTILINE | re.DOTALL))
        assert {"title", "author", "year"} < fields.keys()
        assert {"journal", "booktitle"} & fields.keys()
        assert all(len(author.split(", ")) == 2 for author in " ".join(fields["author"].split()).split(" and "))
