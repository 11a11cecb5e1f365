from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leaderboards.ranking import average_ranks, letter, overlap, places
from leaderboards.statistics import Estimate, estimate


def bar(mean, half=None):
    return Estimate(mean, 1) if half is None else Estimate(mean, 3, half, mean - half, mean + half)


def test_entries_that_overlap_the_leader_share_its_rank_and_letter():
    found = places({"a": bar(0.9, 0.1), "b": bar(0.8, 0.1), "c": bar(0.5, 0.05), "d": bar(0.46, 0.01)}, [], True)
    assert {key: (place.rank, place.group) for key, place in found.items()} == {
        "a": (1, "A"),
        "b": (1, "A"),
        "c": (3, "B"),
        "d": (3, "B"),
    }
    assert list(found) == ["a", "b", "c", "d"]


def test_a_group_is_led_not_chained():
    found = places({"a": bar(0.9, 0.1), "b": bar(0.75, 0.1), "c": bar(0.6, 0.1)}, [], True)
    assert [place.group for place in found.values()] == ["A", "A", "B"]


def test_an_entry_between_two_leaders_has_both_letters():
    found = places({"a": bar(0.9, 0.05), "b": bar(0.7, 0.05), "c": bar(0.65, 0.3)}, [], True)
    assert [(place.rank, place.group) for place in found.values()] == [(1, "A"), (2, "B"), (2, "AB")]


def test_lower_is_better_turns_the_order():
    found = places({"a": bar(3.0, 0.1), "b": bar(2.0, 0.1)}, [], False)
    assert [(key, place.rank) for key, place in found.items()] == [("b", 1), ("a", 2)]


def test_one_seed_claims_nothing_and_gains_nothing():
    found = places({"a": bar(0.9, 0.1), "b": bar(0.85), "c": bar(0.84, 0.1)}, [], True)
    assert [(place.rank, place.group) for place in found.values()] == [(1, "A"), (2, "?"), (1, "A")]


def test_failed_entries_share_the_last_rank():
    found = places({"a": bar(0.9, 0.1)}, ["z", "y"], True)
    assert [(key, place.rank, place.group) for key, place in found.items()] == [
        ("a", 1, "A"),
        ("y", 3, ""),
        ("z", 3, ""),
    ]


def test_equal_entries_share_a_group():
    same = estimate([0.5, 0.5, 0.5])
    assert {place.rank for place in places({"a": same, "b": same, "c": same}, [], True).values()} == {1}


bars = st.builds(bar, st.floats(0, 1), st.floats(0, 0.5))


@given(st.dictionaries(st.text("abc", min_size=1), bars, min_size=1))
def test_ranks_follow_the_means_and_letters_follow_the_leaders(scores):
    found = places(scores, [], True)
    ordered = [(scores[key].mean, place) for key, place in found.items()]
    assert all(a[0] >= b[0] and a[1].rank <= b[1].rank for a, b in pairwise(ordered))
    keys = list(found)
    for key, place in found.items():
        leader = keys[place.rank - 1]
        assert overlap(scores[key], scores[leader])
        assert found[leader].group[-1] == place.group[-1]


def test_average_ranks_share_ties_and_failure_is_last():
    assert average_ranks({"a": 0.9, "b": 0.8, "c": 0.8}, ["d", "e"], True) == {
        "a": 1,
        "b": 2.5,
        "c": 2.5,
        "d": 5,
        "e": 5,
    }
    assert average_ranks({"a": 0.9, "b": 0.8}, [], False) == {"a": 2, "b": 1}
    assert average_ranks({}, ["a"], True) == {"a": 1}


def test_letters_do_not_run_out():
    assert [letter(0), letter(25), letter(26)] == ["A", "Z", "(27)"]
