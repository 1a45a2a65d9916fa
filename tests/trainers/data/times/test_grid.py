"""Rows joined, sorted, put on a grid; absent ones become missing values."""

from __future__ import annotations

import numpy as np
import pytest

from tests.trainers.data.times.time_factory import column, hours, local_hours, read, series_of
from trainers.data.times.grid import resampled, with_absent_rows
from trainers.data.times.steps import step_of
from trainers.data.times.table import TimedTable, merged_duplicates, timed_table
from trainers.errors import DataError


def table(values, codes=None, columns=None, **options) -> TimedTable:
    frame = column(values, **(columns or {}))
    return timed_table(frame, read(frame, codes, **options), codes)


def test_columns_of_the_time_are_left_out() -> None:
    assert list(table(hours(2), columns={"y": [1, 2]}).frame) == ["y"]


def test_rows_are_sorted_with_their_times_and_series() -> None:
    times = hours(3).to_numpy()[[2, 0, 1, 0]]
    found = table(times, np.asarray([0, 0, 0, 1]), {"y": [3, 1, 2, 9]}).sorted()
    assert found.frame["y"].tolist() == [1, 2, 3, 9]
    assert found.instants.texts()[0] == "2021-01-01 00:00:00"
    assert found.codes.tolist() == [0, 0, 0, 1]
    assert found.sorted() is found


@pytest.mark.parametrize(
    ("how", "y"),
    [
        ("mean", [1.5, 3.0]),
        ("sum", [3.0, 3.0]),
        ("min", [1.0, 3.0]),
        ("max", [2.0, 3.0]),
        ("first", [1.0, 3.0]),
        ("last", [2.0, 3.0]),
        ("count", [2, 1]),
        ({"y": "max"}, [2.0, 3.0]),
    ],
)
def test_rows_of_one_time_are_joined(how: object, y: list[float]) -> None:
    times = hours(2).to_numpy()[[0, 1, 0]]
    found = merged_duplicates(
        table(times, columns={"y": [1.0, 3.0, 2.0], "kind": list("abc")}), how
    )
    assert found.frame["y"].tolist() == y
    assert found.frame["kind"].tolist() == (["a", "b"] if how == "first" else ["c", "b"])
    assert len(found.instants) == 2
    assert "1 rows were joined" in found.instants.notes[-1]


def test_rows_of_two_series_are_not_joined() -> None:
    found = merged_duplicates(table(hours(2).repeat(2), np.tile([0, 1], 2), {"y": [1, 2, 3, 4]}))
    assert found.frame["y"].tolist() == [1, 3, 2, 4]


def test_a_grid_of_hours_has_means_last_values_and_gaps() -> None:
    times = ["2021-01-01 00:10", "2021-01-01 00:50", "2021-01-01 03:00"]
    columns = {"y": np.float32([1, 3, 5]), "on": [True, False, True], "kind": ["a", None, "c"]}
    found = resampled(table(times, columns=columns), "1h")
    assert found.instants.texts() == [f"2021-01-01 0{hour}:00:00" for hour in range(4)]
    assert found.frame["y"].dtype == np.float32
    np.testing.assert_array_equal(found.frame["y"], [2, np.nan, np.nan, 5])
    np.testing.assert_array_equal(found.frame["on"].to_numpy(float), [0, np.nan, np.nan, 1])
    assert found.frame["kind"].fillna("-").tolist() == ["a", "-", "-", "c"]
    assert "2 of 4 rows on the grid were absent" in found.instants.notes[-1]


def test_each_column_has_its_own_aggregate() -> None:
    times = ["2021-01-01 00:10", "2021-01-01 00:50", "2021-01-01 02:00"]
    columns = {"rain": [1.0, np.nan, np.nan], "event": [1, 1, 1], "heat": [5.0, 7.0, 9.0]}
    found = resampled(table(times, columns=columns), "1h", {"rain": "sum", "event": "count"})
    np.testing.assert_array_equal(found.frame["rain"], [1, np.nan, np.nan])
    assert found.frame["event"].tolist() == [2, 0, 1]
    np.testing.assert_array_equal(found.frame["heat"], [6, np.nan, 9])
    assert list(found.frame) == ["rain", "event", "heat"]


def test_each_series_has_its_own_stretch_of_the_grid() -> None:
    times = ["2021-01-01 00:30", "2021-01-01 02:30", "2021-01-05 07:15"]
    columns = {"y": [1, 2, 3], "shop": ["A", "A", "B"]}
    found = resampled(table(times, series_of([2, 1]), columns), "1h", static=["shop"])
    assert found.codes.tolist() == [0, 0, 0, 1]
    assert found.frame["shop"].tolist() == ["A", "A", "A", "B"]
    assert found.instants.text(3) == "2021-01-05 07:00:00"


