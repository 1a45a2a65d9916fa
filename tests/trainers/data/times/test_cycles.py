"""Calendar inputs: which make sense, and what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.times.time_factory import hours, read
from trainers.data.times.cycles import Calendar, calendar_of
from trainers.data.times.steps import step_of
from trainers.errors import DataError


def chosen(values, wanted=True) -> tuple[str, ...]:
    rows = read(values)
    return calendar_of(wanted, step_of(rows), rows)[0].cycles


def test_ten_minutes_over_months_have_the_four_that_they_always_had() -> None:
    times = hours(19_735, "2016-01-11 17:00", "10min")
    rows = read(times)
    calendar, notes = calendar_of(True, step_of(rows), rows)
    assert calendar.names == (
        *("time_of_day_sin", "time_of_day_cos", "time_of_week_sin", "time_of_week_cos"),
    )
    assert notes == []
    # A Monday, 17:00: 17/24 of the day and of the week's first day.
    day, week = 2 * np.pi * 17 / 24, 2 * np.pi * 17 / 168
    first = [np.sin(day), np.cos(day), np.sin(week), np.cos(week)]
    features = calendar.features(rows)
    np.testing.assert_allclose(features[0], first, atol=1e-12)
    np.testing.assert_allclose(features[7 * 144], first, atol=1e-9)
    # Tuesday, 17:00: the same time of day, a seventh of a week later.
    later = [np.sin(week + 2 * np.pi / 7), np.cos(week + 2 * np.pi / 7)]
    np.testing.assert_allclose(features[144], [*first[:2], *later], atol=1e-9)


@pytest.mark.parametrize(
    ("values", "cycles"),
    [
        (hours(48), ("hour", "week")),
        (hours(30, every="1D"), ("week",)),
        (hours(731, every="1D"), ("week", "year")),
        (hours(728, every="1D"), ("week",)),
        (hours(110, every="W"), ("year",)),
        (hours(24, every="MS"), ("year",)),
        (hours(12, every="MS"), ()),
        (hours(8, every="QS"), ("year",)),
        (hours(8, every="YS"), ()),
        (hours(3 * 8760), ("hour", "week", "year")),
    ],
)
def test_true_takes_what_makes_sense(values: pd.Series, cycles: tuple[str, ...]) -> None:
    assert chosen(values) == cycles
    assert chosen(values, False) == ()


def test_a_calendar_that_adds_nothing_is_said() -> None:
    rows = read(hours(12, every="MS"))
    assert "data.calendar: [year]" in calendar_of(True, step_of(rows), rows)[1][0]


def test_a_list_takes_exactly_its_own() -> None:
    assert chosen(hours(5, every="1D"), ["year", "month"]) == ("month", "year")
    assert chosen(hours(5), ["week"]) == ("week",)


@pytest.mark.parametrize(
    ("values", "cycle", "told"),
    [
        (hours(5, every="1D"), "hour", r"steps are 1 day.*\[week, month, year\]"),
        (hours(5, every="W"), "week", "7 days"),
        (hours(5, every="MS"), "month", "1 month"),
        (hours(5, every="YS"), "year", "1 year; leave it out"),
        (hours(5), "day", "hour, week, month, year, but got 'day'"),
    ],
)
def test_a_cycle_that_makes_no_sense_is_refused(values: pd.Series, cycle: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        chosen(values, [cycle])


@pytest.mark.parametrize(
    ("cycle", "quarter", "name"),
    [
        ("hour", "2021-06-01 06:00", "time_of_day"),
        ("week", "2021-06-01 18:00", "time_of_week"),  # Tuesday evening
        ("month", "2021-06-08 12:00", "time_of_month"),
        ("year", "2021-04-02 06:00", "time_of_year"),
        ("year", "2020-04-01 12:00", "time_of_year"),  # a leap year
    ],
)
def test_a_quarter_of_each_cycle_is_the_sines_top(cycle: str, quarter: str, name: str) -> None:
    calendar = Calendar((cycle,))
    assert calendar.names == (f"{name}_sin", f"{name}_cos")
    np.testing.assert_allclose(calendar.features(read([quarter])), [[1, 0]], atol=1e-7)


def test_the_local_clock_counts() -> None:
    rows = read(["2021-07-01T04:00Z"], zone="Europe/Berlin")
    np.testing.assert_allclose(Calendar(("hour",)).features(rows), [[1, 0]], atol=1e-12)


def test_no_cycles_are_no_inputs() -> None:
    assert Calendar(()).features(read(hours(3))).shape == (3, 0)
