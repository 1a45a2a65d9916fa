"""A format of the user's, as strptime has it."""

from __future__ import annotations

import pytest

from tests.trainers.data.times.time_factory import read, texts
from trainers.data.times.options import TimeOptions
from trainers.errors import DataError


@pytest.mark.parametrize(
    ("value", "written", "understood"),
    [
        ("2021|02|05", "%Y|%m|%d", "2021-02-05 00:00:00"),
        ("2021/31/01", "%Y/%d/%m", "2021-01-31 00:00:00"),
        ("05-FEB-21 06.30 PM", "%d-%b-%y %I.%M %p", "2021-02-05 18:30:00"),
        (202102, "%Y%m", "2021-02-01 00:00:00"),
        (1999, "%Y", "1999-01-01 00:00:00"),
        (2021032, "%Y%j", "2021-02-01 00:00:00"),
        # A table's reader loses the zero in front.
        (5022021, "%d%m%Y", "2021-02-05 00:00:00"),
        (20210205.0, "%Y%m%d", "2021-02-05 00:00:00"),
        (2021020524, "%Y%m%d%H", "2021-02-06 00:00:00"),
        ("2021-02-05 24:00", "%Y-%m-%d %H:%M", "2021-02-06 00:00:00"),
        ("05/02/2021 06:30 +0200", "%d/%m/%Y %H:%M %z", "2021-02-05 06:30:00+02:00"),
        ("2021|02|05 06:30 -0330", "%Y|%m|%d %H:%M %z", "2021-02-05 06:30:00-03:30"),
    ],
)
def test_values_are_read_as_the_format_says(value: object, written: str, understood: str) -> None:
    assert texts([value], format=written) == [understood]


def test_a_value_that_does_not_fit_is_told_by_row_value_and_option() -> None:
    with pytest.raises(DataError, match=r"'time' .* '%Y\|%m\|%d' says, but got 'x' in data row 1"):
        read(["2021|02|05", "x"], format="%Y|%m|%d")
    with pytest.raises(DataError, match="'2021-02-05' in data row 0"):
        read(["2021-02-05"], format="%d/%m/%Y")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("%Y%Q", "can't be used"),
        ("%d/%m %H:%M", "must have a year"),
        ("%z %Y-%m-%d", "%z must be the last"),
        ("dd/mm/yyyy", "as strptime has it"),
    ],
)
def test_a_format_that_can_not_be_used_is_refused(written: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(["2021-02-05"], format=written)


def test_a_unit_and_a_format_are_one_too_many() -> None:
    with pytest.raises(DataError, match=r"data.time_unit and data.time_format are both set"):
        TimeOptions(("time",), format="%Y", unit="s")
