from pathlib import Path

import pytest

from leaderboards import image_values, store
from leaderboards.attachments import PNG, collect
from leaderboards.errors import RecordError
from leaderboards.publish import homeless, publish
from leaderboards.record_outcome import Artifacts
from tests.leaderboards.factory import record, seeds


def stored(home: Path) -> None:
    """Two methods with two seeds each; the runs of a seed share one picture."""
    for name in ("none", "mgd"):
        for seed, run in enumerate(seeds(name, 0.5, 0.6)):
            folder = home / "runs" / run.run_id
            folder.mkdir(parents=True)
            (folder / "steps.jsonl").write_text('{"step": 0, "loss": 1.5}\n')
            (folder / "panel.png").write_bytes(PNG + str(seed).encode())
            place = folder.relative_to(home)
            files = Artifacts(
                student=f"{place}/student.safetensors", steps=f"{place}/steps.jsonl", panel=f"{place}/panel.png"
            )
            store.write(run.model_copy(update={"artifacts": files}), home / store.RECORDS)


def test_records_go_on_whole_and_shared_pictures_once(tmp_path):
    stored(tmp_path / "home")
    publish([tmp_path / "home"], tmp_path / "published")
    before, after = (store.read([tmp_path / name])[0] for name in ("home", "published"))
    for left, right in zip(before, after, strict=True):
        assert right.provenance.command == homeless(left.provenance.command)
        same = {"artifacts": None, "provenance": left.provenance}
        assert right.model_copy(update=same) == left.model_copy(update=same)
    assert all(each.artifacts.student is None for each in after)
    assert len(list((tmp_path / "published" / "panels").iterdir())) == 1
    assert len(list((tmp_path / "published" / "steps").iterdir())) == 2
    attached, faults = collect(after, [tmp_path / "published"])
    assert faults == []
    assert {each.curves["loss"][1][0] for each in attached.values()} == {1.5}
    assert {each.panel for each in attached.values()} == {PNG + b"0"}


def test_a_command_loses_its_home_alone():
    said = "benchmark run -m seed=0,1 'method=[none,mgd]' home=/my/runs 'data.root=/my images'"
    assert homeless(said) == "benchmark run -m seed=0,1 'method=[none,mgd]' 'data.root=/my images'"
    assert homeless("benchmark run 'home=/my runs'") == "benchmark run"
    assert homeless("") == ""


def test_what_was_published_before_is_replaced(tmp_path):
    stored(tmp_path / "home")
    publish([tmp_path / "home"], tmp_path / "published")
    gone = next((tmp_path / "home" / "records").glob("*.json"))
    gone.unlink()
    publish([tmp_path / "home"], tmp_path / "published")
    assert not (tmp_path / "published" / "records" / gone.name).exists()


def test_runs_of_another_home_are_added_to_what_was_published(tmp_path):
    stored(tmp_path / "home")
    folder = tmp_path / "published"
    before = {path: path.read_bytes() for path in publish([tmp_path / "home"], folder)}
    store.write(record("pixel"), tmp_path / "other" / store.RECORDS)
    after = publish([folder, tmp_path / "other"], folder)
    assert {path: path.read_bytes() for path in after if path in before} == before
    assert [store.read_one(path).method.name for path in after if path not in before] == ["pixel"]
    assert len(list((folder / "panels").iterdir())) == 1


def test_a_home_that_goes_on_is_published_again(tmp_path):
    stored(tmp_path / "home")
    folder = tmp_path / "published"
    before = {path: path.read_bytes() for path in publish([tmp_path / "home"], folder)}
    more = record("pixel")
    store.write(more, tmp_path / "home" / store.RECORDS)
    after = publish([folder, tmp_path / "home"], folder)
    assert {path: path.read_bytes() for path in after if path in before} == before
    assert [path.stem for path in after if path not in before] == [more.run_id]
    assert len(list((folder / "steps").iterdir())) == 2
    store.write(record("pixel", score=0.7), tmp_path / "home" / store.RECORDS)
    with pytest.raises(RecordError, match="conflict.*another result"):
        publish([folder, tmp_path / "home"], folder)
    assert store.read([folder])[0][-1].score == more.score


