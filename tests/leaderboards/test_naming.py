"""Names of entries: as short as they can be, and never the same for two."""

from leaderboards.naming import on_board, over_boards, short
from tests.leaderboards.factory import record


def firsts(*records):
    return {f"seg-{run.method.name}-{index}fedcba9876": run for index, run in enumerate(records)}


def tuned(run):
    tuning = {"n_trials": 5, "split": "val"}
    return run.model_validate(run.model_dump() | {"protocol": run.protocol.model_dump() | {"tuning": tuning}})


def test_the_start_of_an_id_tells_nothing_and_its_hash_does():
    assert short("attention-mgd-62127b884201") == "62127b"
    assert short("62127b884201") == "62127b"


def test_only_what_differs_is_said():
    board = firsts(
        record("mgd", options={"strength": 1.0, "mask": 0.5}),
        record("mgd", options={"strength": 0.25, "mask": 0.5}),
        record("mgd", options={"strength": 1.0, "mask": 0.5}, variant="self teacher"),
    )
    assert list(on_board(board).values()) == ["mgd", "mgd strength=0.25", "mgd (self teacher)"]


def test_the_same_options_are_told_apart_by_version_then_by_hash():
    one, two = record("mgd"), record("mgd", options={"strength": 1.0})
    assert list(on_board(firsts(one, two)).values()) == ["mgd [0fedcb]", "mgd [1fedcb]"]
    later = one.model_copy(update={"method": one.method.model_copy(update={"version": "0.2.0"})})
    assert list(on_board(firsts(one, later)).values()) == [
        "mgd version=densedistill 0.1.0",
        "mgd version=densedistill 0.2.0",
    ]


def test_over_boards_one_name_is_one_configuration():
    half, quarter = (record("mgd", options={"strength": strength}) for strength in (0.5, 0.25))
    own = record("mgd", options={"strength": 1.0})
    assert [on_board(firsts(run)) for run in (own, quarter)] == [{"seg-mgd-0fedcba9876": "mgd"}] * 2
    assert [list(names.values()) for names in over_boards([firsts(own, half), firsts(quarter), firsts(own)])] == [
        ["mgd", "mgd strength=0.5"],
        ["mgd strength=0.25"],
        ["mgd"],
    ]


def test_strengths_that_were_tuned_are_one_configuration():
    half, quarter = (tuned(record("mgd", options={"strength": strength})) for strength in (0.5, 0.25))
    assert [list(names.values()) for names in over_boards([firsts(half), firsts(quarter)])] == [["mgd"], ["mgd"]]
    own = record("mgd", options={"strength": 1.0})
    assert list(over_boards([firsts(half, own)])[0].values()) == ["mgd strength=tuned", "mgd"]
