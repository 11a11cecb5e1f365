import json
import re
from html.parser import HTMLParser

import pytest

from leaderboards.attachments import PNG, Attachment
from leaderboards.errors import RecordError
from leaderboards.leaderboard import Leaderboard, leaderboard
from leaderboards.matrix import Cell
from leaderboards.render import assets, html
from leaderboards.render.heat import heat
from leaderboards.render.html import render
from leaderboards.statistics import Estimate
from leaderboards.store import Fault
from tests.leaderboards.factory import record, seeds

HOSTILE = "<script>window.broken=1</script><img src=x onerror='window.broken=1'>\"' {{ 7*7 }} </script><!--<script>"


@pytest.fixture
def light(monkeypatch):
    """Leave out the libraries, 5 MB that take seconds to parse."""
    monkeypatch.setattr(html, "libraries", lambda: dict.fromkeys(assets.libraries(), ""))


class Page(HTMLParser):
    """Collects the elements and the text of a page, scripts and styles aside."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._inside = [], [], None
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = dict(attributes).get("id", tag) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text.append(data)
        elif self._inside == "data":
            self.data += data


RECORDS = [*seeds("none", 0.50, 0.505, 0.51), *seeds("mgd", 0.55, 0.553, 0.56)]


@pytest.mark.usefixtures("light")
def test_the_page_fetches_nothing():
    page = Page(render(leaderboard(RECORDS)))
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "base")
        assert "src" not in attributes or (tag == "img" and not attributes["src"])
        assert not attributes.get("href", "#").startswith("http")
    (policy,) = [found["content"] for tag, found in page.tags if found.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


@pytest.mark.usefixtures("light")
def test_tables_hold_what_the_other_formats_hold():
    text = " ".join(" ".join(Page(render(leaderboard(RECORDS))).text).split())
    for part in ("1 A", "0.5543 ± 0.0051", "+0.0493 [+0.0465, +0.0522]", "52 % [45, 60]", "teacher deep: fpn resnet50"):
        assert part in text


@pytest.mark.usefixtures("light")
def test_hostile_strings_stay_text():
    made = [
        record(
            "mgd", 0, 0.5, options={"name": HOSTILE}, variant=HOSTILE, title=HOSTILE, dataset=HOSTILE, metric=HOSTILE
        ),
        record("mgd", 1, None, status="failed", reason=HOSTILE, title=HOSTILE, dataset=HOSTILE, metric=HOSTILE),
    ]
    plain = Page(render(leaderboard([])))
    page = Page(render(leaderboard(made, [Fault("a.json", HOSTILE)])))
    scripts = [tag for tag, _ in page.tags if tag == "script"]
    assert len(scripts) == len([tag for tag, _ in plain.tags if tag == "script"])
    assert not [found for tag, found in page.tags if "onerror" in found or (tag == "img" and found.get("id") is None)]
    assert "<script>window.broken=1</script>" in " ".join(page.text)
    assert "{{ 7*7 }}" in " ".join(page.text)
    assert "<" not in page.data
    assert "<script>window.broken=1</script>" in json.dumps(json.loads(page.data)["boards"][0]["rows"])


@pytest.mark.usefixtures("light")
def test_provenance_says_each_fact_once():
    page = json.loads(Page(render(leaderboard(RECORDS))).data)
    (board,) = page["boards"]
    assert board["facts"]["dataset.name"] == "scenes"
    assert board["facts"]["student.encoder"] == "mobilenetv3"
    mgd = board["origins"][0]
    assert mgd["shared"]["method.paper"] == "Somebody, Somewhere 2020"
    assert [run["seed"] for run in mgd["runs"]] == ["0", "1", "2"]
    assert [run["score"] for run in mgd["runs"]] == ["0.55", "0.553", "0.56"]
    assert not set(board["facts"]) & (set(mgd["shared"]) | set(mgd["runs"][0]))


@pytest.mark.usefixtures("light")
def test_curves_and_panels_are_carried():
    attachments = {RECORDS[3].run_id: Attachment({"loss": ([0, 1], [2.0, 1.0])}, PNG + b"x")}
    made = leaderboard(RECORDS)
    page = json.loads(Page(render(Leaderboard(made.boards, attachments=attachments))).data)
    row = page["boards"][0]["rows"][0]
    assert row["curves"] == {"loss": [[0, 1], [2.0, 1.0]]}
    assert page["boards"][0]["panels"] == [{"image": "data:image/png;base64,iVBORw0KGgp4", "label": "mgd"}]


@pytest.mark.usefixtures("light")
def test_a_picture_of_a_cohort_is_carried_once():
    shared = Attachment({}, PNG + b"x")
    made = leaderboard(RECORDS)
    attachments = {RECORDS[0].run_id: shared, RECORDS[3].run_id: shared}
    page = json.loads(Page(render(Leaderboard(made.boards, attachments=attachments))).data)
    assert [panel["label"] for panel in page["boards"][0]["panels"]] == ["mgd, none"]


@pytest.mark.parametrize(
    ("gap", "name"),
    [(0.0, "heatp0"), (0.05, "heatp0"), (0.2, "heatp1"), (5.0, "heatp4"), (-0.4, "heatm2"), (-9.0, "heatm4")],
)
def test_heat_is_blue_for_better_and_orange_for_worse(gap, name):
    assert heat(Cell("ok", gap=Estimate(gap, 3))) == name
    assert re.search(rf"\.{name} ", (assets.libraries()["style"]))


def test_no_heat_without_a_gap():
    assert heat(None) == heat(Cell("failed")) == ""


@pytest.mark.usefixtures("light")
def test_the_page_claims_no_curves_and_pictures_that_are_not_there():
    page = Page(render(leaderboard(RECORDS)))
    assert "Training curves" not in " ".join(page.text)
    assert not [found for _, found in page.tags if found.get("class") == "panels"]
    assert [found["data-chart"] for _, found in page.tags if "data-chart" in found] == ["seeds", "pareto"]


def test_a_package_that_is_not_there_is_named():
    with pytest.raises(RecordError, match="needs no_such_package: pip install no_such_package"):
        assets._folder("no_such_package")


@pytest.mark.usefixtures("light")
def test_every_cell_stands_under_its_heading():
    page = render(leaderboard(RECORDS))
    (table,) = re.findall(r'<table class="board".*?</table>', page, re.DOTALL)
    parts = {tag: re.findall(rf"<{tag}[ >].*?</{tag}>", table, re.DOTALL) for tag in ("th", "tr", "td")}
    titles = [re.sub(r"<.*?>", "", each) for each in parts["th"]]
    for line, number, bounds, name in ((parts["tr"][1], "1", "1–1", "mgd"), (parts["tr"][2], "2", "2–2", "none")):
        cells = [re.sub(r"<.*?>", "", each).split() for each in re.findall(r"<td.*?</td>", line, re.DOTALL)]
        row = dict(zip(titles, cells, strict=True))
        assert (row["#"][0], row["ranks"], row["method"][0]) == (number, [bounds], name)
    teacher = dict(zip(titles, re.findall(r"<td.*?</td>", parts["tr"][3], re.DOTALL), strict=True))
    assert teacher["method"].startswith('<td class="name">teacher')
