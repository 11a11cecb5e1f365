import csv
import io
import json
import random

import pytest

from leaderboards.errors import RecordError
from leaderboards.leaderboard import leaderboard
from leaderboards.render import markdown
from leaderboards.store import Fault
from leaderboards.write import RENDERERS, USUAL, stale_boards, write_boards
from tests.leaderboards.factory import record, seeds

HOSTILE = (
    "<script>alert(1)</script> | `x` [a](javascript:1) ![i](x) www.evil.example https://evil.example *b* _i_ @me\n# h"
)
RECORDS = [
    *seeds("none", 0.50, 0.505, 0.51, metrics={"accuracy": (0.8, True)}),
    *seeds("mgd", 0.55, 0.553, 0.56, metrics={"accuracy": (0.83, True)}, train_s=90.0),
    *seeds("skt", 0.4),
    record("skt", 1, None, status="diverged", reason="loss is NaN at step 3"),
    *seeds("none", 3.0, 3.2, task="depth", metric="rmse", higher=False, teacher=2.0),
]


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_same_records_same_bytes(name):
    shuffled = random.Random(1).sample(RECORDS, len(RECORDS))
    assert RENDERERS[name](leaderboard(RECORDS)) == RENDERERS[name](leaderboard(shuffled))


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_an_empty_leaderboard_renders(name):
    assert RENDERERS[name](leaderboard([]))


def test_markdown_table_by_hand():
    lines = markdown.render(leaderboard(RECORDS)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("## Seg"))
    table = [line for line in lines[start:] if line.startswith("|")]
    row = [cell.strip() for cell in table[2].strip("|").split("|")]
    assert row[:5] == ["1 A", "1–1", "mgd", "0.5543 ± 0.0051", "[0.5416, 0.5671]"]
    assert row[5:9] == ["+0.0493 [+0.0465, +0.0522]", "0.000", "52 % [45, 60]", "3"]
    assert row[9:] == ["0.8300 ± 0.0000", "1.20 M", "310 M", "8.10 (9.30)", "1.50 ×", "ok", "L0"]
    assert "- skt, seed 1 diverged: loss is NaN at step 3" in lines
    assert len({len(line) for line in table}) == 1, "columns are aligned"


def test_loudness_is_shown_where_it_is_known():
    ratios = {"supervised": [1.0, 1.0], "pixel": [1.0, 3.0], "image": [0.5, 0.5]}
    page = leaderboard([*seeds("none", 0.5), *seeds("mgd", 0.6, diagnostics={"ratio_steps": [0, 9], "ratios": ratios})])
    lines = markdown.render(page).splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|"))
    place = header.index("loudness")
    assert [row[place] for row in rows[:2]] == ["2.50 ×", "–"]
    assert [line["loudness"] for line in csv.DictReader(io.StringIO(RENDERERS["csv"](page)))][:2] == ["2.5", ""]
    assert [row["loudness"] for row in json.loads(RENDERERS["json"](page))["boards"][0]["rows"]] == [2.5, None]
    assert "loudness" not in markdown.render(leaderboard(RECORDS))


def test_markdown_matrix_by_hand():
    lines = markdown.render(leaderboard(RECORDS)).splitlines()
    start = lines.index("## Methods and tasks: equal steps, 1/8 labels")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:] if line.startswith("|")]
    assert rows[0][:4] == ["method", "Depth", "Seg", "mean rank"]
    assert rows[2] == ["none (control)", "– (1)", "– (1)", "1.00", "–", "–", "0/0/0", "100 %"]
    assert ["mgd", "missing", "▲ 52 %", "–", "–", "–", "1/0/0", "50 %"] in rows
    assert "Incomplete, not ranked:" in lines


def test_markdown_escapes_what_could_be_syntax():
    made = [*RECORDS, record("cwd", 0, None, status="failed", reason=HOSTILE)]
    text = markdown.render(leaderboard(made, [Fault(f"/secret/{HOSTILE}.json", HOSTILE)]))
    for syntax in ("<script", "`x`", "[a](", "![i]", "www.evil", "https:", "*b*", "_i_", "@me", "\n# h", "/secret"):
        assert syntax not in text
    assert "&#60;script&#62;" in text


def test_csv_holds_unrounded_numbers():
    found = list(csv.DictReader(io.StringIO(RENDERERS["csv"](leaderboard(RECORDS)))))
    mgd = next(line for line in found if line["method"] == "mgd")
    assert float(mgd["mean"]) == float(mgd["mean miou"]) == pytest.approx((0.55 + 0.553 + 0.56) / 3, abs=1e-15)
    assert (mgd["rank"], mgd["seeds"], mgd["status"], mgd["mean rmse"]) == ("1", "3", "ok", "")
    assert [line["kind"] for line in found].count("teacher") == 2


def test_csv_cells_are_no_formulas():
    made = [
        record("mgd", 0, None, status="failed", reason="x"),
        record("cwd", 0, 0.5, title="=1+1", dataset="@SUM(A1)"),
    ]
    cells = [cell for line in csv.reader(io.StringIO(RENDERERS["csv"](leaderboard(made)))) for cell in line]
    assert "'@SUM(A1)" in cells
    assert not [cell for cell in cells if cell[:1] in "=@" and cell]


def test_json_is_strict_and_complete():
    found = json.loads(RENDERERS["json"](leaderboard(RECORDS)), parse_constant=pytest.fail)
    depth, seg = found["boards"]
    assert (depth["track"]["higher_is_better"], seg["track"]["higher_is_better"]) == (False, True)
    mgd = seg["rows"][0]
    assert (mgd["method"], mgd["rank"], mgd["score"]["n"], len(mgd["runs"])) == ("mgd", 1, 3, 3)
    assert seg["rows"][-1]["reasons"] == ["seed 1 diverged: loss is NaN at step 3"]


def test_boards_are_written_whole(tmp_path):
    paths = write_boards(RECORDS, tmp_path / "out")
    assert [path.name for path in paths] == [f"leaderboard.{name}" for name in USUAL]
    assert sorted(paths) == sorted((tmp_path / "out").iterdir())


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(RecordError, match="unknown format 'pdf'; known: md, csv, json, html, svg"):
        write_boards(RECORDS, tmp_path / "out", ["md", "pdf"])
    assert not (tmp_path / "out").exists()


def test_stale_boards_are_named(tmp_path):
    write_boards(RECORDS, tmp_path, ["md", "csv", "svg"])
    assert stale_boards(RECORDS, tmp_path, ["md", "csv", "svg"]) == []
    (tmp_path / "leaderboard.svg").unlink()
    more = [*RECORDS, record("cwd", 0, 0.52)]
    assert [path.name for path in stale_boards(more, tmp_path, ["md", "csv", "svg"])] == [
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard.svg",
    ]
