"""sktime's and aeon's .ts files: header, dimensions, labels, missing values, time stamps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data.sequences.ts import read_ts
from trainers.errors import DataError

HEADER = """# made by hand
@problemName Toy

@timeStamps false
@classLabel true up down
@data
"""


def write(base: Path, content: str) -> Path:
    path = base / "toy.ts"
    path.write_text(content, encoding="utf-8")
    return path


def test_dimensions_are_features_and_the_last_field_is_the_label(tmp_path: Path) -> None:
    cases = read_ts(write(tmp_path, HEADER + "1,2,3:4,5,6:up\n\n# a comment\n7,8:9,10:down\n"))
    assert [one.tolist() for one in cases.values] == [[[1, 4], [2, 5], [3, 6]], [[7, 9], [8, 10]]]
    assert cases.labels == ("up", "down")
    assert cases.classes == ("up", "down")
    assert cases.task == "classification"
    assert cases.features == ("dim_0", "dim_1")
    assert cases.steps is None
    assert cases.where(1) == "toy.ts, line 10"


@pytest.mark.parametrize(
    "header",
    [
        "@PROBLEMNAME x\n@UniVariate TRUE\n@ClassLabel   True\ta  b\n@DATA\n",
        "@univariate true\r\n@equallength true\r\n@serieslength 2\r\n"
        "@classlabel true a b\r\n@data\r\n",
        "@dimensions 1\n@missing false\n@classLabel true\n@data\n",
    ],
)
def test_case_spacing_and_line_ends_of_a_header_are_free(tmp_path: Path, header: str) -> None:
    cases = read_ts(write(tmp_path, header + "  1 , 2 : a \n3,4:b"))
    assert [one[:, 0].tolist() for one in cases.values] == [[1, 2], [3, 4]]
    assert cases.labels == ("a", "b")
    assert cases.features == ("value",)
    assert cases.steps == 2


def test_numbers_to_predict_are_told_by_the_header(tmp_path: Path) -> None:
    cases = read_ts(write(tmp_path, "@targetLabel true\n@data\n1,2:0.5\n3,4:7\n"))
    assert cases.task == "regression"
    assert cases.labels == ("0.5", "7")
    assert cases.classes == ()


def test_a_question_mark_or_nan_is_a_missing_value_and_a_label_may_be_missing(
    tmp_path: Path,
) -> None:
    cases = read_ts(write(tmp_path, HEADER + "1,?,3,NaN:up\n1,2:?\n"))
    assert np.isnan(cases.values[0][:, 0]).tolist() == [False, True, False, True]
    assert cases.labels == ("up", None)


def test_labels_keep_their_names_in_the_header(tmp_path: Path) -> None:
    header = "@classLabel true 1.0 -1\n@data\n"
    cases = read_ts(write(tmp_path, header + "1:1\n2:-1.0\n3:1.0\n"))
    assert cases.labels == ("1.0", "-1", "1.0")


def test_regular_time_stamps_are_read_in_their_order(tmp_path: Path) -> None:
    header = "@timeStamps true\n@classLabel true a b\n@data\n"
    numbers = "(0,1.5),(2,2.5),(4,?):(0,5),(2,6),(4,7):a\n"
    cases = read_ts(write(tmp_path, header + numbers + "(0, 1),(2, 3):(0, 4),(2, 4):b\n"))
    np.testing.assert_array_equal(cases.values[0], [[1.5, 5], [2.5, 6], [np.nan, 7]])
    dates = "(2024-01-01 00:00:00,1),(2024-01-01 01:00:00,2):b\n"
    cases = read_ts(write(tmp_path, header + dates))
    assert cases.values[0].tolist() == [[1], [2]]


def test_a_file_without_labels_has_none(tmp_path: Path) -> None:
    cases = read_ts(write(tmp_path, "@classLabel false\n@data\n1,2:3,4\n"))
    assert cases.labels == (None,)
    assert cases.values[0].tolist() == [[1, 3], [2, 4]]


def test_to_a_trained_network_the_number_of_fields_tells_whether_there_is_a_label(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, HEADER + "1,2:3,4\n1,2:3,4:up\n")
    assert read_ts(path, 2).labels == (None, "up")
    with pytest.raises(DataError, match=r"line 7: a case must have 3 dimension\(s\) and a label"):
        read_ts(path, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2:up\n", r"toy.ts, line 1: a .ts file begins with a header .* but got '1,2:up'"),
        ("@classLabel true a b\n1,2:a\n", "line 2: a .ts file begins with a header"),
        ("@classLabel true a b\n", "needs a line @data"),
        (HEADER, "must hold at least one case"),
        (HEADER + "1,2:up\n1,x:down\n", r"line 8, dimension 1: .* but value 2 is 'x'"),
        (HEADER + "1,inf:up\n", "line 7, dimension 1: .*value 2 is 'inf'"),
        (HEADER + "1,2:3:up\n", "line 7: .* same number of values, at least one, but got 2, 1;"),
        (HEADER + "1,2:3,4:up\n1,2:up\n", r"line 8: a case must have 2 dim.*, but got 2 field"),
        (HEADER + "1,2\n", r"line 7: a case must have 1 dimension\(s\) and a label, .* 1 field"),
        (HEADER + ":up\n", "line 7: .*at least one, but got 0"),
        (HEADER + "1,2:left\n", r"line 7: .*classes \(up, down\), but got 'left'"),
        ("@univariate true\n" + HEADER + "1:2:up\n", r"must have 1 dimension\(s\)"),
        ("@dimensions 3\n" + HEADER + "1:2:up\n", r"must have 3 dimension\(s\)"),
        ("@equalLength true\n" + HEADER + "1,2:up\n1:up\n", "line 9: .*have 2 steps, but got 1"),
        (
            "@equalLength true\n@seriesLength 4\n" + HEADER + "1,2:up\n",
            "line 9: .*must have 4 steps, but got 2",
        ),
    ],
)
def test_what_is_wrong_is_told_with_line_and_value(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_ts(write(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("(0,1),(1,2),(3,3):a\n", "line 4: time stamps must be evenly spaced, but 3 follows 1"),
        ("(1,1),(0,2):a\n", "must be evenly spaced, but 0 follows 1"),
        ("(0,1),(1,2):a\n(0,1),(2,2):b\n", "line 5: steps of all cases .* but got 2 after 1"),
        ("(0,1),(1,2):(0,1),(2,2):a\n", "line 4: the dimensions .* same time stamps"),
        ("1,2:a\n", r"line 4, dimension 1: with @timeStamps true .* but got '1,2'"),
        ("(noon,1),(one,2):a\n", "time stamps must be numbers or dates .* got 'noon'"),
    ],
)
def test_time_stamps_that_are_not_regular_are_refused(
    tmp_path: Path, lines: str, message: str
) -> None:
    header = "@timeStamps true\n@classLabel true a b\n@data\n"
    with pytest.raises(DataError, match=message):
        read_ts(write(tmp_path, header + lines))
