from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.data.partition import base_name, hold_out, permutation, split_labeled
from tasks.errors import InputError

CITYSCAPES = [f"city{i % 18}_{i:06d}_000019" for i in range(2975)]
VOC_BLENDED = [f"2007_{i:06d}" for i in range(10582)]
VOC_CLASSIC = VOC_BLENDED[:1464]


@pytest.mark.parametrize(
    ("ids", "labeled", "count"),
    [
        (CITYSCAPES, "1/16", 186),
        (CITYSCAPES, "1/8", 372),
        (CITYSCAPES, "1/4", 744),
        (CITYSCAPES, "1/2", 1488),
        (CITYSCAPES, "1/30", 100),
        (VOC_BLENDED, "1/16", 662),
        (VOC_BLENDED, "1/8", 1323),
        (VOC_BLENDED, "1/4", 2646),
        (VOC_BLENDED, "1/2", 5291),
        (VOC_CLASSIC, "1/16", 92),
        (VOC_CLASSIC, "1/8", 183),
        (VOC_CLASSIC, "1/4", 366),
        (VOC_CLASSIC, "1/2", 732),
        (VOC_CLASSIC, "1", 1464),
    ],
)
def test_counts_are_those_of_the_published_protocols(ids: list[str], labeled: str, count: int) -> None:
    partition = split_labeled(ids, labeled)
    assert len(partition.labeled) == count
    assert len(partition.unlabeled) == len(ids) - count


def test_fractions_are_nested() -> None:
    parts = [set(split_labeled(CITYSCAPES, labeled).labeled) for labeled in ("1/16", "1/8", "1/4", "1/2", "1")]
    for smaller, larger in itertools.pairwise(parts):
        assert smaller < larger