def test_what_was_published_before_stays_where_copying_fails(tmp_path, monkeypatch):
    stored(tmp_path / "home")
    folder = tmp_path / "published"
    before = {path: path.read_bytes() for path in publish([tmp_path / "home"], folder)}

    def full(record, place):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write", full)
    with pytest.raises(OSError, match="No space left"):
        publish([tmp_path / "home"], folder)
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in folder.iterdir()) == ["panels", "records", "steps"]


def test_values_of_images_come_from_the_home_that_has_them_whole(tmp_path):
    run = record("mgd", metrics={})
    ids, numbers = [str(number) for number in range(128)], [0.5] * 128
    homes, folder = [tmp_path / name for name in "abc"], tmp_path / "published"
    for home in homes:
        digest = image_values.write("miou", ids, numbers, run.run_id, home / store.RECORDS)
        whole = run.model_copy(update={"scores": run.scores.model_copy(update={"images_sha256": digest})})
        store.write(whole, home / store.RECORDS)
    image_values.place(homes[0] / store.RECORDS, run.run_id).unlink()
    image_values.place(homes[1] / store.RECORDS, run.run_id).write_text("damaged")
    publish(homes, folder)
    assert image_values.read([whole], [folder]).faults == []
    assert image_values.fits(image_values.place(folder / store.RECORDS, run.run_id).read_bytes(), whole)


def test_some_tasks_alone_are_published(tmp_path):
    stored(tmp_path / "home")
    store.write(record("none", task="depth"), tmp_path / "home" / store.RECORDS)
    publish([tmp_path / "home"], tmp_path / "published", ["depth"])
    assert [each.task.name for each in store.read([tmp_path / "published"])[0]] == ["depth"]
    with pytest.raises(RecordError, match="no records of count to publish"):
        publish([tmp_path / "home"], tmp_path / "published", ["count"])
    assert [each.task.name for each in store.read([tmp_path / "published"])[0]] == ["depth"]


def test_a_run_that_was_interrupted_is_left_out_and_one_that_failed_is_not(tmp_path):
    stored(tmp_path / "home")
    for name, status in (("pixel", "interrupted"), ("skt", "diverged")):
        run = record(name, score=None, status=status, reason="stopped after step 3 of 9")
        store.write(run, tmp_path / "home" / store.RECORDS)
    publish([tmp_path / "home"], tmp_path / "published")
    names = {each.method.name for each in store.read([tmp_path / "published"])[0]}
    assert names == {"none", "mgd", "skt"}


def test_a_damaged_or_an_empty_home_is_not_published(tmp_path):
    (tmp_path / "records").mkdir()
    with pytest.raises(RecordError, match="no records to publish"):
        publish([tmp_path], tmp_path / "published")
    (tmp_path / "records" / "bad.json").write_text("{")
    with pytest.raises(RecordError, match=r"bad\.json"):
        publish([tmp_path], tmp_path / "published")


@pytest.mark.parametrize("at", range(5))
def test_what_was_published_stays_where_publishing_is_stopped(tmp_path, monkeypatch, at):
    stored(tmp_path / "home")
    folder = tmp_path / "published"
    publish([tmp_path / "home"], folder)
    before = contents(folder)
    store.write(record("pixel"), tmp_path / "other" / store.RECORDS)
    rename, moves = Path.rename, iter(range(5))

    def stopping(source: Path, target: Path) -> Path:
        if target.name in (store.RECORDS, "steps", "panels") and next(moves, None) == at:
            raise KeyboardInterrupt
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", stopping)
    with pytest.raises(KeyboardInterrupt):
        publish([folder, tmp_path / "other"], folder)
    assert contents(folder) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_record_in_a_file_of_another_name_is_named(tmp_path):
    path = store.write(record("pixel"), tmp_path / store.RECORDS)
    path.rename(path.with_name("other.json"))
    with pytest.raises(RecordError, match=rf"rename it to {path.name}"):
        publish([tmp_path], tmp_path / "published")


def test_a_command_that_no_shell_reads_is_named():
    with pytest.raises(RecordError, match="run it's.*mend its quotes"):
        homeless("run it's")
