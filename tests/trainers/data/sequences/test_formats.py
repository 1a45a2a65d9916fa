"""Which of the field's formats a file has."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from trainers.data.sequences.formats import format_of
from trainers.data.sequences.ucr import read_ucr
from trainers.errors import DataError


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.ts", "", "ts"),
        ("a.txt", "# made by hand\n\n@problemName x\n", "ts"),
        ("a.tsv", "1\t0.5\t-2\n", "ucr"),
        ("a.txt", "  1.0e+00  5.0e-01\n", "ucr"),
        ("a.csv", "1,0.5,NaN\n2,1,\n", "ucr"),
        ("a.csv", "walk,0.5,2\nrun,1,3\n", "ucr"),
        ("a.csv", "walk,1,2\nrun,1,3\nwalk,2,3\n", "ucr"),
        ("a.csv", "1,2,3\n2,3,5\n", "ucr"),
        ("a.csv", "1;0.5;-2\n2;1;3\n", "ucr"),
        ("a.csv", "1,0.5,abc,3,4\n2,1,2,3,4\n", "ucr"),
        ("a.csv", "0,1,2,3,class\n0.5,1,2,3,a\n", "rows"),
        ("a.csv", "label,t0,t1\na,1,2\n", "rows"),
        ("a.csv", "label,0,1,2\na,1,2,3\nb,1,2,3\n", "rows"),
        ("a.csv", "0,1,2,3,4,5\n1,0.5,2,3,4,5\n", "rows"),
        ("a.tsv", "label\tt0\tt1\na\t1\t2\n", "rows"),
        ("a.parquet", "", "rows"),
    ],
)
def test_a_format_is_told_by_ending_and_first_lines(
    tmp_path: Path, name: str, content: str, expected: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert format_of(path) == expected


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no data file"):
        format_of(tmp_path / "a.ts")


def test_a_compressed_file_is_told_and_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(b"1\t0.5\t2\n2\t1\t3\n"))
    assert format_of(path) == "ucr"
    assert read_ucr(path).labels == ("1", "2")
