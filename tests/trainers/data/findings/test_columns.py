"""Columns that say nothing, count, or miss values; rows that are there twice."""

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.findings.finding_tables import ROWS, judged, loads, names_of, temperatures
from trainers.data.findings.columns import (
    constant_columns,
    counters,
    duplicated_rows,
    missing_values,
    targets_with_tails,
)


def test_inputs_with_one_value_are_named_together():
    frame = {"y": [1.0, 2.0], "a": [5, 5], "b": [np.nan, np.nan], "c": ["x", "x"], "d": [0, 1]}
    (finding,) = constant_columns(judged(frame, inputs=("a", "b", "c", "d")))
    assert finding.grade == "doubtful"
    assert "'a' is always 5, 'b' is always missing, 'c' is always 'x'" in finding.text
    assert finding.text.endswith("data.drop: [a, b, c]")


def test_a_target_with_one_value_is_wrong():
    assert names_of(constant_columns(judged({"y": [3.0] * 9}))) == [("target", "wrong")]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.arange(ROWS), "counts the rows"),
        (1000 + 7 * np.arange(ROWS), "counts the rows"),
        (np.cumsum(loads()), "grows in every row"),
    ],
)
def test_what_only_grows_is_a_counter(values, words):
    (finding,) = counters(judged({"y": loads(), "n": values}))
    assert words in finding.text


def test_a_counter_of_each_series_begins_anew():
    frame = {"y": loads(40), "n": np.tile(np.arange(20), 2)}
    assert counters(judged(frame, bounds=np.array([0, 20, 40]))) != []
    assert counters(judged(frame)) == []


@pytest.mark.parametrize("values", [temperatures(), -np.arange(ROWS), [*range(11)]])
def test_other_numbers_are_no_counters(values):
    assert counters(judged({"y": np.arange(len(values)) % 3, "n": values})) == []


def test_copies_of_rows_are_told_where_rows_have_no_times():
    frame = pd.DataFrame({"y": loads(), "x": temperatures()})
    twice = pd.concat([frame, frame[10:15]], ignore_index=True)
    (finding,) = duplicated_rows(judged(twice))
    assert "5 rows are copies of earlier ones, the first is data row 400" in finding.text
    assert duplicated_rows(judged(frame)) == []
    assert duplicated_rows(judged(pd.DataFrame({"y": [0, 1] * 9, "x": [0, 1] * 9}))) == []


def test_holes_are_counted_and_the_longest_is_placed():
    y = temperatures()
    y[[3, 20, 21, 22, 30, 31]] = np.nan
    (finding,) = missing_values(judged({"y": y, "x": loads()}))
    assert finding.grade == "note"
    assert "'y' misses 6 of 400 values, at most 3 in a row, from data row 20" in finding.text


def test_a_hole_ends_with_its_series():
    y = [1.0, np.nan, np.nan, np.nan, 2.0, np.nan]
    (finding,) = missing_values(judged({"y": y}, bounds=np.array([0, 2, 6])))
    assert "at most 2 in a row, from data row 2" in finding.text


def test_rows_are_named_by_their_times_where_there_are_some():
    table = judged({"y": [1.0, np.nan]}, times=("t",), said=lambda row: f"day {row}")
    assert "from row day 1 on" in missing_values(table)[0].text


def test_a_few_values_far_off_are_a_long_tail():
    y = temperatures()
    y[7] = 5_000.0
    assert names_of(targets_with_tails(judged({"y": y}))) == [("target", "note")]
    assert targets_with_tails(judged({"y": loads()})) == []
