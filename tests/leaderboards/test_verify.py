import math
from datetime import UTC, datetime

import pytest

from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.verify import verified
from tests.leaderboards.factory import record

NOW = datetime(2026, 1, 2, tzinfo=UTC)
MADE = record("mgd", 0, 0.5, metrics={"mae": (20.0, False), "odd": (math.nan, True)})


def check(metrics, tolerance=1e-3, made=MADE):
    return verified(made, metrics, "L3", "somebody", NOW, tolerance)


@pytest.mark.parametrize(
    ("metrics", "reproduced"),
    [
        ({"miou": 0.5}, True),
        ({"miou": 0.5009, "mae": 20.019}, True),
        ({"miou": 0.502}, False),
        ({"miou": 0.5, "mae": 20.1}, False),
        ({"miou": math.nan}, False),
        ({"miou": None}, False),
        ({"miou": 0.5, "odd": math.nan}, True),
        ({"miou": 0.5, "odd": 1.0}, False),
        ({"miou": 0.5, "new": 1.0}, True),
    ],
)
def test_a_score_is_reproduced_within_the_tolerance(metrics, reproduced):
    found = check(metrics)
    assert found.verification.reproduced == reproduced
    assert Record.parse(found.dump()) == found


def test_the_check_is_written_down_and_the_score_is_left_alone():
    found = check({"miou": 0.6})
    assert (found.verification.level, found.verification.by, found.verification.on) == ("L3", "somebody", NOW)
    assert found.verification.metrics == {"miou": 0.6}
    assert found.model_copy(update={"verification": MADE.verification}) == MADE


def test_what_cannot_be_verified_is_refused():
    with pytest.raises(RecordError, match="no score to verify"):
        check({"miou": 0.5}, made=record(score=None, status="failed"))
    with pytest.raises(RecordError, match="miou was not measured again; found mae"):
        check({"mae": 20.0})
