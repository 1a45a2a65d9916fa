"""Day or month first is for the whole column to say, or for the user."""

from __future__ import annotations

import pytest

from tests.trainers.data.times.time_factory import read, texts
from trainers.errors import DataError


def test_a_day_above_twelve_tells_for_all_values() -> None:
    found = read([f"{day:02d}/01/2021" for day in range(11, 14)])
    assert found.texts()[0] == "2021-01-11 00:00:00"
    assert 'data.time_format: "%d/%m/%Y"' in found.notes[0]
    month_first = read(["01/11/2021 06:00", "01/13/2021 06:00"])
    assert month_first.texts()[0] == "2021-01-11 06:00:00"
    assert '"%m/%d/%Y %H:%M"' in month_first.notes[0]


@pytest.mark.parametrize("separator", ["/", "-"])
def test_what_can_be_read_both_ways_is_refused_with_both_formats(separator: str) -> None:
    values = [f"{day:02d}/01/2021 00:00".replace("/", separator) for day in range(1, 13)]
    with pytest.raises(DataError) as caught:
        read(values)
    for first in ("%d/%m", "%m/%d"):
        assert f'"{first}/%Y %H:%M"'.replace("/", separator) in str(caught.value)
    assert "data row 0" in str(caught.value)
    assert "data.time_format" in str(caught.value)


def test_an_order_of_time_by_one_reading_alone_is_no_proof() -> None:
    with pytest.raises(DataError, match="one way only"):
        read(["01/02/2021", "02/02/2021", "03/02/2021"])


def test_seconds_halves_of_days_and_offsets_are_in_the_formats_that_are_named() -> None:
    with pytest.raises(DataError, match=r"%d/%m/%Y %I:%M:%S\.%f %p"):
        read(["01/02/2021 06:00:00.5 PM"])


def test_the_formats_that_are_named_read_the_column() -> None:
    values = ["01/02/2021 00:00", "01/02/2021 24:00", "03/02/2021"]
    day_first = texts(values, format="%d/%m/%Y %H:%M")
    assert day_first == ["2021-02-01 00:00:00", "2021-02-02 00:00:00", "2021-02-03 00:00:00"]
    assert texts(values, format="%m/%d/%Y %H:%M")[2] == "2021-03-02 00:00:00"


def test_a_column_of_both_orders_is_refused_by_its_row() -> None:
    with pytest.raises(DataError, match="'01/13/2021' in data row 2"):
        read(["13/01/2021", "14/01/2021", "01/13/2021"])


def test_dots_are_day_first_and_that_is_said() -> None:
    found = read(["01.02.2021 00:00", "02.02.2021 00:00"])
    assert found.texts() == ["2021-02-01 00:00:00", "2021-02-02 00:00:00"]
    assert "with dots the day comes first" in found.notes[0]
    assert texts(["1.2.21 6:05"]) == ["2021-02-01 06:05:00"]


def test_dots_that_can_only_be_month_first_are_so() -> None:
    assert texts(["01.31.2021"]) == ["2021-01-31 00:00:00"]


def test_separators_may_not_change() -> None:
    with pytest.raises(DataError, match="'02/02/2021' in data row 1"):
        read(["01.02.2021", "02/02/2021"])


def test_two_digit_years_may_come_first() -> None:
    with pytest.raises(DataError, match='"%d/%m/%y" or "%y/%m/%d"'):
        read(["21/01/05", "21/01/31"])
    assert texts(["21/01/05"], format="%y/%m/%d") == ["2021-01-05 00:00:00"]
    assert texts(["12/31/97", "01/01/98"])[0] == "1997-12-31 00:00:00"
    # A year of one digit is none.
    assert texts(["1/13/21", "1/14/21"])[0] == "2021-01-13 00:00:00"


def test_what_a_file_settles_is_kept_for_the_next() -> None:
    settled = read(["13/01/2021 00:00", "01/02/2021 00:00"]).options
    assert settled.format == "%d/%m/%Y %H:%M"
    assert texts(["05/02/2021 00:00"], format=settled.format) == ["2021-02-05 00:00:00"]


def test_dates_of_leap_years_only_fit_their_years() -> None:
    assert texts(["29/02/2020"]) == ["2020-02-29 00:00:00"]
    with pytest.raises(DataError, match="29/02/2021"):
        read(["29/02/2021"])
