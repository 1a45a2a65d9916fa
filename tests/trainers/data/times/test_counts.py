"""Numbers: dates by their digits, counts by their unit, refused otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.times.time_factory import HOUR, column, read, texts
from trainers.data.times.instants import read_instants
from trainers.data.times.options import TimeOptions
from trainers.errors import DataError


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        (20181113, "2018-11-13 00:00:00"),
        ("20181113", "2018-11-13 00:00:00"),
        (20181113.0, "2018-11-13 00:00:00"),
        (2018111306, "2018-11-13 06:00:00"),
        (201811130630, "2018-11-13 06:30:00"),
        ("201811130630", "2018-11-13 06:30:00"),
        (20181113063059, "2018-11-13 06:30:59"),
        (2018111324, "2018-11-14 00:00:00"),
    ],
)
def test_digits_that_are_dates_are_read_as_such_and_said(value: object, understood: str) -> None:
    found = read([value])
    assert found.texts() == [understood]
    assert "YYYYMMDD" in found.notes[0]
    assert "data.time_unit" in found.notes[0]


def test_one_value_that_is_no_date_refuses_them_all() -> None:
    with pytest.raises(DataError, match=r"20181199 in data row 1 is none.*data.time_unit"):
        read([20181113, 20181199, 20181115])


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ([1609459200, 1609462800], "data.time_unit: s"),
        ([1609459200000, 1609459260000], "data.time_unit: ms"),
        ([1609459200000000, 1609459260000000], "data.time_unit: us"),
        ([1609459200000000000, 1609459260000000000], "data.time_unit: ns"),
        ([0, 1, 2], "leave data.time_column out"),
        ([0.5, 1.5], "data.time_unit"),
        (["0.5", "1.5"], "data.time_unit"),
        ([44197, 44198], "data.time_unit: excel"),
        ([44197.5, 44197.75], "data.time_unit: excel"),
        ([1949, 1950], 'data.time_format: "%Y"'),
        ([202101, 202102], 'data.time_format: "%Y%m"'),
        ([13112018, 14112018], 'data.time_format: "%d%m%Y"'),
        ([17001231, 17010101], "data.time_unit"),
    ],
)
def test_other_numbers_are_refused_with_the_option(values: list, option: str) -> None:
    with pytest.raises(DataError) as caught:
        read(values)
    assert "'time'" in str(caught.value)
    assert "data row 0" in str(caught.value)
    assert option in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("s", 1609459200),
        ("ms", 1609459200000),
        ("us", 1609459200000000),
        ("ns", 1609459200000000000),
        ("min", 26824320),
        ("h", 447072),
        ("day", 18628),
        ("s", "1609459200"),
        ("s", 1609459200.0),
    ],
)
def test_units_count_from_1970_in_utc(unit: str, value: object) -> None:
    assert texts([value], unit=unit) == ["2021-01-01 00:00:00+00:00"]


def test_counts_follow_the_local_clock_that_is_named() -> None:
    found = read([1625097600], unit="s", zone="Europe/Berlin")
    assert found.texts() == ["2021-07-01 02:00:00+02:00"]


def test_days_of_a_spreadsheet_are_local_and_whole_seconds() -> None:
    days = [44197.0, 44197.041667, 44197.083333, 44197.125]
    found = read(days, unit="excel")
    assert not found.aware
    assert np.diff(found.utc).tolist() == [HOUR, HOUR, HOUR]
    assert found.texts()[0] == "2021-01-01 00:00:00"
    exact = [44197 + hour / 24 for hour in range(48)]
    assert set(np.diff(read(exact, unit="excel").utc).tolist()) == {HOUR}


def test_fractions_of_seconds_are_kept() -> None:
    found = read([1609459200.1, 1609459200.25], unit="s")
    assert (np.diff(found.utc) == 150_000_000).all()


def test_a_unit_that_leads_out_of_the_years_is_refused() -> None:
    with pytest.raises(DataError, match=r"1\.60946e\+12 s since 1970 .* data.time_unit: ms"):
        read([1609459200000], unit="s")


def test_infinite_counts_are_refused() -> None:
    with pytest.raises(DataError, match="inf"):
        read([1.0, np.inf], unit="s")
    with pytest.raises(DataError, match="must hold times"):
        read([1.0, np.inf])


def test_a_unit_of_texts_that_are_no_numbers_is_refused() -> None:
    with pytest.raises(DataError, match=r"data.time_unit counts numbers, .* '2021-01-01'"):
        read(["2021-01-01"], unit="s")


def test_years_are_told_by_the_name_of_their_column() -> None:
    frame = pd.DataFrame({"Year": [1700.0, 1701.0]})
    found = read_instants(frame, TimeOptions(("Year",)))
    assert found.texts() == ["1700-01-01 00:00:00", "1701-01-01 00:00:00"]
    assert "years" in found.notes[0]


def test_nullable_whole_numbers_are_read_as_others() -> None:
    assert texts(column(pd.Series([20181113], dtype="Int64"))) == ["2018-11-13 00:00:00"]


def test_a_date_of_zeros_among_dates_is_named() -> None:
    with pytest.raises(DataError, match="but 0 in data row 1 is none; mend it"):
        read([20181113, 0, 20181114])


def test_days_of_a_spreadsheet_that_were_cut_off_are_whole_seconds() -> None:
    # 44197 + 1/24 and 2/24, cut off instead of rounded.
    found = read([44197.0, 44197.04166666666, 44197.08333333333], unit="excel")
    assert found.texts()[1:] == ["2021-01-01 01:00:00", "2021-01-01 02:00:00"]