@pytest.mark.parametrize(
    ("every", "starts"),
    [
        ("6h", ["2021-05-05 06:00:00", "2021-05-05 12:00:00"]),
        ("1D", ["2021-05-05 00:00:00"]),
        ("1W", ["2021-05-03 00:00:00"]),
        ("1M", ["2021-05-01 00:00:00"]),
        ("1MS", ["2021-05-01 00:00:00"]),
        ("Q", ["2021-04-01 00:00:00"]),
        ("1Y", ["2021-01-01 00:00:00"]),
    ],
)
def test_where_stretches_begin(every: str, starts: list[str]) -> None:
    found = resampled(table(["2021-05-05 07:00", "2021-05-05 13:00"], columns={"y": [1, 2]}), every)
    assert found.instants.texts() == starts


def test_days_of_the_grid_are_those_of_the_local_clock() -> None:
    times = local_hours("2021-03-27", 71)
    found = resampled(table(times, columns={"n": np.ones(71)}, zone="Europe/Berlin"), "1D", "sum")
    assert found.frame["n"].tolist() == [24, 23, 24]
    assert found.instants.texts()[2] == "2021-03-29 00:00:00+02:00"
    offsets = ["2020-10-25T00:30+02:00", "2020-10-25T23:30+01:00", "2020-10-26T00:30+01:00"]
    found = resampled(table(offsets, columns={"n": [1, 1, 1]}), "1D", "sum")
    assert found.frame["n"].tolist() == [2, 1]
    assert found.instants.texts()[1] == "2020-10-26 00:00:00+01:00"


@pytest.mark.parametrize("every", ["1x", "1m", "h1", "0h", "-1h", ""])
def test_what_is_no_length_of_time_is_refused(every: str) -> None:
    with pytest.raises(DataError, match=r"data.resample must be a length of time"):
        resampled(table(hours(2)), every)


def test_a_grid_that_is_much_too_fine_is_refused() -> None:
    with pytest.raises(DataError, match=r"data.resample: 1ms makes 3600001 rows of 2"):
        resampled(table(hours(2)), "1ms")


@pytest.mark.parametrize(
    ("how", "told"),
    [({"kind": "mean"}, "kind: last"), ({"z": "mean"}, "'z'"), ("median", "mean, sum, min")],
)
def test_an_aggregate_that_can_not_be_is_refused(how: object, told: str) -> None:
    with pytest.raises(DataError, match=rf"data\.aggregate.*{told}"):
        resampled(table(hours(2), columns={"y": [1, 2], "kind": ["a", "b"]}), "1h", how)


def test_absent_rows_are_put_in_as_missing_values() -> None:
    times = hours(6).drop([2, 3]).reset_index(drop=True)
    rows = table(times, columns={"y": [0, 1, 4, 5]})
    found = with_absent_rows(rows, step_of(rows.instants))
    np.testing.assert_array_equal(found.frame["y"], [0, 1, np.nan, np.nan, 4, 5])
    assert found.instants.texts() == read(hours(6)).texts()
    whole = table(hours(6))
    assert with_absent_rows(whole, step_of(whole.instants)) is whole


def test_absent_rows_of_series_and_of_months() -> None:
    times = ["2021-01-31", "2021-04-30", "2021-02-28", "2021-03-31"]
    rows = table(times, series_of([2, 2]), {"y": [1, 4, 2, 3]})
    step = step_of(read(["2021-01-31", "2021-02-28", "2021-03-31"]))
    found = with_absent_rows(rows, step)
    assert found.instants.texts()[:4] == [
        f"2021-{day} 00:00:00" for day in ("01-31", "02-28", "03-31", "04-30")
    ]
    np.testing.assert_array_equal(found.frame["y"], [1, np.nan, np.nan, 4, 2, 3])
    assert found.codes.tolist() == [0] * 4 + [1] * 2


def test_absent_days_of_a_local_clock() -> None:
    rows = table(["2021-03-26", "2021-03-27", "2021-03-30"], zone="Europe/Berlin")
    found = with_absent_rows(rows, step_of(rows.instants))
    assert [text[:19] for text in found.instants.texts()] == [
        f"2021-03-{day} 00:00:00" for day in range(26, 31)
    ]


def test_a_row_between_regular_steps_is_refused_with_the_option() -> None:
    rows = table(["2021-01-01 00:00", "2021-01-01 01:00", "2021-01-01 02:10"])
    with pytest.raises(DataError, match=r"2021-01-01 02:10:00, is not; .*data.resample: 1h"):
        with_absent_rows(rows, step_of(read(hours(3))))
