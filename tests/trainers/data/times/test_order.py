"""Rows must be in order of time, each time once; the message names the way out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.times.time_factory import column, hours, local_hours, read, series_of
from trainers.data.times.order import require_order, series_columns, sorted_rows
from trainers.errors import DataError


def refusal(frame: pd.DataFrame, codes=None, **options) -> str:
    with pytest.raises(DataError) as caught:
        require_order(read(frame, codes, **options), codes, frame)
    assert len(str(caught.value)) < 300
    return str(caught.value)


def test_rows_in_order_pass() -> None:
    require_order(read(hours(5)))
    require_order(read(pd.concat([hours(5)] * 2, ignore_index=True)), series_of([5, 5]))
    require_order(read(hours(5).repeat(2)), np.tile([0, 1], 5))


def test_a_row_out_of_order_is_named_with_both_times() -> None:
    times = hours(6).to_numpy()[[0, 1, 4, 3, 2, 5]]
    told = refusal(column(times))
    assert "data row 3 (counted from 0), 2021-01-01 03:00:00, is before data row 2" in told
    assert "data.sort: true" in told


def test_newest_first_is_recognised() -> None:
    told = refusal(column(hours(6)[::-1].to_numpy()))
    assert "newest first, from 2021-01-01 05:00:00 in data row 0" in told
    assert "data.sort: true" in told


def test_a_time_that_comes_twice_is_named_with_both_rows() -> None:
    told = refusal(column(hours(3).repeat(2).to_numpy(), load=range(6)))
    assert "2021-01-01 00:00:00 in data row 0 and 2021-01-01 00:00:00 in data row 1" in told
    assert "data.series" in told
    assert "data.duplicates: mean" in told


@pytest.mark.parametrize("by_time", [True, False])
def test_the_column_that_tells_series_apart_is_named(by_time: bool) -> None:
    frame = column(
        [*hours(30), *hours(30)], shop=["A"] * 30 + ["B"] * 30, sales=range(60), kind=["x"] * 60
    )
    frame = frame.sort_values("time", kind="stable", ignore_index=True) if by_time else frame
    assert "data.series: shop" in refusal(frame)
    assert "data.sort" not in refusal(frame)


def test_numbers_tell_series_apart_where_no_text_does() -> None:
    frame = column([*hours(30), *hours(30)], store=[1] * 30 + [2] * 30, sales=np.arange(60) // 3)
    assert series_columns(frame, read(frame)) == [("store",)]


def test_two_columns_may_tell_series_apart_together() -> None:
    parts = [column(hours(9), store=store, item=item) for store in "AB" for item in "XY"]
    frame = pd.concat(parts, ignore_index=True)
    assert "data.series: [store, item]" in refusal(frame)


def test_within_a_series_rows_are_named_by_the_file() -> None:
    frame = column([*hours(3), *hours(3)[::-1]])
    assert "data row 4 (counted from 0)" in refusal(frame, series_of([3, 3]))
    interleaved = column(hours(3).repeat(2).to_numpy()[[0, 1, 2, 2, 4, 5]])
    told = refusal(interleaved, np.asarray([0, 1, 0, 0, 1, 1]))
    assert "in data row 2 and 2021-01-01 01:00:00 in data row 3" in told
    assert "data.series" not in told


def test_the_repeated_hour_of_an_unnamed_zone_is_recognised() -> None:
    for every in ("1h", "30min", "10min"):
        assert "data.time_zone" in refusal(column(local_hours("2021-10-31", 24, every=every)))
    require_order(read(local_hours("2021-10-30", 60), zone="Europe/Berlin"))


def test_instants_are_compared_not_clocks() -> None:
    later = read(["2020-10-25T02:30:00+02:00", "2020-10-25T02:00:00+01:00"])
    require_order(later)
    earlier = column(["2021-03-28T03:00:00+02:00", "2021-03-28T01:59:00+01:00"])
    assert "2021-03-28 01:59:00+01:00, is before" not in refusal(earlier)


def test_rows_are_sorted_by_series_and_time_and_stay_where_they_are_equal() -> None:
    times = read(hours(4).to_numpy()[[2, 0, 2, 1]])
    assert sorted_rows(times).tolist() == [1, 3, 0, 2]
    assert sorted_rows(times, np.asarray([1, 1, 0, 1])).tolist() == [2, 1, 3, 0]


def test_times_of_day_beside_days_are_joined_not_series() -> None:
    frame = column(["2021-01-01"] * 3, clock=["00:00", "00:10", "00:20"], y=[1, 2, 3])
    with pytest.raises(DataError, match=r"data.time_column: \[time, clock\]") as caught:
        require_order(read(frame), frame=frame)
    assert "data.series" not in str(caught.value)
