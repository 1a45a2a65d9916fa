"""Columns that look like times, though nobody says so."""

from __future__ import annotations

import pandas as pd
import pytest

from trainers.data.times.untold import untold_times

HOURS = pd.date_range("2021-01-01", periods=30, freq="1h")


@pytest.mark.parametrize(
    "values",
    [
        HOURS,
        HOURS.tz_localize("UTC"),
        HOURS.strftime("%Y-%m-%d %H:%M"),
        HOURS.strftime("%d.%m.%Y %H:%M"),
        HOURS.strftime("%m/%d/%Y %H:%M"),  # day or month first: times all the same
        HOURS.strftime("%Y%m%d%H").astype("int64"),
        HOURS.as_unit("s").asi8,
        HOURS.as_unit("ms").asi8,
        pd.period_range("2021-01", periods=30, freq="M"),
    ],
)
def test_times_are_named_with_the_option(values: object) -> None:
    (note,) = untold_times(pd.DataFrame({"x": range(30), "Zeit": values}), ())
    assert "column 'Zeit' looks like times" in note
    assert "data.time_column: Zeit" in note
    assert "newest first" not in note
    assert untold_times(pd.DataFrame({"Zeit": values}), ["Zeit"]) == []


@pytest.mark.parametrize(
    "values", [HOURS, HOURS.strftime("%Y-%m-%d %H:%M"), HOURS.as_unit("s").asi8]
)
def test_newest_first_is_said(values) -> None:
    (note,) = untold_times(pd.DataFrame({"t": values[::-1]}), ())
    assert "rows run newest first" in note
    assert "data.sort: true" in note


@pytest.mark.parametrize(
    "values",
    [
        range(30),
        [0.5 + n for n in range(30)],
        [1_600_000_000, 1_500_000_000] * 15,
        ["a", "b"] * 15,
        [True, False] * 15,
        ["12:30", "12:40"] * 15,
        ["2021-01-01"] * 30,
        [None] * 30,
        pd.to_timedelta(range(30), unit="h"),
        [[1, 2]] * 30,
    ],
)
def test_what_is_no_time_is_not_named(values: object) -> None:
    assert untold_times(pd.DataFrame({"x": values}), ()) == []
