from __future__ import annotations

from pathlib import Path

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
