"""Texts that tell a time, in the ways that people and programs write them."""

from __future__ import annotations

import datetime

import pandas as pd
import pyarrow as pa
import pytest

from tests.trainers.data.times.time_factory import column, read, texts
from trainers.errors import DataError


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("2021-01-05", "2021-01-05 00:00:00"),
        ("2021-01-05T06", "2021-01-05 06:00:00"),
        ("2021-01-05 06:30", "2021-01-05 06:30:00"),
        ("2021-01-05T06:30:01.5", "2021-01-05 06:30:01.500000"),
        ("2021-01-05T06:30:01,25", "2021-01-05 06:30:01.250000"),
        ("2021-01-05T06:30:01.123456789", "2021-01-05 06:30:01.123456789"),
        ("2021-01-05T0630", "2021-01-05 06:30:00"),
        ("20181113T0600", "2018-11-13 06:00:00"),
        ("20181113T060030", "2018-11-13 06:00:30"),
        ("2018111306:00", "2018-11-13 06:00:00"),
        ("2021/1/5 6:30", "2021-01-05 06:30:00"),
        ("2021.01.05", "2021-01-05 00:00:00"),
        ("2020-W53-7", "2021-01-03 00:00:00"),
        ("2021-W05", "2021-02-01 00:00:00"),
        ("2021W051", "2021-02-01 00:00:00"),
        ("2020-366", "2020-12-31 00:00:00"),
        ("1949-02", "1949-02-01 00:00:00"),
        ("02/1949", "1949-02-01 00:00:00"),
        ("2021M02", "2021-02-01 00:00:00"),
        ("2019Q2", "2019-04-01 00:00:00"),
        ("2019-Q2", "2019-04-01 00:00:00"),
        ("Q4 2019", "2019-10-01 00:00:00"),
        ("1749", "1749-01-01 00:00:00"),
        ("Jan 2021", "2021-01-01 00:00:00"),
        ("5 Jan 2021 06:30", "2021-01-05 06:30:00"),
        ("05-JAN-2021", "2021-01-05 00:00:00"),
        ("January 5, 2021 6:30 PM", "2021-01-05 18:30:00"),
        ("5. März 2021", "2021-03-05 00:00:00"),
        ("2021-Oct-05", "2021-10-05 00:00:00"),
        ("  2021-01-05 ", "2021-01-05 00:00:00"),
    ],
)
def test_one_way_of_writing(written: str, understood: str) -> None:
    assert texts([written]) == [understood]


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("2021-01-05T06:30Z", "2021-01-05 06:30:00+00:00"),
        ("2021-01-05T06:30:00.5z", "2021-01-05 06:30:00.500000+00:00"),
        ("2021-01-05T06:30+0200", "2021-01-05 06:30:00+02:00"),
        ("2021-01-05T06:30:00+02", "2021-01-05 06:30:00+02:00"),
        ("2021-01-05 06:30 +02:00", "2021-01-05 06:30:00+02:00"),
        ("2021-01-05 06-03", "2021-01-05 06:00:00-03:00"),
        ("2021-01-05 06:30 UTC", "2021-01-05 06:30:00+00:00"),
        ("20210105T0630-0330", "2021-01-05 06:30:00-03:30"),
        ("Tue, 05 Jan 2021 06:30:00 +0100", "2021-01-05 06:30:00+01:00"),
        ("05/Jan/2021:06:30:00 +0100", "2021-01-05 06:30:00+01:00"),
    ],
)
def test_one_way_of_writing_an_offset(written: str, understood: str) -> None:
    assert texts([written]) == [understood]


def test_values_with_and_without_hours_stand_together() -> None:
    assert texts(["2021-01-01", "2021-01-01 01:00:00"]) == [
        "2021-01-01 00:00:00",
        "2021-01-01 01:00:00",
    ]


@pytest.mark.parametrize("written", ["2021-01-01 24:00", "01.01.2021 24:00", "20210101T2400"])
def test_24_hours_end_the_day_and_that_is_said(written: str) -> None:
    found = read([written.replace("24", "23"), written])
    assert found.texts()[1] == "2021-01-02 00:00:00"
    assert any("24:00" in note and "rows: 1" in note for note in found.notes)


def test_minutes_after_24_hours_are_refused() -> None:
    with pytest.raises(DataError, match="'2021-01-01 24:01' in data row 0"):
        read(["2021-01-01 24:01"])


def test_noon_and_midnight_by_twelve_hours() -> None:
    found = texts(["01/31/2021 12:00 AM", "01/31/2021 12:00 PM", "01/31/2021 01:05 pm"])
    assert found == ["2021-01-31 00:00:00", "2021-01-31 12:00:00", "2021-01-31 13:05:00"]


def test_thirteen_hours_have_no_afternoon() -> None:
    with pytest.raises(DataError, match="13:00 PM"):
        read(["01/31/2021 13:00 PM"])


