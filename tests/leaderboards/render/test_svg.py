import xml.etree.ElementTree as ElementTree

from leaderboards.leaderboard import leaderboard
from leaderboards.render.svg import render
from tests.leaderboards.factory import record, seeds

DEPTH = {"task": "depth", "metric": "rmse", "higher": False, "teacher": 2.0}
HOSTILE = "</text><script>window.broken=1</script> & \"'"


def texts(svg):
    root = ElementTree.fromstring(svg)
    return [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")], root


def test_every_cell_is_drawn_with_its_colour():
    records = seeds("none", 0.5, 0.51, 0.505) + seeds("none", 3.0, 3.1, 3.05, **DEPTH)
    records += seeds("mgd", 0.55, 0.56, 0.555) + seeds("mgd", 3.3, 3.4, 3.35, **DEPTH)
    records += [record("skt", seed, None, status="failed", reason="x") for seed in range(3)]
    found, root = texts(render(leaderboard(records)))
    assert {"▲ 53 %", "▼ −29 %", "failed", "missing", "incomplete, not ranked", "1.50"} <= set(found)
    kinds = [each.get("class") for each in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert kinds.count("heatp3") == kinds.count("heatm1") == 1
    assert len(kinds) == 1 + 3 * 2


def test_hostile_strings_stay_text():
    records = seeds("none", 0.5, title=HOSTILE) + seeds("none", 3.0, **DEPTH) + seeds("m", 0.6, variant=HOSTILE)
    svg = render(leaderboard(records))
    assert "<script" not in svg
    texts(svg)


def test_without_a_matrix_nothing_is_drawn_where_no_gain_has_an_interval():
    assert "Nothing to draw" in texts(render(leaderboard(seeds("none", 0.5))))[0][0]
