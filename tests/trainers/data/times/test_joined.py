"""A time in several columns."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from tests.trainers.data.times.time_factory import joined
from trainers.errors import DataError

DAY = ["2021-01-05"]


@pytest.mark.parametrize(
    ("clock", "understood"),
    [
        ("06:00", "06:00:00"),
        ("6:05:30", "06:05:30"),
        ("6:05 PM", "18:05:00"),
        ("06:05:30.5", "06:05:30.500000"),
        (600, "06:00:00"),
        ("0600", "06:00:00"),
        (60030, "06:00:30"),
        (6, "06:00:00"),
        (datetime.time(6, 5), "06:05:00"),
        (pd.Timedelta("6h"), "06:00:00"),
        (pd.Timestamp("1900-01-01 06:05"), "06:05:00"),
    ],
)
def test_a_date_and_a_time_of_day(clock: object, understood: str) -> None:
    found = joined({"date": DAY, "time": [clock]})
    assert found.texts() == [f"2021-01-05 {understood}"]
    assert found.name == "date+time"


def test_midnight_and_minutes_after_it_as_numbers() -> None:
    found = joined({"date": DAY * 3, "time": [0, 30, 2330]})
    assert found.texts() == ["2021-01-05 00:00:00", "2021-01-05 00:30:00", "2021-01-05 23:30:00"]
    assert "'time' was read as hhmm" in found.notes


def test_dates_may_be_digits_or_day_first() -> None:
    assert joined({"d": [20210105], "h": [5]}).texts() == ["2021-01-05 05:00:00"]
    assert joined({"d": ["05.01.2021"], "t": ["06:00"]}).texts() == ["2021-01-05 06:00:00"]
    found = joined({"d": ["13/01/2021", "01/02/2021"], "t": ["06:00", "07:00"]})
    assert found.texts()[1] == "2021-02-01 07:00:00"


def test_ambiguous_dates_are_refused_and_mended_by_a_format_of_the_date() -> None:
    frame = {"date": ["01/02/2021"], "time": ["06:30"]}
    with pytest.raises(DataError, match='"%d/%m/%Y" or "%m/%d/%Y"'):
        joined(frame)
    assert joined(frame, format="%d/%m/%Y").texts() == ["2021-02-01 06:30:00"]


def test_a_format_with_hours_is_that_of_all_columns_joined_by_a_space() -> None:
    frame = {"date": ["01/02/2021", "02/02/2021"], "time": ["06.30", "x"]}
    found = joined({name: values[:1] for name, values in frame.items()}, format="%d/%m/%Y %H.%M")
    assert found.texts() == ["2021-02-01 06:30:00"]
    with pytest.raises(DataError, match=r"date, time joined by a space .* '02/02/2021 x' in data"):
        joined(frame, format="%d/%m/%Y %H.%M")


def test_parts_are_told_by_their_names_in_any_case_and_order() -> None:
    found = joined({"Hour": [5], "YEAR": [2021], "Day": [31], "month": [1]})
    assert found.texts() == ["2021-01-31 05:00:00"]
    assert joined({"year": [2021], "month": ["02"]}).texts() == ["2021-02-01 00:00:00"]
    assert joined({"year": [2021], "doy": [60], "hr": [5]}).texts() == ["2021-03-01 05:00:00"]
    assert joined({"year": [2020], "week": [53]}).texts() == ["2020-12-28 00:00:00"]
    assert joined({"date": DAY, "hour": [5], "minute": [30]}).texts() == ["2021-01-05 05:30:00"]


def test_parts_without_known_names_go_from_the_year_on() -> None:
    assert joined({"a": [2021], "b": [1], "c": [31]}).texts() == ["2021-01-31 00:00:00"]


def test_hour_24_ends_the_day_and_that_is_said() -> None:
    found = joined({"year": [2021] * 2, "month": [1] * 2, "day": [31] * 2, "hour": [1, 24]})
    assert found.texts() == ["2021-01-31 01:00:00", "2021-02-01 00:00:00"]
    assert any("hour 24 of 'hour'" in note for note in found.notes)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"year": [2021, 2021], "month": [2, 2], "day": [28, 30]}, "month=2, day=30 in data row 1"),
        ({"date": DAY * 2, "hour": [24, 25]}, "hour=25 in data row 1"),
        ({"date": DAY * 2, "time": ["06:00", "late"]}, "time=late in data row 1"),
        ({"date": DAY * 2, "time": [600, 675]}, "time=675 in data row 1"),
        ({"year": [2021, 2021], "month": [1, 1.5]}, "1.5 in data row 1"),
        ({"date": DAY * 2, "time": ["06:00", None]}, "data row 1"),
        ({"date": ["2021-01-05", None], "time": ["06:00"] * 2}, "data row 1"),
        ({"date": ["2021-01-05 05:00"], "time": ["06:00"]}, "a time of day of its own"),
        ({"date": ["2021-01-05T00:00Z"], "time": ["06:00"]}, "an offset of its own"),
    ],
)
def test_a_part_that_does_not_fit_is_told_by_row_and_value(frame: dict, told: str) -> None:
    with pytest.raises(DataError, match=told):
        joined(frame)


@pytest.mark.parametrize("names", [("year", "day"), ("year", "hour"), ("x", "y", "year")])
def test_columns_that_make_no_time_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"make no time together.*data.time_column"):
        joined({name: [1] for name in names})


def test_a_unit_counts_one_column_only() -> None:
    with pytest.raises(DataError, match=r"leave data\.time_unit out"):
        joined({"date": DAY, "time": [6]}, unit="h")


def test_joined_times_follow_a_zone() -> None:
    found = joined({"date": ["2021-07-01"], "hour": [6]}, zone="Europe/Berlin")
    assert found.texts() == ["2021-07-01 06:00:00+02:00"]


@pytest.mark.parametrize(
    ("names", "values", "understood"),
    [
        (("année", "mois"), (2001, 2), "2001-02-01"),
        (("Año", "Mes"), (2001, 2), "2001-02-01"),
        (("ano", "mês", "dia", "hora"), (2001, 2, 3, 4), "2001-02-03 04:00"),
        (("anno", "mese", "giorno", "ora"), (2001, 2, 3, 4), "2001-02-03 04:00"),
        (("rok", "miesiąc", "dzień"), (2001, 2, 3), "2001-02-03"),
        (("jaar", "maand", "dag", "uur"), (2001, 2, 3, 4), "2001-02-03 04:00"),
        (("年", "月", "日", "時"), (2001, 2, 3, 4), "2001-02-03 04:00"),
        (("YY", "MM", "DD", "hh", "mm"), (2001, 2, 3, 4, 5), "2001-02-03 04:05"),
        (("Year", "Quarter"), (2001, 2), "2001-04-01"),
        (("Jahr", "Quartal"), (2001, "Q3"), "2001-07-01"),
        (("Year", "Month"), (2001, "Feb"), "2001-02-01"),
        (("Year", "Month"), (2001, "September"), "2001-09-01"),
        (("Y", "P"), (2001, 2), "2001-02-01"),
        (("Date", "Time"), ("2001-02-03", "18.05.00"), "2001-02-03 18:05"),
    ],
)
def test_parts_in_other_languages_quarters_and_names_of_months(names, values, understood) -> None:
    found = joined({name: [value] for name, value in zip(names, values, strict=True)})
    assert found.utc.tolist() == [pd.Timestamp(understood).value]


def test_a_part_that_is_told_by_its_place_is_said() -> None:
    assert "'P' was read as months" in joined({"Y": [2001], "P": [2]}).notes
    assert joined({"Year": [2001], "Mes": [2]}).notes == ()
    with pytest.raises(DataError, match="P=13 in data row 0"):
        joined({"Y": [2001], "P": [13]})
