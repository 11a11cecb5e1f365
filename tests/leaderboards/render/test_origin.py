"""Where the code of a row comes from is shown wherever that is not this suite."""

from leaderboards.leaderboard import leaderboard
from leaderboards.render import markdown
from leaderboards.render.origins import origins
from tests.leaderboards.factory import record

SHA = "3f2a1b0c" + "0" * 56


def from_file(sha, seed=0, entry="kd"):
    """A run of a method that came as a file."""
    run = record("my_kd", seed, 0.6, entry_id=entry, run_id=f"{entry}-{seed}")
    origin = {"package": "my_kd.py", "version": "", "file_sha256": sha}
    return run.model_copy(update={"method": run.method.model_copy(update=origin)})


def row(page, start):
    """The cells of the first line of a Markdown table that starts with a method."""
    line = next(line for line in page.splitlines() if line.startswith("|") and f"| {start}" in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_board_of_the_suites_own_methods_has_no_such_column():
    assert "origin" not in markdown.render(leaderboard([record("none"), record("mgd")]))


def test_one_row_from_elsewhere_brings_the_column():
    page = markdown.render(leaderboard([record("none"), from_file(SHA)]))
    place = row(page, "method").index("origin")
    assert row(page, "my_kd")[place] == "my_kd.py 3f2a1b0c"
    assert row(page, "none")[place] == "densedistill 0.1.0"


def test_two_contents_of_a_file_are_told_apart():
    (board,) = leaderboard([record("none"), from_file(SHA), from_file("a" * 64, entry="other")]).boards
    labels = {each.entry.label for each in board.rows}
    assert labels == {"none", "my_kd version=my_kd.py 3f2a1b0c", "my_kd version=my_kd.py aaaaaaaa"}


def test_the_provenance_of_a_row_has_the_whole_hash():
    (board,) = leaderboard([record("none"), from_file(SHA)]).boards
    _, found = origins(board)
    assert found["kd"].shared["method.file_sha256"] == SHA
    assert found["kd"].shared["method.package"] == "my_kd.py"
