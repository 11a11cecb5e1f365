import json

import numpy as np
import pytest

from leaderboards import image_values, store
from leaderboards.errors import RecordError
from leaderboards.publish import publish
from leaderboards.validate import validate
from tests.leaderboards.factory import record

IDS = [f"image-{number}" for number in range(128)]
VALUES = (np.arange(128) / 300).tolist()


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home" / store.RECORDS
    run = record("mgd", 0, 0.5)
    sha = image_values.write("miou", IDS, VALUES, run.run_id, folder)
    store.write(run.model_copy(update={"scores": run.scores.model_copy(update={"images_sha256": sha})}), folder)
    store.write(record("none", 0, 0.4), folder)  # an old one, that names no values
    return tmp_path / "home"


def read(home):
    return image_values.read(store.read([home])[0], [home])


def values_file(home):
    (file,) = (home / "records" / "images").iterdir()
    return file


def test_values_come_back_to_seven_digits_with_the_images_that_they_belong_to(home):
    found = read(home)
    ((ids, values),) = found.runs.values()
    assert ids == image_values.digest(IDS)
    assert values == pytest.approx(VALUES, rel=1e-6)
    assert found.faults == []
    assert len(values_file(home).read_bytes()) < 12 * len(IDS)


@pytest.mark.parametrize("where", ["", "records", "records/{run}.json"])
def test_homes_folders_and_single_records_find_their_values(home, where):
    run = values_file(home).stem
    path = home / where.format(run=run)
    assert set(image_values.read(store.read([path])[0], [path]).runs) == {run}


def test_a_changed_a_missing_and_another_metrics_file_are_faults_and_the_run_goes_on_without(home):
    file = values_file(home)
    file.write_text(file.read_text().replace("0.0", "0.1", 1))
    assert ["images_sha256" in fault.reason for fault in read(home).faults] == [True]
    assert [fault.reason for fault in validate([home])[1]] == [fault.reason for fault in read(home).faults]
    file.unlink()
    assert [fault.reason for fault in read(home).faults] == ["missing"]
    assert read(home).runs == {}


@pytest.mark.parametrize(("change", "said"), [({"metric": "ap"}, "of ap"), ({"values": [0.5]}, "1 values")])
def test_values_that_are_not_the_records_are_named(home, change, said):
    file = values_file(home)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    run = store.read_one(home / "records" / file.name)
    named = run.model_copy(update={"scores": run.scores.model_copy(update={"images_sha256": store_hash(file)})})
    with pytest.raises(RecordError, match=said):
        image_values.read_one(file, named)


def store_hash(file):
    return image_values.sha256(file.read_bytes()).hexdigest()


def test_an_undefined_value_leaves_the_run_without_and_is_no_fault(home):
    run = store.read_one(home / "records" / values_file(home).name)
    sha = image_values.write("miou", IDS, [float("nan"), *VALUES[1:]], run.run_id, home / "records")
    store.write(
        run.model_copy(update={"scores": run.scores.model_copy(update={"images_sha256": sha})}), home / "records"
    )
    assert (read(home).runs, read(home).faults) == ({}, [])


def test_there_are_as_many_values_as_images(tmp_path):
    with pytest.raises(RecordError, match="2 values for 128 images"):
        image_values.write("miou", IDS, [0.1, 0.2], "run", tmp_path)


def test_publishing_takes_the_values_along_or_nothing(home, tmp_path):
    publish([home], tmp_path / "to")
    assert set(read(tmp_path / "to").runs) == set(read(home).runs) != set()
    values_file(home).write_text("{}")
    with pytest.raises(RecordError, match="images_sha256"):
        publish([home], tmp_path / "to")
    assert set(read(tmp_path / "to").runs) != set()
