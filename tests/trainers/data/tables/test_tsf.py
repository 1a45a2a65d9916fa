"""Monash's .tsf files as long tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data.tables.tsf import read_tsf
from trainers.errors import DataError

HEADER = """# a comment
@relation toy
@attribute series_name string
@attribute start_timestamp date
@frequency {frequency}
@horizon 12
@missing true
@equallength false
@data
"""


def read(
    base: Path, series: str, frequency: str = "monthly"
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    path = base / "toy.tsf"
    path.write_text(HEADER.format(frequency=frequency) + series)
    return read_tsf(path)


def times(frame: pd.DataFrame) -> list[str]:
    return frame["time"].dt.strftime("%Y-%m-%d %H:%M:%S").tolist()


def test_a_row_a_value_with_its_series_and_time(tmp_path: Path) -> None:
    frame, notes = read(
        tmp_path, "T1:1979-01-01 00-00-00:1,?,3.5\n\nT2:2020-12-01 06-30-00:-4,5e1\n"
    )
    assert list(frame.columns) == ["series_name", "start_timestamp", "time", "value"]
    assert frame["series_name"].tolist() == ["T1", "T1", "T1", "T2", "T2"]
    np.testing.assert_array_equal(frame["value"], [1, np.nan, 3.5, -4, 50])
    assert times(frame) == [
        *("1979-01-01 00:00:00", "1979-02-01 00:00:00", "1979-03-01 00:00:00"),
        *("2020-12-01 06:30:00", "2021-01-01 06:30:00"),
    ]
    assert notes == (
        "toy.tsf: 2 series of 2 to 3 values, @frequency monthly, @horizon 12, @missing true, "
        "@equallength false",
    )


@pytest.mark.parametrize(
    ("frequency", "start", "second", "third"),
    [
        ("yearly", "2020-02-29 00-00-00", "2021-02-28 00:00:00", "2022-02-28 00:00:00"),
        ("quarterly", "2023-11-30 12-00-00", "2024-02-29 12:00:00", "2024-05-30 12:00:00"),
        ("monthly", "2023-12-31 00-00-00", "2024-01-31 00:00:00", "2024-02-29 00:00:00"),
        ("2_months", "2023-12-01 00-00-00", "2024-02-01 00:00:00", "2024-04-01 00:00:00"),
        ("weekly", "2024-02-26 00-00-00", "2024-03-04 00:00:00", "2024-03-11 00:00:00"),
        ("daily", "2024-02-28 00-00-00", "2024-02-29 00:00:00", "2024-03-01 00:00:00"),
        ("hourly", "2024-02-28 23-00-00", "2024-02-29 00:00:00", "2024-02-29 01:00:00"),
        ("half_hourly", "2024-02-28 23-30-00", "2024-02-29 00:00:00", "2024-02-29 00:30:00"),
        ("minutely", "2024-02-28 23-59-00", "2024-02-29 00:00:00", "2024-02-29 00:01:00"),
        ("10_minutes", "2024-02-28 23-50-00", "2024-02-29 00:00:00", "2024-02-29 00:10:00"),
        ("4_seconds", "2024-02-28 23-59-56", "2024-02-29 00:00:00", "2024-02-29 00:00:04"),
        ("yearly", "1600-01-01", "1601-01-01 00:00:00", "1602-01-01 00:00:00"),
        ("Daily", "2024-02-28 00:00:00", "2024-02-29 00:00:00", "2024-03-01 00:00:00"),
    ],
)
def test_times_go_on_from_the_start_by_the_frequency(
    tmp_path: Path, frequency: str, start: str, second: str, third: str
) -> None:
    if ":" in start:
        frame, _ = read(tmp_path, f"a:{start.replace(':', '-')}:1,2,3\n", frequency)
    else:
        frame, _ = read(tmp_path, f"a:{start}:1,2,3\n", frequency)
    assert times(frame)[1:] == [second, third]


def test_a_series_of_eight_hundred_years_ends_when_it_does(tmp_path: Path) -> None:
    frame, _ = read(tmp_path, f"a:1750-01-01 00-00-00:{','.join(['1'] * 800)}\n", "yearly")
    assert times(frame)[-1] == "2549-01-01 00:00:00"


@pytest.mark.parametrize(
    "header",
    [
        "@attribute series_name string\n@frequency monthly\n@data\n",
        "@attribute series_name string\n@data\n",
    ],
)
def test_without_a_start_or_a_frequency_steps_are_counted(tmp_path: Path, header: str) -> None:
    path = tmp_path / "toy.tsf"
    path.write_text(header + "a:1,2\nb:3\n")
    frame, _ = read_tsf(path)
    assert list(frame.columns) == ["series_name", "step", "value"]
    assert frame["step"].tolist() == [0, 1, 0]


def test_attributes_are_columns_of_their_types(tmp_path: Path) -> None:
    path = tmp_path / "toy.tsf"
    path.write_text(
        "@Attribute state string\n@attribute size numeric\n@attribute since date\n"
        "@frequency daily\n@data\nNSW:2.5:2024-01-01:1,2\nVIC:?:2024-01-02:3\n"
    )
    frame, _ = read_tsf(path)
    assert list(frame.columns) == ["state", "size", "since", "time", "value"]
    assert frame["state"].tolist() == ["NSW", "NSW", "VIC"]
    np.testing.assert_array_equal(frame["size"], [2.5, 2.5, np.nan])
    assert times(frame) == [
        *("2024-01-01 00:00:00", "2024-01-02 00:00:00", "2024-01-02 00:00:00"),
    ]


def test_series_without_a_name_get_one(tmp_path: Path) -> None:
    path = tmp_path / "toy.tsf"
    path.write_text("@attribute start_timestamp date\n@data\n2024-01-01:1\n2024-01-01:2\n")
    frame, _ = read_tsf(path)
    assert frame["series_name"].tolist() == ["T1", "T2"]


def test_a_file_in_windows_letters_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "toy.tsf"
    path.write_bytes(b"@attribute series_name string\n@data\nM\xfcnchen:1\n")
    frame, notes = read_tsf(path)
    assert frame["series_name"].tolist() == ["München"]
    assert notes[0] == "toy.tsf is not UTF-8; read as cp1252, as Monash's files are"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("T1:2024-01-01:1,2\nT2:2024-01-01:1,x\n", r"toy.tsf, line 11: .* but value 2 is 'x'"),
        ("T1:2024-01-01:1,inf\n", "line 10: .* but value 2 is 'inf'"),
        ("T1:1,2\n", r"line 10: a series must have 2 attribute\(s\) \(series_name, start_time"),
        ("T1:2024-01-01:\n", "line 10: a series needs at least one value"),
        ("T1:2024-13-01 00-00-00:1\n", "line 10: a date must be as .* got '2024-13-01 00-00-00'"),
        ("T1:?:1\n", r"line 10: a date must be as .* got '\?'"),
        ("", "must hold at least one series"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_value(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("@relation x\n", "needs a line @data"),
        ("1,2\n", "line 1: a .tsf file begins with a header"),
        ("@attribute value string\n@data\n", "line 1: must be @attribute, a name of its own"),
        ("@attribute a\n@data\n", "line 1: must be @attribute, a name of its own"),
        (
            "@attribute s date\n@frequency often\n@data\n2024-01-01:1\n",
            "@frequency must be one of half_hourly, .*, but got 'often'",
        ),
    ],
)
def test_a_wrong_header_is_told(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "toy.tsf"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_tsf(path)
