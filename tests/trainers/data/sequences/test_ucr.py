"""Files of the UCR archive: separators, labels, unequal lengths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data.reading import CaseReading
from trainers.data.sequences.ucr import read_ucr
from trainers.errors import DataError


def write(base: Path, content: str) -> Path:
    path = base / "toy.tsv"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "content",
    [
        "1\t0.5\t-2\n-1\t3\t4e0\n",
        "1,0.5,-2\n\n-1,3,4\n",
        "   1.0000000e+00   5.0e-01  -2.0e+00\r\n  -1.0000000e+00   3.0   4.0\r\n",
        "1.0, 0.5, -2\n-1.0, 3, 4\n",
    ],
)
def test_a_row_is_a_label_and_its_values_however_they_are_written(
    tmp_path: Path, content: str
) -> None:
    cases = read_ucr(write(tmp_path, content))
    assert cases.labels == ("1", "-1")
    assert [one[:, 0].tolist() for one in cases.values] == [[0.5, -2], [3, 4]]
    assert cases.steps == 2


def test_missing_values_at_the_end_are_the_end_and_others_are_gaps(tmp_path: Path) -> None:
    cases = read_ucr(write(tmp_path, "1\t1\tNaN\t3\tNaN\tNaN\n2\t1\t2\t3\t4\t5\n2\t\t2\t3\t\t\n"))
    assert [len(one) for one in cases.values] == [3, 5, 3]
    assert np.isnan(cases.values[0][:, 0]).tolist() == [False, True, False]
    assert np.isnan(cases.values[2][:, 0]).tolist() == [True, False, False]
    assert cases.notes == (
        "2 sequences end before their rows do: missing values there are no steps",
    )


def test_rows_may_be_of_unequal_length(tmp_path: Path) -> None:
    cases = read_ucr(write(tmp_path, "1 1 2 3\n2 1 2\n"))
    assert [len(one) for one in cases.values] == [3, 2]
    assert cases.steps is None


def test_a_label_may_be_a_word_or_missing(tmp_path: Path) -> None:
    assert read_ucr(write(tmp_path, "walk,1,2\n?,3,4\n")).labels == ("walk", None)


def test_a_wrong_value_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"toy.tsv, line 3: .* but value 2 is 'x'"):
        read_ucr(write(tmp_path, "1\t1\t2\n\n2\t1\tx\n"))


@pytest.mark.parametrize(
    ("steps", "content", "labels"),
    [
        (3, "1\t5\t6\n2\t7\t8\n", (None, None)),  # as many as the steps, like a class or not
        (3, "1\t5\t6\t7\n2\t7\t8\t9\n", ("1", "2")),
        (3, "?\t5\t6\t7\n2\t7\t8\t9\n", (None, "2")),
        (3, "0.5\t5\t6\t7\t8\n", (None,)),  # another length: by the classes
        (None, "0.5\t5\t6\n0.7\t1\n", (None, None)),
        (None, "1\t5\t6\n2\t1\n", ("1", "2")),
    ],
)
def test_a_trained_network_tells_a_label_by_the_length_and_the_classes(
    tmp_path: Path, steps: int | None, content: str, labels: tuple[str | None, ...]
) -> None:
    reading = CaseReading("ucr", steps, ("1", "2"))
    cases = read_ucr(write(tmp_path, content), reading)
    assert cases.labels == labels
    first = content.split("\n")[0].split("\t")
    assert len(cases.values[0]) == len(first) - (labels[0] is not None or first[0] == "?")


@pytest.mark.parametrize(
    ("reading", "content", "message"),
    [
        (CaseReading("ucr", None, ("1", "2")), "1 5 6\n0.5 1\n", "can't be told whether rows"),
        (CaseReading("ucr", None), "0.3 5 6\n0.5 1\n", "can't be told whether rows"),
        (CaseReading("ucr", 2, ("1", "2")), "1 5 6\n0.5 1 2\n", "holds '0.5', which is none of"),
    ],
)
def test_it_is_refused_to_guess_whether_there_is_a_label(
    tmp_path: Path, reading: CaseReading, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_ucr(write(tmp_path, content), reading)
