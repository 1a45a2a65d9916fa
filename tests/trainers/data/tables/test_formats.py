"""Every format and compression gives the same table."""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import json
import lzma
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from tests.trainers.data.tables.reading_factory import read
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.table import read_table
from trainers.errors import DataError

FRAME = pd.DataFrame({"time": ["a", "b", "c"], "load": [1.5, 2.5, 3.5], "n": [1, 2, 3]})
TEXT = FRAME.to_csv(index=False).encode()


def zst(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zst),
    ],
)
def test_compressed_text_is_read_by_its_content_and_ending(
    tmp_path: Path, ending: str, compress: object
) -> None:
    for name in (f"t.csv.{ending}", "t.csv"):
        table = read(tmp_path, compress(TEXT), name)
        pd.testing.assert_frame_equal(table.frame, FRAME)
        assert table.notes == ()


def test_a_compressed_text_may_have_any_dialect(tmp_path: Path) -> None:
    table = read(tmp_path, gzip.compress("Größe;v\n1;0,5\n2;1,5\n".encode("cp1252")), "t.csv.gz")
    assert table.frame.to_dict("list") == {"Größe": [1, 2], "v": [0.5, 1.5]}


def test_an_archive_holds_one_table(tmp_path: Path) -> None:
    path = tmp_path / "load.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner/load.csv", TEXT)
        archive.writestr("__MACOSX/load.csv", b"junk")
    pd.testing.assert_frame_equal(read_table(path).frame, FRAME)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.csv", TEXT)
    with pytest.raises(DataError, match=r"one file, but it holds 2 \(inner/load.csv, other.csv\)"):
        read_table(path)


def test_arrow_files_and_streams_are_read(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(FRAME)
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    pyarrow.feather.write_feather(table, tmp_path / "t.arrow", compression="uncompressed")
    with pa.ipc.new_stream(tmp_path / "s.arrow", table.schema) as stream:
        stream.write_table(table)
    (tmp_path / "t.data").write_bytes((tmp_path / "t.arrow").read_bytes())
    for name in ("t.feather", "t.arrow", "s.arrow", "t.data"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name).frame, FRAME)


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.json", "l.json"])
def test_json_rows_are_read(tmp_path: Path, name: str) -> None:
    rows = FRAME.to_dict("records")
    lines = "\n".join(json.dumps(row) for row in rows)
    content = json.dumps(rows, indent=1) if name == "l.json" else lines
    pd.testing.assert_frame_equal(read(tmp_path, content, name).frame, FRAME)


def test_json_values_keep_their_kinds(tmp_path: Path) -> None:
    lines = [
        {"date": 1609459200, "code": "007", "on": True, "x": 1},
        {"date": 1609459201, "code": "008", "on": None, "y": 2.5},
    ]
    frame = read(tmp_path, "\n".join(map(json.dumps, lines)), "t.jsonl").frame
    assert frame["date"].tolist() == [1609459200, 1609459201]
    assert frame["code"].tolist() == ["007", "008"]
    assert str(frame["on"].dtype) == "boolean"
    np.testing.assert_array_equal(frame["y"], [np.nan, 2.5])


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1, 2]", "row 0 is '1'"), ("hello", "must hold rows"), ('{"a": [1,\n2]}', "can't be read")],
)
def test_json_that_is_no_rows_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, "t.json")


def test_parquet_keeps_types_and_a_time_that_was_the_index(tmp_path: Path) -> None:
    times = pd.date_range("2024-03-30", periods=3, freq="12h", tz="Europe/Berlin")
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(["x", "y", "x"]),
            "on": pd.array([True, None, False], dtype="boolean"),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "money": [decimal.Decimal("1.50"), None, decimal.Decimal("2.25")],
            "day": [datetime.date(2024, 1, 1)] * 3,
        },
        index=pd.Index(times, name="time"),
    )
    frame.to_parquet(tmp_path / "t.parquet")
    got = read_table(tmp_path / "t.parquet").frame
    assert got["kind"].cat.categories.tolist() == ["x", "y"]
    assert str(got["on"].dtype) == "boolean"
    np.testing.assert_array_equal(got["whole"], [1, np.nan, 3])
    np.testing.assert_array_equal(got["money"], [1.5, np.nan, 2.25])
    assert got["day"].iloc[0] == pd.Timestamp("2024-01-01")
    assert got["time"].tolist() == times.tolist()


