from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark.cli import app
from leaderboards import store
from tests.leaderboards.factory import seeds

CLAIMS = '[{"source": "Somebody 2020", "said": "It helps", "method": "mgd", "tasks": ["seg"], "few_labels": true}]'


def home(folder: Path) -> Path:
    for record in (*seeds("none", 0.50, 0.51, 0.505), *seeds("mgd", 0.60, 0.612, 0.604)):
        store.write(record, folder / store.RECORDS)
    (folder / "claims.json").write_text(CLAIMS)
    return folder


def test_statements_are_printed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["leaderboard", "statements", str(home(tmp_path))])
    assert result.exit_code == 0
    assert "above zero: `mgd` +0.1003" in result.output


@pytest.mark.parametrize("command", ["statements", "claims", "write"])
def test_what_cannot_be_read_is_said_and_the_rest_is_printed(tmp_path: Path, command: str) -> None:
    damaged = next((home(tmp_path) / store.RECORDS).glob("*.json"))
    damaged.write_text("{")
    result = CliRunner().invoke(app, ["leaderboard", command, str(tmp_path)])
    assert result.exit_code == 1
    assert damaged.name in result.output
    page = tmp_path / "leaderboards" / "leaderboard.md"
    assert "equal steps (600)" in (page.read_text() if command == "write" else result.stdout)


def test_boards_without_the_values_of_images_say_so_where_they_are_written(tmp_path: Path) -> None:
    record, *_ = seeds("none", 0.5)
    lost = record.model_copy(update={"scores": record.scores.model_copy(update={"images_sha256": "0" * 64})})
    store.write(lost, tmp_path / store.RECORDS)
    result = CliRunner().invoke(app, ["leaderboard", str(tmp_path)])
    assert result.exit_code == 1
    assert "1 records, 1 faults" in result.output
    assert "missing" in result.output


def test_claims_are_printed_or_written(tmp_path: Path) -> None:
    page = tmp_path / "claims.md"
    printed = CliRunner().invoke(app, ["leaderboard", "claims", str(home(tmp_path))])
    written = CliRunner().invoke(app, ["leaderboard", "claims", str(tmp_path), "--out", str(page)])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert printed.output == page.read_text()
    assert "It helps" in printed.output


def test_without_claims_the_option_is_named(tmp_path: Path) -> None:
    (home(tmp_path) / "claims.json").unlink()
    result = CliRunner().invoke(app, ["leaderboard", "claims", str(tmp_path)])
    assert result.exit_code != 0
    assert "--claims" in str(result.exception) + result.output
