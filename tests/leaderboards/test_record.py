import json
import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leaderboards.errors import RecordError
from leaderboards.record import SCHEMA_FILE, Record, json_schema
from leaderboards.record_outcome import Artifacts, Score
from leaderboards.values import digest, finite
from tests.leaderboards.factory import record


def test_published_schema_is_the_one_of_the_code():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == json_schema(), "write json_schema() to schema/record-2.json"


def test_every_field_of_the_schema_says_what_it_holds():
    for name, part in json.loads(json_schema())["$defs"].items():
        for field, facts in part.get("properties", {}).items():
            assert facts.get("description") or "$ref" in facts, f"{name}.{field}"


def test_a_dumped_record_obeys_the_schema_and_comes_back_equal():
    made = record("mgd", metrics={"accuracy": (0.8, True)})
    jsonschema.validate(json.loads(made.dump()), json.loads(json_schema()))
    assert Record.parse(made.dump()) == made
    assert Record.parse(made.dump()).dump() == made.dump()
    assert list(json.loads(made.dump()))[:3] == ["schema_version", "run_id", "entry_id"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_any_option_is_written_as_strict_json(value):
    made = record("mgd", options={"value": value})
    text = made.dump()
    json.loads(text, parse_constant=pytest.fail)
    assert Record.parse(text).method.options == {"value": finite(value)}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_undefined_numbers_become_null(value):
    assert Score(value=value, higher_is_better=True, split="test", n=3).value is None
    assert finite({"a": [1.5, value, (value,)]}) == {"a": [1.5, None, [None]]}


def test_unknown_keys_are_named():
    data = json.loads(record().dump()) | {"colour": "red"}
    data["scores"]["extra"] = 1
    with pytest.raises(RecordError, match=r"scores\.extra: Extra inputs.*colour: Extra inputs"):
        Record.parse(json.dumps(data))


def test_missing_and_mistyped_fields_are_named():
    data = json.loads(record().dump())
    del data["seed"]
    data["dataset"]["n_test"] = "many"
    with pytest.raises(RecordError, match=r"(?s)seed: Field required.*dataset\.n_test: .*found 'many'"):
        Record.parse(json.dumps(data))


def test_a_future_version_is_refused():
    data = json.loads(record().dump()) | {"schema_version": 3}
    with pytest.raises(RecordError, match="schema_version"):
        Record.parse(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_what_is_no_record_is_an_error(text):
    with pytest.raises(RecordError):
        Record.parse(text)


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "runs/../../up", "..", "a\\b", ""])
def test_artifacts_stay_below_the_home(path):
    with pytest.raises(ValidationError):
        Artifacts(student=path)


def test_ids_cannot_leave_the_folder():
    with pytest.raises(ValidationError):
        record(run_id="../evil")


def test_digest_depends_on_content_and_not_on_order():
    assert digest({"a": 1, "b": [1.5, None]}) == digest({"b": [1.5, None], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