@given(st.sets(st.text("abcdef", min_size=1, max_size=6), min_size=1), st.integers(1, 20))
def test_every_image_is_on_one_side(names: set[str], n: int) -> None:
    partition = split_labeled(sorted(names), f"1/{n}")
    assert sorted(partition.labeled + partition.unlabeled) == list(range(len(names)))
    assert len(partition.labeled) == -(-len(names) // n) >= 1
    assert list(partition.labeled) == sorted(partition.labeled)


def test_the_choice_depends_on_ids_and_not_on_their_order() -> None:
    forward = split_labeled(VOC_CLASSIC, "1/8")
    backward = split_labeled(VOC_CLASSIC[::-1], "1/8")
    assert {VOC_CLASSIC[i] for i in forward.labeled} == {VOC_CLASSIC[::-1][i] for i in backward.labeled}
    assert forward.checksum == backward.checksum


def test_the_permutation_is_pinned() -> None:
    assert permutation(["a", "b", "c", "d", "e"]) == [3, 1, 0, 4, 2]


@pytest.mark.parametrize(
    ("labeled", "name"), [("1/8", "seeded-1/8"), ("0.125", "seeded-1/8"), ("1", "full"), ("1.0", "full")]
)
def test_names_are_canonical(labeled: str, name: str) -> None:
    partition = split_labeled(VOC_CLASSIC, labeled)
    assert partition.name == name
    assert partition == split_labeled(VOC_CLASSIC, labeled)


def test_the_checksum_is_that_of_the_sorted_ids() -> None:
    assert split_labeled(["b", "c", "a"], "1").checksum == hashlib.sha256(b"a\nb\nc").hexdigest()


@pytest.mark.parametrize("labeled", ["0", "-1/2", "2", "1.5"])
def test_a_fraction_out_of_range_is_refused(labeled: str) -> None:
    with pytest.raises(InputError, match=f"data.labeled={labeled}: expected a fraction above 0"):
        split_labeled(CITYSCAPES, labeled)


@pytest.mark.parametrize("labeled", ["1/0", "an eighth", "lists/none.txt"])
def test_what_is_neither_fraction_nor_file_is_refused(labeled: str) -> None:
    with pytest.raises(InputError, match=r"expected 1, 1/n, a decimal in \(0, 1\] or the path of a list file"):
        split_labeled(CITYSCAPES, labeled)


IDS = ["aachen_000000_000019", "bochum_000000_000313", "bremen_000001_000019", "zurich_000121_000019"]
LISTS = {
    "unimatch": "leftImg8bit/train/zurich/zurich_000121_000019_leftImg8bit.png gtFine/train/zurich/"
    "zurich_000121_000019_gtFine_labelTrainIds.png\nleftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png "
    "gtFine/train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png",
    "cps one id a line": "zurich_000121_000019\naachen_000000_000019\n\n",
    "cps tab": "images/train/zurich_000121_000019.png\tsegmentation/train/zurich_000121_000019.png\n"
    "images/train/aachen_000000_000019.png\tsegmentation/train/aachen_000000_000019.png\n",
    "windows": "train\\zurich_000121_000019.png\r\ntrain\\aachen_000000_000019.png\r\n",
}


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("form", ["{}", "train/{}", "{}_leftImg8bit", "leftImg8bit/train/x/{}_leftImg8bit.png"])
def test_lists_are_read_in_every_format(tmp_path: Path, text: str, form: str) -> None:
    path = tmp_path / "labeled.txt"
    path.write_text(text, newline="")
    partition = split_labeled([form.format(each) for each in IDS], str(path))
    assert partition.name == "list:labeled.txt"
    assert partition.labeled == (0, 3)
    assert partition.unlabeled == (1, 2)


def test_the_folder_decides_between_equal_base_names(tmp_path: Path) -> None:
    ids = ["kitchen/rgb_0001", "office/rgb_0001", "office/rgb_0002"]
    path = tmp_path / "list.txt"
    path.write_text("/sync/office/rgb_0001.jpg /sync/office/depth_0001.png 518.8579")
    assert split_labeled(ids, str(path)).labeled == (1,)
    path.write_text("rgb_0001.jpg")
    with pytest.raises(InputError, match=r"line 1: 'rgb_0001.jpg' fits several of the 3 training images"):
        split_labeled(ids, str(path))


def test_an_unknown_id_is_named_with_its_line_and_its_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("bochum_000000_000313\nbremen_000001_000091")
    with pytest.raises(
        InputError, match=r"line 2: 'bremen_000001_000091' is none .* nearest is 'bremen_000001_000019'"
    ):
        split_labeled(IDS, str(path))


def test_a_repeated_id_is_named_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("bochum_000000_000313\n\nbochum_000000_000313.png")
    with pytest.raises(InputError, match=r"line 3: 'bochum_000000_000313.png' was already listed in line 1"):
        split_labeled(IDS, str(path))


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("\n \n")
    with pytest.raises(InputError, match="found an empty list"):
        split_labeled(IDS, str(path))


@pytest.mark.parametrize(
    "text", ["a/b/x_1.png", "x_1", "x_1_leftImg8bit.png", "c/x_1_gtFine_labelTrainIds.png", "x_1.JPG", "d\\x_1.mat"]
)
def test_base_names(text: str) -> None:
    assert base_name(text) == "x_1"


def test_hold_out_keeps_groups_together() -> None:
    ids = [f"scene{i // 10}/frame{i % 10}" for i in range(100)]
    train, val = hold_out(ids, 0.15, group=lambda each: each.partition("/")[0])
    assert sorted(train + val) == list(range(100))
    assert len(val) == 20
    assert not {ids[i][:6] for i in train} & {ids[i][:6] for i in val}


@pytest.mark.parametrize(
    ("count", "share", "held"), [(10, 0.0, 0), (10, 0.1, 1), (10, 0.11, 2), (2, 0.9, 1), (1, 0.5, 0)]
)
def test_hold_out_counts(count: int, share: float, held: int) -> None:
    train, val = hold_out([str(i) for i in range(count)], share)
    assert (len(train), len(val)) == (count - held, held)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_hold_out_refuses_a_share_out_of_range(share: float) -> None:
    with pytest.raises(InputError, match=f"data.holdout={share}"):
        hold_out(["a", "b"], share)
