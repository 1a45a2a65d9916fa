"""Whole sequences are divided by shares, seed and class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.data.division import divide, require_shares, shares_beside, with_given_parts
from trainers.errors import DataError


@settings(max_examples=150, deadline=None)
@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    shares=st.sampled_from([(0.7, 0.15, 0.15), (0.5, 0.3, 0.2), (0.9, 0.1, 0.0), (0.6, 0.4)]),
    seed=st.integers(0, 100),
)
def test_every_sequence_is_in_one_part_and_classes_keep_their_shares(
    counts: list[int], shares: tuple[float, ...], seed: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    try:
        parts = divide(len(labels), shares, seed, labels)
    except DataError:
        assert len(labels) * min(share for share in shares if share > 0) < 1.5
        return
    assert np.sort(np.concatenate(parts)).tolist() == list(range(len(labels)))
    for part, share in zip(parts, shares, strict=True):
        assert abs(len(part) - share * len(labels)) <= 1
        found = np.bincount(labels[part], minlength=len(counts))
        assert (np.abs(found - share * np.array(counts)) < 2.5).all()


def test_without_classes_parts_have_their_shares() -> None:
    parts = divide(20, (0.7, 0.15, 0.15), 0)
    assert [len(part) for part in parts] == [14, 3, 3]
    assert not np.array_equal(parts[0], divide(20, (0.7, 0.15, 0.15), 1)[0])


def test_an_empty_part_is_refused_unless_its_share_is_zero() -> None:
    assert [len(part) for part in divide(10, (0.9, 0.1, 0.0), 0)] == [9, 1, 0]
    with pytest.raises(DataError, match="test part gets none of the 3 sequences"):
        divide(3, (0.6, 0.3, 0.1), 0, np.zeros(3, np.int64))


@pytest.mark.parametrize("split", [(1.0,), (0.5, 0.5), (0.0, 0.5, 0.5), (0.6, 0.6, -0.2)])
def test_impossible_shares_are_refused(split: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match="must hold"):
        require_shares(split)


@pytest.mark.parametrize(
    ("split", "given", "expected"),
    [
        ((0.7, 0.15, 0.15), (), (0.7, 0.15, 0.15)),
        ((0.5, 0.3, 0.2), (), (0.5, 0.3, 0.2)),
        ((0.7, 0.15, 0.15), ("test",), (0.8, 0.2)),
        ((0.6, 0.4), ("test",), (0.6, 0.4)),
        ((0.7, 0.15, 0.15), ("validation",), (1.0,)),
        ((0.7, 0.15, 0.15), ("validation", "test"), (1.0,)),
    ],
)
def test_a_file_is_divided_into_the_parts_that_have_none_of_their_own(
    split: tuple[float, ...], given: tuple[str, ...], expected: tuple[float, ...]
) -> None:
    assert shares_beside(split, (0.7, 0.15, 0.15), given) == expected


@pytest.mark.parametrize(
    ("split", "given"),
    [((0.6, 0.4), ()), ((0.5, 0.3, 0.2), ("test",)), ((0.6, 0.4), ("validation",))],
)
def test_as_many_shares_as_parts_are_asked_for(
    split: tuple[float, ...], given: tuple[str, ...]
) -> None:
    with pytest.raises(DataError, match=r"data\.split"):
        shares_beside(split, (0.7, 0.15, 0.15), given)


def test_given_parts_follow_the_divided_ones_and_empty_parts_are_none() -> None:
    divided = [np.array([0, 2]), np.array([1])]
    parts = with_given_parts(divided, {"test": 2})
    assert {name: rows.tolist() for name, rows in parts.items()} == {
        "train": [0, 2],
        "validation": [1],
        "test": [3, 4],
    }
    assert list(with_given_parts([*divided, np.array([])], {})) == ["train", "validation"]
    whole = with_given_parts([np.array([0, 1])], {"validation": 1, "test": 1})
    assert {name: rows.tolist() for name, rows in whole.items()} == {
        "train": [0, 1],
        "validation": [2],
        "test": [3],
    }