@pytest.mark.parametrize(
    "wrong", ["yesterday", "2021-02-30", "2021-01-01 25:00", "2021-W53-1", "2021-366", "2021Q5"]
)
def test_what_is_no_time_is_told_with_row_value_and_option(wrong: str) -> None:
    with pytest.raises(DataError) as caught:
        read([wrong, "2021-01-01"])
    for part in ("'time'", repr(wrong), "data row 0 (counted from 0)", "data.time_format"):
        assert part in str(caught.value)


def test_a_value_written_otherwise_is_told_by_its_row() -> None:
    with pytest.raises(DataError, match=r"'Total' in data row 2 .*data row 0 has 2021-01-01"):
        read(["2021-01-01", "2021-01-02", "Total"])


@pytest.mark.parametrize("values", [["2021-01-01", None], ["2021-01-01", ""], [20210101, None]])
def test_a_missing_time_is_told_by_its_row(values: list) -> None:
    with pytest.raises(DataError, match=r"1 of 2 have none in column 'time', .* data row 1"):
        read(values)


def test_a_time_without_a_date_asks_for_its_column() -> None:
    with pytest.raises(DataError, match=r"data.time_column: \[date, time\]"):
        read(["06:30", "06:40"])


@pytest.mark.parametrize("far", ["9999-12-31", "0001-01-01"])
def test_years_that_int64_does_not_hold_are_refused(far: str) -> None:
    with pytest.raises(DataError, match=f"1678 to 2261, but got {far} in data row 1"):
        read(["2021-01-01", far])


def test_years_too_far_off_in_parsed_dates_are_refused_not_wrapped_round() -> None:
    far = pd.Series(["2021-01-01", "9999-12-31"]).astype("datetime64[s]")
    with pytest.raises(DataError, match="1678 to 2261, but got 9999-12-31"):
        read(far)


def test_offsets_in_some_rows_only_are_refused() -> None:
    with pytest.raises(DataError, match=r"offset from UTC, or none, but got '2021-01-01T01:00'"):
        read(["2021-01-01T00:00Z", "2021-01-01T01:00"])


def test_two_digit_years_are_told() -> None:
    found = read(["Dec-68", "Jan-69"])
    assert found.texts() == ["2068-12-01 00:00:00", "1969-01-01 00:00:00"]
    assert "1969 to 2068" in found.notes[0]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["2021-01-01", "2021-01-02", "2021-01-01"], dtype="category"),
        pd.Series(["2021-01-01", "2021-01-02", "2021-01-01"], dtype=pd.ArrowDtype(pa.string())),
        pd.Series([datetime.date(2021, 1, 1 + n) for n in (0, 1, 0)], dtype=object),
        pd.Series([datetime.datetime(2021, 1, 1 + n) for n in (0, 1, 0)], dtype=object),
        pd.Series(["2021-01-01", datetime.datetime(2021, 1, 2), "2021-01-01"], dtype=object),
        pd.Series(pd.to_datetime(["2021-01-01", "2021-01-02", "2021-01-01"])).dt.as_unit("s"),
        pd.Series(pd.PeriodIndex(["2021-01-01", "2021-01-02", "2021-01-01"], freq="D")),
    ],
    ids=["category", "arrow", "date", "datetime", "mixed", "datetime64", "period"],
)
def test_columns_of_any_type_hold_the_same_times(values: pd.Series) -> None:
    days = ["2021-01-01 00:00:00", "2021-01-02 00:00:00", "2021-01-01 00:00:00"]
    assert texts(values) == days


def test_true_and_false_are_no_times() -> None:
    with pytest.raises(DataError, match="true and false"):
        read([True, False])


def test_many_rows_of_few_times_are_read_as_each_alone() -> None:
    days = [f"{day:02d}.03.2021 06:00" for day in range(1, 29)]
    found = read(column(days * 400))
    assert found.texts()[:28] == [f"2021-03-{day:02d} 06:00:00" for day in range(1, 29)]
    assert (found.utc.reshape(400, 28) == found.utc[:28]).all()


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("1 janv. 2020", "2020-01-01"),
        ("2 août 2020", "2020-08-02"),
        ("3 de septiembre de 2020", "2020-09-03"),
        ("4 ott 2020", "2020-10-04"),
        ("05Jan1960", "1960-01-05"),
        ("1. Quartal 1990", "1990-01-01"),
        ("2Q1990", "1990-04-01"),
        ("3Q90", "1990-07-01"),
        ("1990.Q4", "1990-10-01"),
        ("Q4 90", "1990-10-01"),
        ("Sun Jan 01 00:08:31 2023", "2023-01-01 00:08:31"),
    ],
)
def test_months_in_other_languages_and_further_quarters(text: str, understood: str) -> None:
    assert read([text]).utc.tolist() == [pd.Timestamp(understood).value]


def test_what_begins_two_months_names_is_none() -> None:
    with pytest.raises(DataError, match="got '1 jui 2020' in data row 0"):
        read(["1 jui 2020"])