def test_an_index_without_a_name_is_a_column_only_where_it_says_something(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=[5, 9]).to_parquet(tmp_path / "n.parquet")
    numbered = read_table(tmp_path / "n.parquet")
    assert numbered.frame.columns.tolist() == ["a"]
    assert "counts the rows" in numbered.notes[0]
    times = pd.date_range("2024", periods=2, freq="D")
    pd.DataFrame({"a": [1, 2]}, index=times).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame["index"].tolist() == times.tolist()


def test_a_folder_of_parquet_files_is_one_table_in_natural_order(tmp_path: Path) -> None:
    for month in (1, 2, 10):
        folder = tmp_path / "data" / f"month={month}"
        folder.mkdir(parents=True)
        for part in (2, 11):
            rows = pd.DataFrame({"load": [month * 100.0 + part]})
            rows.to_parquet(folder / f"part-{part}.parquet")
    (tmp_path / "data" / "_SUCCESS").write_text("")
    frame = read_table(tmp_path / "data").frame
    assert frame["load"].tolist() == [102, 111, 202, 211, 1002, 1011]
    assert frame["month"].tolist() == [1, 1, 2, 2, 10, 10]
    assert read_table(tmp_path / "data", limit=2, last=True).frame["load"].tolist() == [1002, 1011]
    assert read_table(tmp_path / "data", limit=3).frame["load"].tolist() == [102, 111, 202]
    only = read_table(tmp_path / "data", columns_used={"load"}).frame
    assert only.columns.tolist() == ["load"]


def test_marks_are_missing_in_tables_that_have_types(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, -9999.0], "b": ["x", "?"], "c": [-9999, 3]})
    frame.to_parquet(tmp_path / "t.parquet")
    got = read_table(tmp_path / "t.parquet", ReadingOptions(missing_values=("?", -9999))).frame
    assert got.isna().to_numpy().tolist() == [[False, False, True], [True, True, False]]


def test_a_workbooks_table_is_found_in_its_sheet(tmp_path: Path) -> None:
    rows = [
        ["Station 12", None, None],
        ["time", "load", "t"],
        ["UTC", "kWh", "°C"],
        *([datetime.datetime(2024, 1, 1, hour), hour + 0.5, hour] for hour in range(9)),
    ]
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame(rows).to_excel(book, sheet_name="2024", header=False, index=False)
        FRAME.to_excel(book, sheet_name="more", index=False)
    table = read_table(tmp_path / "t.xlsx")
    said = "sheet '2024' of 2024, more, 1 row before the header, 1 row of units"
    assert table.notes == (f"read as: {said} (data.reading)",)
    assert table.frame["load"].tolist() == [hour + 0.5 for hour in range(9)]
    assert table.frame["t"].dtype == np.int64
    assert table.frame["time"].iloc[3] == pd.Timestamp("2024-01-01 03:00")
    more = read_table(tmp_path / "t.xlsx", ReadingOptions(sheet="more"))
    pd.testing.assert_frame_equal(more.frame, FRAME)
    assert len(read_table(tmp_path / "t.xlsx", limit=2).frame) == 2
    with pytest.raises(DataError, match=r"no sheet 'x'; set data\.reading\.sheet to one of 2024"):
        read_table(tmp_path / "t.xlsx", ReadingOptions(sheet="x"))


def test_a_workbook_without_openpyxl_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FRAME.to_excel(tmp_path / "t.xlsx", index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match="pip install openpyxl"):
        read_table(tmp_path / "t.xlsx")


def test_a_format_may_be_named(tmp_path: Path) -> None:
    read(tmp_path, TEXT, "t.data")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.data").frame, FRAME)
    with pytest.raises(DataError, match="can't be read as a table"):
        read_table(tmp_path / "t.data", ReadingOptions(format="parquet"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="it is a folder"):
        read_table(tmp_path / "folder")


def test_an_object_of_columns_is_told_how_to_become_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'one object of columns; .*orient="records"'):
        read(tmp_path, '{"t": {"0": 1, "1": 2}, "y": {"0": 3, "1": 4}}', "t.json")


def test_a_format_that_is_not_what_its_name_says_names_the_option(tmp_path: Path) -> None:
    content = "t,y\n1,2\n"
    with pytest.raises(DataError, match=r"\(excel\): .*data.reading.format"):
        read(tmp_path, content, "t.xlsx")
    assert len(read(tmp_path, content, "t.xlsx", format="csv").frame) == 1
