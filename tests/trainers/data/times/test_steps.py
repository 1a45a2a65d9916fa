"""The step from row to row: regular, in months, irregular; what is missing; what comes next."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.times.time_factory import DAY, HOUR, hours, local_hours, read, series_of
from trainers.data.times.steps import Step, step_of
from trainers.errors import DataError

BERLIN = "Europe/Berlin"


def step(values, codes=None, **options) -> Step:
    return step_of(read(values, codes, **options), codes)


def ahead(values, count: int, **options) -> str:
    rows = read(values, **options)
    return rows.at(step_of(rows).ahead(rows.utc[-1:], count)).texts()[0]


@pytest.mark.parametrize(
    ("values", "kind", "text", "rule"),
    [
        (hours(5), "regular", "1 h", "1h"),
        (hours(5, every="10min"), "regular", "10 min", "10min"),
        (hours(5, every="90min"), "regular", "90 min", "90min"),
        (hours(5, every="100ms"), "regular", "100 ms", "100ms"),
        (hours(5, every="1D"), "regular", "1 day", "1D"),
        (hours(5, every="W"), "regular", "7 days", "7D"),
        (["1949-01", "1949-02", "1949-03"], "months", "1 month", "1MS"),
        (["2021-07-01", "2021-08-01", "2021-09-01"], "months", "1 month", "1MS"),
        (["2021-01-31", "2021-02-28", "2021-03-31"], "months", "1 month", "1MS"),
        (["2021-02-28", "2021-04-30", "2021-06-30"], "months", "2 months", "2MS"),
        (["2021-01-15 06:00", "2021-02-15 06:00"], "months", "1 month", "1MS"),
        (["2019Q1", "2019Q2", "2019Q3"], "months", "3 months", "3MS"),
        (["1949", "1950", "1951"], "months", "1 year", "12MS"),
        (["2021-01-01", "2021-01-29", "2021-02-26"], "regular", "28 days", "28D"),
    ],
)
def test_the_usual_step(values: object, kind: str, text: str, rule: str) -> None:
    found = step(values)
    assert (found.kind, found.text, found.rule) == (kind, text, rule)
    assert (found.odd, found.absent, found.note()) == (0, 0, None)


def test_holes_are_counted_and_said() -> None:
    found = step(hours(20).drop([3, 4, 9]).reset_index(drop=True))
    assert (found.kind, found.steps, found.odd, found.absent) == ("regular", 16, 2, 3)
    assert "2 of 16 steps differ from the usual 1 h (absent rows: 3)" in found.note()
    assert "data.resample: 1h" in found.note()
    months = step(["1949-01", "1949-02", "1949-03", "1949-06"])
    assert (months.odd, months.absent) == (1, 2)


def test_irregular_steps_are_said_with_both_options() -> None:
    times = pd.Timestamp("2021") + pd.to_timedelta([0, 0.7, 400, 1000, 1001, 2600], unit="s")
    found = step(pd.Series(times))
    assert (found.kind, found.shortest, found.longest) == (
        "irregular",
        HOUR * 7 // 36000,
        1599 * 10**9,
    )
    assert "700 ms to" in found.note()
    assert "data.resample: 10min" in found.note()
    assert "data.elapsed: true" in found.note()


def test_one_row_off_the_grid_makes_steps_irregular() -> None:
    times = hours(50)
    times[20] += pd.Timedelta("7min")
    assert step(times).kind == "irregular"


def test_fewer_than_half_usual_steps_are_irregular() -> None:
    minutes = np.cumsum([1, 2, 3, 1, 5, 7, 1, 4])
    assert step(pd.Series(pd.Timestamp("2021") + pd.to_timedelta(minutes, unit="min"))).kind == (
        "irregular"
    )


def test_series_have_one_step_together_and_none_across_them() -> None:
    times = pd.concat([hours(5), hours(3, "2020-05-05"), hours(1)], ignore_index=True)
    found = step(times, series_of([5, 3, 1]))
    assert (found.text, found.steps, found.odd) == ("1 h", 6, 0)
    mixed = np.asarray([0, 1] * 4)
    assert step(hours(4).repeat(2), mixed).steps == 6


def test_a_single_row_has_no_step() -> None:
    found = step(["2021-01-01"])
    assert found.kind == "single"
    with pytest.raises(DataError, match="no series has two rows"):
        found.ahead(np.zeros(1, dtype=np.int64), 1)


def test_days_of_a_local_clock_are_days_whatever_their_hours() -> None:
    days = local_hours("2021-03-20", 20, every="1D")
    found = step(days, zone=BERLIN)
    assert (found.kind, found.text, found.by_clock, found.odd) == ("regular", "1 day", True, 0)
    assert (
        step(["2020-10-24T00:00+02:00", "2020-10-25T00:00+02:00", "2020-10-26T00:00+01:00"]).odd
        == 0
    )
    skipped = pd.Series(pd.date_range("2018-10-25", periods=30).astype(str))
    assert step(skipped, zone="America/Sao_Paulo").odd == 0


def test_hours_of_a_local_clock_are_hours() -> None:
    for start in ("2021-03-27", "2021-10-30"):
        found = step(local_hours(start, 60), zone=BERLIN)
        assert (found.kind, found.odd, found.note()) == ("regular", 0, None)


def test_the_skipped_hour_of_an_unnamed_zone_is_said() -> None:
    found = step(local_hours("2021-03-27", 60))
    assert "the hour from 2021-03-28 02:00 is missing" in found.note()
    assert "data.time_zone" in found.note()
    american = step(local_hours("2021-03-13", 60, "America/New_York", "30min"))
    assert "2021-03-14 02:00" in american.note()
    # On a Monday, or for two hours, it is a hole like any other.
    monday = hours(60, "2021-03-28").drop(26).reset_index(drop=True)
    assert step(monday).skipped_hour is None
    assert step(hours(60, "2021-03-27").drop([26, 27]).reset_index(drop=True)).skipped_hour is None


@pytest.mark.parametrize(
    ("values", "count", "then"),
    [
        (["2021-01-01 00:00", "2021-01-01 06:00"], 3, "2021-01-02 00:00:00"),
        (["1949-01", "1949-02"], 12, "1950-02-01 00:00:00"),
        (["2021-01-31", "2021-02-28"], 2, "2021-04-30 00:00:00"),
        (["2021-01-30", "2021-02-28", "2021-03-30"], 1, "2021-04-30 00:00:00"),
        (["2020-01-01", "2021-01-01"], 1, "2022-01-01 00:00:00"),
        (["2021-12-01", "2022-01-01"], -2, "2021-11-01 00:00:00"),
    ],
)
def test_what_comes_some_steps_later(values: list[str], count: int, then: str) -> None:
    assert ahead(values, count) == then


def test_days_ahead_follow_the_clock_and_hours_the_time() -> None:
    days = ["2021-03-26 06:00", "2021-03-27 06:00"]
    assert ahead(days, 1, zone=BERLIN) == "2021-03-28 06:00:00+02:00"
    night = ["2021-03-28 00:00", "2021-03-28 01:00"]
    assert ahead(night, 1, zone=BERLIN) == "2021-03-28 03:00:00+02:00"
    months = ["2021-02-01T00:00+01:00", "2021-03-01T00:00+01:00"]
    assert ahead(months, 1) == "2021-04-01 00:00:00+01:00"


def test_many_rows_have_each_their_own_steps_ahead() -> None:
    rows = read(["2021-01-31", "2021-02-28", "2021-03-31"])
    found = step_of(rows).ahead(rows.utc, np.asarray([1, 1, 2]))
    assert rows.at(found).texts() == [
        "2021-02-28 00:00:00",
        "2021-03-31 00:00:00",
        "2021-05-31 00:00:00",
    ]


def test_a_step_is_plain_values() -> None:
    found = step(hours(5), zone=BERLIN)
    assert Step(**json.loads(json.dumps(dataclasses.asdict(found)))) == found
    assert found.nanoseconds == HOUR == DAY // 24
