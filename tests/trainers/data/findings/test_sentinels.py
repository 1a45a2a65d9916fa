"""Numbers that stand for a missing value are found; honest extremes are let be."""

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.findings.finding_tables import ROWS, judged, loads, temperatures
from trainers.data.findings.sentinels import marks_of, sentinels


def with_marks(values, mark, times=5):
    marked = values.astype(np.float64)
    marked[np.arange(times) * 7 + 3] = mark
    return marked


def grades(values):
    return [finding.grade for finding in marks_of([("x", np.asarray(values))])]


@pytest.mark.parametrize(
    "mark",
    [-9999, -999, -99, -9999.9, -999.25, -8888, -7999, 9999, 99999, 1e20, -1e30, 9.96921e36],
)
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_a_repeated_mark_among_temperatures_is_wrong(mark, kind):
    assert grades(with_marks(temperatures(), mark).astype(kind)) == ["wrong"]


@pytest.mark.parametrize("mark", [-9999, -999, 1e20])
def test_one_of_the_clearest_marks_is_enough(mark):
    assert grades(with_marks(temperatures(), mark, times=1)) == ["wrong"]


@pytest.mark.parametrize("mark", [-9999, -999, -99, -1])
def test_the_only_value_below_zero_is_wrong_among_loads(mark):
    assert grades(with_marks(loads() + 0.5, mark)) == ["wrong"]


def test_the_line_names_column_value_row_count_and_options():
    frame = pd.DataFrame({"temp": with_marks(temperatures(), -9999), "y": loads()})
    (finding,) = sentinels(judged(frame))
    assert finding.kind == "sentinel"
    assert finding.text.startswith("column 'temp' holds -9999 5 times, first in data row 3")
    assert 'data.reading.missing_values: ["-9999"] and data.missing: mask' in finding.text


def test_two_marks_in_one_column_are_both_found():
    values = with_marks(temperatures(), -9999)
    values[:4] = 9999
    assert sorted(f.text.split()[3] for f in marks_of([("x", values)])) == ["-9999", "9999"]


def test_marks_are_found_wherever_they_hide():
    values = np.random.default_rng(0).normal(size=300_000).astype(np.float32)
    values[299_999] = -9999
    assert grades(values) == ["wrong"]


def test_whole_numbers_and_missing_values_are_judged_too():
    frame = pd.DataFrame({"a": np.tile([3, 4, 5, -999], 100), "y": 1.0})
    frame["b"] = pd.array([None, 7, 8, 9] * 99 + [-9999] * 4, dtype="Int64")
    assert [f.text.split("'")[1] for f in sentinels(judged(frame))] == ["a", "b"]


def test_a_mark_in_most_rows_is_still_one():
    assert grades(with_marks(temperatures(), -9999, times=57)) == ["wrong"]


@pytest.mark.parametrize(
    "values",
    [
        temperatures(),
        loads(),
        np.append(loads(), [1080.0, 1080.0, 1070.0]),  # a spike of an oven
        np.where(np.arange(ROWS) % 5, 0, np.arange(ROWS) % 11),  # counts, mostly zero
        np.tile([199.0, 299.0, 499.0, 799.0, 999.0], 80),  # prices
        np.tile([0.99, 9.99, 49.9, 99.9, 999.0, 1299.0], 60),
        np.linspace(0, 9999, ROWS),  # a counter's last value
        np.append(np.linspace(-5000, 9000, ROWS), [-9999.0, 9999.0] * 3),  # powers
        np.append(np.linspace(-60, 10, ROWS), [-99.0] * 3),  # dBm
        np.tile([-1, 0, 1], 200),  # directions
        np.sin(np.arange(ROWS)),  # reaches almost −1
        np.append(np.arange(50), [-1, -1, -1]),  # whole numbers: −1 may be an answer
        np.append(np.abs(temperatures()), [-1.0]),  # once
        np.tile([999.0, 1099.0], 200),
        np.full(ROWS, -999.0),
        np.full(ROWS, np.nan),
        np.array([-99.0, 50, -40, 20] * 9),  # as far off as the others are from one another
        np.array([99.0, 98, 97, 60, 80]),
        np.array([-9998.0, 1, 2] * 5),
    ],
    ids=lambda values: f"{len(values)} to {np.nanmax(values, initial=0):.4g}",
)
def test_honest_values_are_let_be(values):
    assert "wrong" not in grades(values)


def test_texts_and_truth_values_are_no_numbers():
    frame = pd.DataFrame({"t": ["-9999"] * 9, "b": [True] * 9, "y": [1.0] * 9})
    assert sentinels(judged(frame, inputs=("t", "b"))) == []
