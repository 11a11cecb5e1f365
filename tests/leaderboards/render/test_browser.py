"""The page in a real browser, without a network: needs playwright and Chromium; run with ``-m browser``."""

import base64
import json
import os
import shutil

import pytest

from leaderboards import store
from leaderboards.record_outcome import Artifacts, Verification
from leaderboards.write import write_boards
from tests.leaderboards.factory import record, seeds

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<script>window.broken=1</script><img src=x onerror='window.broken=1'>\"' </script><!--<script>"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def records():
    made = []
    depth = {"task": "depth", "metric": "rmse", "higher": False, "teacher": 2.0}
    for name, shift in {"none": 0.0, "mgd": 0.05, "pixel": 0.03, "cwd": 0.02}.items():
        made += seeds(name, *(0.5 + shift + wobble for wobble in (0.0, 0.004, -0.004)), train_s=60 + 900 * shift)
        made += seeds(name, *(3.0 - 10 * shift + wobble for wobble in (0.0, 0.02, -0.02)), **depth)
    made += [record("skt", 0, 0.51), record("skt", 1, None, status="diverged", reason=HOSTILE)]
    evil = record("zzz", 0, 0.4, variant=HOSTILE, options={"a": HOSTILE}, verification=Verification(by=HOSTILE))
    method = evil.method.model_copy(update={"package": HOSTILE, "name": HOSTILE})
    return [*made, evil.model_copy(update={"method": method})]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    made = []
    for each in records():
        files = Artifacts(steps=f"runs/{each.run_id}/steps.jsonl", panel=f"runs/{each.run_id}/panel.png")
        made.append(each.model_copy(update={"artifacts": files}))
        store.write(made[-1], home / "records")
        folder = home / "runs" / each.run_id
        folder.mkdir(parents=True)
        lines = [{"step": step, HOSTILE: 1.0 / (step + 1), "supervised": 2.0 / (step + 1)} for step in range(100)]
        (folder / "steps.jsonl").write_text("\n".join(map(json.dumps, lines)))
        (folder / "panel.png").write_bytes(PIXEL)
    (path,) = write_boards(made, home / "leaderboards", ["html"], sources=[home])
    return path.as_uri()


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no Chromium: install it, or name it in the variable CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=[(1360, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(request, chromium, address):
    width, scheme = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, reduced_motion="reduce"
    )
    context.set_default_timeout(180_000)  # milliseconds; a busy machine is no failure
    made = context.new_page()
    errors, requests = [], []
    made.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("request", lambda seen: requests.append(seen.url))
    made.goto(address)
    made.wait_for_selector("html[data-tables=ready]")
    yield made
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert made.evaluate("window.broken") is None
    context.close()


def names(page):
    return page.locator("#board-1 tbody .open").all_inner_texts()


def test_tables_sort(page):
    assert names(page)[:4] == ["mgd", "pixel", "cwd", "none"]
    title = page.locator("#board-1 thead th", has_text="training")
    title.click()
    page.locator("#board-1 th[aria-sort=ascending]", has_text="training").wait_for()
    title.click()
    page.locator("#board-1 th[aria-sort=descending]", has_text="training").wait_for()
    assert names(page)[0] == "mgd"
    page.locator("#board-1 thead th", has_text="miou").locator("[tabindex='0']").focus()
    page.keyboard.press("Enter")
    page.locator("#board-1 th[aria-sort=ascending]", has_text="miou").wait_for()
    assert names(page)[-2:] == ["pixel", "mgd"]


def test_tables_filter(page):
    page.locator(".dt-search input").nth(1).fill("cwd")
    assert names(page) == ["cwd"]
    assert page.locator("#board-1 tfoot").inner_text().split("\n")[0].startswith("–")


def test_a_row_opens_its_provenance_by_mouse_and_by_keyboard(page):
    page.locator("#board-1 tbody tr", has_text="pixel").locator("td").nth(2).click()
    dialog = page.locator("#provenance")
    assert dialog.get_by_role("heading", level=2).inner_text() == "pixel"
    assert "Somebody, Somewhere 2020" in dialog.inner_text()
    assert "seg-scenes-64-steps-pixel-2" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.locator("#board-1 .open").first.focus()
    page.keyboard.press("Enter")
    assert dialog.get_by_role("heading", level=2).inner_text() == "mgd"


def test_hostile_strings_stay_text(page):
    assert any("<script>window.broken=1</script>" in name for name in names(page))
    assert "<script>window.broken=1</script>" in page.locator("#section-1 .notes").inner_text()
    page.locator("#board-1 tbody .open").filter(has_text="window.broken").first.click()
    assert "<img src=x onerror=" in page.locator("#provenance-body").inner_text()
    page.keyboard.press("Escape")
    draw_all(page)
    page.locator("#section-1 .series").select_option(index=0)
    assert page.locator("main script, main img:not(.panels img), main iframe").count() == 0


def draw_all(page):
    for chart in page.locator(".chart:visible").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".main-svg").first.wait_for()


def test_charts_and_panels_are_drawn(page):
    draw_all(page)
    assert page.locator(".chart .main-svg").count() >= 6
    assert page.locator("#section-1 .panels img").count() == 1
    page.locator("#section-1 .axis").select_option("macs")
    assert page.locator("#section-1 .pareto .xtitle").text_content() == "MACs"
    assert "teachers" in page.locator("#section-1 .pareto .legend").text_content()


def test_the_theme_follows_the_system_until_it_is_chosen(page):
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate("document.documentElement.classList.contains('dark')") == dark
    back = "getComputedStyle(document.body).backgroundColor"
    seen = {page.evaluate(back)}
    for _ in range(2):
        page.locator("#theme").click()
        seen.add(page.evaluate(back))
    assert len(seen) == 2


def test_nothing_but_tables_scrolls_sideways(page):
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_buttons_of_a_chart_cover_no_label(page):
    draw_all(page)
    chart = page.locator("#section-1 .chart").first
    chart.hover()
    bar = chart.locator(".modebar-group").bounding_box()
    assert chart.locator(".modebar-btn").count() == 2
    for label in chart.locator(".annotation-text").all():
        assert label.bounding_box()["y"] >= bar["y"] + bar["height"] - 1


def test_focus_is_visible(page):
    page.keyboard.press("Tab")  # from here on the browser shows where the keyboard is
    for place in (
        "#theme",
        "#jump",
        "#board-1 .open",
        "#board-1 thead [tabindex='0']",
        ".dt-search input",
        ".dt-scroller",
    ):
        control = page.locator(place).first
        control.focus()
        style, width = control.evaluate("e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]")
        assert (style, width) == ("solid", "3px"), place


def test_every_control_has_a_name_and_can_be_reached(page):
    for control in page.locator("button:visible, select:visible, input:visible").all():
        name = control.evaluate("e => e.innerText || e.ariaLabel || (e.labels && e.labels[0] && e.labels[0].innerText)")
        assert name
        assert control.evaluate("e => e.tabIndex") >= 0
