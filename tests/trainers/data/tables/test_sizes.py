"""Large tables, and parts of tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.trainers.data.tables.reading_factory import read
from trainers.data.tables import columnar, gathering
from trainers.data.tables.gathering import Growing, narrow_values
from trainers.data.tables.table import read_table

CONTENT = "t,a,b\n" + "".join(f"x{n},{n},{n}.5\n" for n in range(10))


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (gathering, columnar):
        monkeypatch.setattr(module, "LARGE", 10)


def test_a_limit_reads_the_first_rows_and_says_so(tmp_path: Path) -> None:
    read(tmp_path, CONTENT)
    first = read_table(tmp_path / "t.csv", limit=3)
    assert first.frame["a"].tolist() == [0, 1, 2]
    assert first.notes == ("data.limit: the first 3 rows of t.csv are read",)
    last = read_table(tmp_path / "t.csv", limit=3, last=True)
    assert last.frame["a"].tolist() == [7, 8, 9]
    assert last.frame.index.tolist() == [0, 1, 2]
    assert last.notes == ("data.limit: the last 3 of 10 rows of t.csv are read",)
    for last in (False, True):
        whole = read_table(tmp_path / "t.csv", limit=10, last=last)
        assert (len(whole.frame), whole.notes) == (10, ())


def test_a_limit_leaves_what_comes_after_unread(tmp_path: Path) -> None:
    content = "a,b\n" + "1,2\n" * 500_000 + "1,2,3\n"
    (tmp_path / "t.csv").write_text(content)
    assert len(read_table(tmp_path / "t.csv", limit=400_000).frame) == 400_000


def test_the_last_rows_go_over_pieces(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{n},{n}.5\n" for n in range(250_000)))
    tail = read_table(tmp_path / "t.csv", limit=120_000, last=True).frame
    assert tail["a"].tolist() == list(range(130_000, 250_000))


def test_only_the_columns_that_are_used_are_kept(tmp_path: Path) -> None:
    read(tmp_path, CONTENT)
    assert read_table(tmp_path / "t.csv", columns_used={"b", "t"}).frame.columns.tolist() == [
        "t",
        "b",
    ]
    every = read_table(tmp_path / "t.csv", columns_used={"b", "no"}).frame
    assert every.columns.tolist() == ["t", "a", "b"]


@pytest.mark.usefixtures("small_is_large")
def test_large_tables_take_no_more_bytes_than_their_values_need(tmp_path: Path) -> None:
    content = "k,whole,narrow,wide,gap\n" + "".join(
        f"w{n},{n * 1000},{n}.1,1000000000.{n},{n if n % 3 else ''}\n" for n in range(1, 50)
    )
    frame = read(tmp_path, content).frame
    assert [str(frame[name].dtype) for name in frame] == [
        "str",
        "int32",
        "float32",
        "float64",
        "float32",
    ]
    np.testing.assert_allclose(frame["narrow"], [n + 0.1 for n in range(1, 50)], rtol=1e-6)
    assert frame["wide"].tolist()[4] == 1000000000.5
    assert frame["whole"].tolist() == [n * 1000 for n in range(1, 50)]


def test_small_tables_keep_their_numbers_exactly(tmp_path: Path) -> None:
    frame = read(tmp_path, CONTENT).frame
    assert [str(frame[name].dtype) for name in "ab"] == ["int64", "float64"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2, 3], "int8"),
        ([1, 300], "int16"),
        ([-1, 2**40], "int64"),
        ([0.1, 0.2], "float32"),
        ([1e9, 1e9 + 0.1], "float64"),
        ([0.5, 0.5], "float32"),
        ([0.1, 0.1], "float64"),
        ([np.nan, np.inf, 0.1, 3], "float32"),
        ([1e300, 0.0], "float64"),
        ([np.nan], "float32"),
    ],
)
def test_a_type_is_narrow_where_rounding_is_below_a_millionth_of_the_spread(
    values: list[float], dtype: str
) -> None:
    assert narrow_values(np.array(values)).dtype == dtype


@pytest.mark.parametrize(
    ("pieces", "dtype"),
    [
        ([[1, 2], [300]], "int16"),
        ([[1, 2], [0.25, 0.5]], "float32"),
        ([[0.25, 0.5], [2**24]], "float32"),
        ([[0.25, 0.5], [2**24 + 1]], "float64"),
        ([[2**24 + 1], [0.25, 0.5]], "float64"),
        ([[0.1, 0.3], [1e9, 1e9 + 0.1]], "float64"),
    ],
)
def test_a_column_grows_into_the_type_that_holds_all_of_it(
    pieces: list[list[float]], dtype: str
) -> None:
    column = Growing()
    for piece in pieces:
        column.add(np.array(piece))
    values = column.values()
    assert values.dtype == dtype
    np.testing.assert_allclose(values, np.concatenate(pieces), rtol=1e-7)


def test_kinds_that_change_between_pieces_come_out_whole(tmp_path: Path) -> None:
    rows = 120_000
    lines = [f"{n},{n},true,," for n in range(rows)] + ["1,0.5,,7,x", "1,A3,false,8,y"]
    frame = read(tmp_path, "\n".join(["t,mixed,truth,late,word", *lines])).frame
    assert frame["mixed"].tolist()[-3:] == [str(rows - 1), "0.5", "A3"]
    assert str(frame["truth"].dtype) == "boolean"
    assert frame["late"].tolist()[-2:] == [7, 8]
    assert frame["word"].tolist()[-2:] == ["x", "y"]
    assert frame["t"].dtype == np.int64


@pytest.mark.usefixtures("small_is_large")
def test_parquet_is_narrowed_alike(tmp_path: Path) -> None:
    pd.DataFrame({"a": np.arange(30), "b": np.arange(30) / 3}).to_parquet(tmp_path / "t.parquet")
    frame = read_table(tmp_path / "t.parquet").frame
    assert [str(frame[name].dtype) for name in "ab"] == ["int8", "float32"]


def test_texts_of_many_pieces_are_one_array_that_need_not_be_copied(tmp_path: Path) -> None:
    times = pd.date_range("2021-01-01", periods=400_000, freq="min").astype(str)
    frame = pd.DataFrame({"time": times, "y": 1.5})
    frame.loc[7, "time"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    read = read_table(tmp_path / "t.csv").frame["time"]
    assert read.tolist()[:2] == ["2021-01-01 00:00:00", "2021-01-01 00:01:00"]
    assert np.flatnonzero(read.isna()).tolist() == [7]
    assert isinstance(pa.array(read), pa.Array)
