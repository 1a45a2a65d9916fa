"""A sequence a row of a table: which columns are steps, in which order, and which are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data.sequences.rows import RowColumns, read_rows
from trainers.errors import DataError


def write(base: Path, content: str) -> Path:
    path = base / "toy.csv"
    path.write_text(content, encoding="utf-8")
    return path


def test_all_other_columns_of_numbers_are_steps_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, "t0,kind,t1,name,t2\n1,a,2,x,3\n4,b,5,y,6\n")
    cases = read_rows(path, RowColumns("kind"))
    assert [one[:, 0].tolist() for one in cases.values] == [[1, 2, 3], [4, 5, 6]]
    assert cases.labels == ("a", "b")
    assert cases.columns == ("t0", "t1", "t2")
    assert cases.notes == (
        "toy.csv: steps are 3 columns, t0 … t2; or set data.steps",
        "toy.csv: no steps, as they hold texts: name",
    )


def test_steps_are_taken_by_pattern_or_listed(tmp_path: Path) -> None:
    path = write(tmp_path, "kind,id,t1,t0\na,7,1,2\nb,8,3,4\n")
    listed = read_rows(path, RowColumns("kind", ("t0", "t1")))
    assert listed.values[0][:, 0].tolist() == [2, 1]
    with pytest.raises(DataError, match="'t0' follows 't1'; reorder them, or list all"):
        read_rows(path, RowColumns("kind", ("t*",)))
    with pytest.raises(DataError, match=r"data.steps names 's\*', but no column of toy.csv"):
        read_rows(path, RowColumns("kind", ("s*",)))


@pytest.mark.parametrize("name", ["id", "weight"])
def test_a_column_that_is_named_otherwise_is_no_silent_step(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"{name},kind,t0,t1,t2\n7,a,1,2,3\n8,b,4,5,6\n")
    with pytest.raises(DataError, match=rf"\('t0'\), but got '{name}'; .*data.drop: \[{name}\]"):
        read_rows(path, RowColumns("kind"))
    dropped = read_rows(path, RowColumns("kind", None, (name,)))
    assert dropped.columns == ("t0", "t1", "t2")
    assert read_rows(path, RowColumns("kind", ("t*",))).columns == dropped.columns


def test_row_numbers_that_pandas_wrote_are_no_step(tmp_path: Path) -> None:
    path = write(tmp_path, ",kind,t0,t1,t2\n0,a,1,2,3\n1,b,4,5,6\n")
    cases = read_rows(path, RowColumns("kind", None, ("Unnamed: 0",)))
    assert cases.columns == ("t0", "t1", "t2")
    assert "counts the rows and is left out" in cases.notes[0]


def test_numbered_columns_must_be_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, "kind,t1,t10,t2\na,1,2,3\n")
    with pytest.raises(DataError, match="'t2' follows 't10'"):
        read_rows(path, RowColumns("kind"))


@pytest.mark.parametrize("header", ["0,1,2", "jan,feb,mar", "2024-01-01,2024-01-02,2024-01-03"])
def test_names_of_steps_are_free(tmp_path: Path, header: str) -> None:
    cases = read_rows(write(tmp_path, f"kind,{header}\na,5,2,3\n"), RowColumns("kind"))
    assert cases.values[0][:, 0].tolist() == [5, 2, 3]


def test_missing_values_inside_are_gaps_and_at_the_end_the_end(tmp_path: Path) -> None:
    path = write(tmp_path, "kind,t0,t1,t2\na,1,?,3\nb,1,2,\n,1,2,3\n")
    cases = read_rows(path, RowColumns("kind"))
    assert np.isnan(cases.values[0][:, 0]).tolist() == [False, True, False]
    assert [len(one) for one in cases.values] == [3, 2, 3]
    assert cases.labels == ("a", "b", None)


def test_labels_are_named_without_decimals(tmp_path: Path) -> None:
    cases = read_rows(write(tmp_path, "y,t0\n1,2\n,3\n0.5,4\n"), RowColumns("y"))
    assert cases.labels == ("1", None, "0.5")


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("y,t0\n1,2\n", RowColumns("z"), "data.target names the column 'z'"),
        ("y,t0\n1,2\n", RowColumns("y", None, ("t9",)), "data.drop names the column 't9'"),
        ("y,t0,t1\n1,2,3\n2,x,4\n3,5,6\n", RowColumns("y"), "toy.csv: .*'t0' .* 'x' in data row 1"),
        ("y,name\n1,a\n", RowColumns("y"), "a column of numbers for each step, but has none"),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path, content: str, columns: RowColumns, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_rows(write(tmp_path, content), columns)


def test_a_table_to_be_asked_about_may_lack_the_labels(tmp_path: Path) -> None:
    asked = RowColumns("y", ("t0", "t1"), is_labelled=False)
    cases = read_rows(write(tmp_path, "t1,other,t0\n1,9,2\n"), asked)
    assert cases.values[0][:, 0].tolist() == [2, 1]
    assert cases.labels == (None,)
    assert read_rows(write(tmp_path, "y,t0,t1\n5,1,2\n"), asked).labels == ("5",)
