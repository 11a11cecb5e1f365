"""Which of a method's terms are kept: an option of every method, of which no method knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.config import compose
from benchmark.training.assemble import Lesson, build_method
from benchmark.training.randomness import Randomness
from methods.base import SUPERVISED, methods
from tasks.errors import InputError
from tests.methods.conftest import TinyStep
from tests.support import tiny_run


def test_the_names_come_in_one_order_and_all_terms_are_no_option() -> None:
    words = ["task=seg", "method=structured"]
    whole = compose.load(words)
    assert "terms" not in whole.methods["structured"]
    some = compose.load([*words, "methods.structured.terms=[supervised,pixel,pair]"])
    assert some.methods["structured"]["terms"] == ["pair", "pixel"]
    for none in ("", "supervised"):
        with pytest.raises(InputError, match=rf"methods\.structured\.terms=\[{none}\]: expected terms of its own"):
            compose.load([*words, f"methods.structured.terms=[{none}]"])


@pytest.mark.parametrize("name", ["structured", "cckd", "skt", "mgd"])
def test_each_term_can_be_kept_alone(name: str) -> None:
    step = TinyStep()
    whole = methods[name](step.setting()).weights
    for term in (each for each in whole if each != SUPERVISED):
        lesson = Lesson(methods[name], {"terms": [term], "strength": 2.0}, {})
        method = build_method(lesson, step.setting(), Randomness(0))
        assert method.weights == {k: w if k == SUPERVISED else 2 * w * (k == term) for k, w in whole.items()}
        assert (method.critic is not None) == (term == method.critic_term)
        assert term in method(step)


def test_unknown_terms_are_named() -> None:
    lesson = Lesson(methods["cckd"], {"terms": ["regoin"]}, {})
    with pytest.raises(InputError, match=r"methods.cckd.terms: no term 'regoin' that counts.*did you mean 'region'"):
        build_method(lesson, TinyStep().setting(), Randomness(0))
    off = Lesson(methods["cckd"], {"terms": ["region"], "region": 0.0}, {})
    with pytest.raises(InputError, match="no term 'region' that counts"):
        build_method(off, TinyStep().setting(), Randomness(0))


def test_what_is_left_of_a_method_is_a_row_of_its_own(home: Path) -> None:
    (whole,) = tiny_run(home, "method=structured", "control=false")
    (pair,) = tiny_run(home, "method=structured", "control=false", "methods.structured.terms=[pair]")
    assert (pair.method.variant, pair.method.control) == ("only pair", False)
    assert (whole.method.variant, whole.track_id) == ("", pair.track_id)
    assert {name for name, weight in pair.method.weights.items() if weight} == {"supervised", "pair"}
    assert pair.diagnostics.ratios.keys() == {"supervised", "pair"}
    assert pair.training.critic_share == 0.0
    assert pair.entry_id != whole.entry_id
