import pytest

from leaderboards.leaderboard import leaderboard
from leaderboards.record import Record
from leaderboards.write import RENDERERS
from tests.leaderboards.factory import record

HOSTILE = "<script>window.broken=1</script> [a](javascript:1)"


def credited(made: Record, *, method: dict[str, str], dataset: dict[str, str]) -> Record:
    parts = {"method": made.method.model_copy(update=method), "dataset": made.dataset.model_copy(update=dataset)}
    return made.model_copy(update=parts)


def test_papers_addresses_and_licences_are_listed_once_methods_first() -> None:
    given = {"method": {"reference": "doi:1/2", "license": "MIT"}, "dataset": {"license": "CC BY 4.0"}}
    made = [record("none"), *(credited(record("mgd", seed), **given) for seed in range(3)), record("cwd")]
    assert [(credit.kind, credit.name, credit.parts) for credit in leaderboard(made).credits] == [
        ("method", "cwd", ("Method cwd", "Somebody, Somewhere 2020")),
        ("method", "mgd", ("Method mgd", "Somebody, Somewhere 2020", "doi:1/2", "licence MIT")),
        ("dataset", "scenes", ("licence CC BY 4.0",)),
    ]


def test_what_names_nothing_is_not_listed() -> None:
    assert leaderboard([record("none")]).credits == ()
    assert "Sources" not in RENDERERS["md"](leaderboard([record("none")]))


@pytest.mark.parametrize("name", ["md", "html"])
def test_they_are_shown_as_text(name: str) -> None:
    given = {"reference": HOSTILE, "license": HOSTILE}
    plain, made = record("mgd"), credited(record("mgd"), method=given, dataset=given)
    before, shown = (RENDERERS[name](leaderboard([each])) for each in (plain, made))
    assert "Sources" in shown
    assert shown.count("<script>window") == before.count("<script>window") == 0
    assert {"md": "&#60;script&#62;window", "html": "&lt;script&gt;window"}[name] in shown
    if name == "md":
        assert "[a](" not in shown


@pytest.mark.parametrize("name", sorted(set(RENDERERS) - {"svg"}))
def test_a_board_names_its_protocol(name: str) -> None:
    made = record("mgd")
    named, alone = (
        each.model_copy(update={"protocol": each.protocol.model_copy(update={"name": "quick"})})
        for each in (made, record("none"))
    )
    said = {"csv": ",quick,", "json": '"protocol": "quick"'}.get(name, "protocol quick")
    assert said in RENDERERS[name](leaderboard([named, alone]))
    assert said not in RENDERERS[name](leaderboard([made, record("none")]))
