"""Numbers as people write them, and what can't be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.trainers.data.tables.reading_factory import read
from trainers.data.tables.columns import matrix, numeric_columns, require_columns
from trainers.errors import DataError


def rows(*values: str, separator: str = ";") -> str:
    lines = [f"d{n}{separator}{value}" for n, value in enumerate(values)]
    return "\n".join([f"day{separator}v", *lines]) + "\n"


@pytest.mark.parametrize(
    ("values", "numbers", "said"),
    [
        (["0,5", "12,25", "3"], [0.5, 12.25, 3], "decimal ','"),
        (["1.234,5", "0,5", "12.345"], [1234.5, 0.5, 12345], "decimal ',', thousands '.'"),
        (["1.234.567", "1.234"], [1_234_567, 1234], "decimal ',', thousands '.'"),
        (["1,234.5", "2,345", "7"], [1234.5, 2345, 7], "thousands ','"),
        (["1 234,5", "12 345,0", "3,5"], [1234.5, 12345, 3.5], "decimal ',', thousands ' '"),
        (["1\u00a0234,5", "3,5"], [1234.5, 3.5], r"decimal ',', thousands '\xa0'"),
        (["1\u202f234", "3"], [1234, 3], r"thousands '\u202f'"),
        (["1'234.5", "12'345.0"], [1234.5, 12345], 'thousands "\'"'),
        (["+0,5", "−3,5"], [0.5, -3.5], "decimal ','"),
        (["1,5e-3", "2,0"], [0.0015, 2], "decimal ','"),
    ],
)
def test_decimal_commas_and_thousands_are_read_and_said(
    tmp_path: Path, values: list[str], numbers: list[float], said: str
) -> None:
    table = read(tmp_path, rows(*values))
    assert table.frame["v"].tolist() == numbers
    assert table.notes == (f"read as: separator ';', {said} (data.reading)",)


def test_a_quoted_decimal_comma_between_commas_is_read(tmp_path: Path) -> None:
    table = read(tmp_path, rows('"0,5"', '"1,5"', separator=","))
    assert table.frame["v"].tolist() == [0.5, 1.5]
    assert table.notes == ("read as: decimal ',' (data.reading)",)


def test_one_column_with_decimal_commas_is_one_column(tmp_path: Path) -> None:
    table = read(tmp_path, "load\n0,5\n1,5\n2,5\n")
    assert table.frame.to_dict("list") == {"load": [0.5, 1.5, 2.5]}
    assert table.notes == ("read as: separator none, one column, decimal ',' (data.reading)",)


def test_dates_with_points_are_no_numbers_where_points_group(tmp_path: Path) -> None:
    table = read(tmp_path, "d;v\n01.02.2021;1.100,5\n02.02.2021;1.200,5\n")
    assert table.frame["d"].tolist() == ["01.02.2021", "02.02.2021"]
    assert table.frame["v"].tolist() == [1100.5, 1200.5]


@pytest.mark.parametrize(("separator", "value"), [(";", "1.234"), (";", "1,234"), (",", '"1,234"')])
def test_what_can_be_read_in_two_ways_is_refused_when_used(
    tmp_path: Path, separator: str, value: str
) -> None:
    content = rows(value, value, separator=separator)
    mark = "." if "." in value else ","
    frame = read(tmp_path, content).frame
    message = (
        rf"column 'v' must hold numbers, but '1\{mark}234' in data row 0 \(counted from 0\) can be "
        rf"read in two ways; set data\.reading\.decimal: '\{mark}' or "
        rf"data\.reading\.thousands: '\{mark}'"
    )
    with pytest.raises(DataError, match=message):
        numeric_columns(frame)
    with pytest.raises(DataError, match=message):
        matrix(frame, ["v"])
    assert numeric_columns(frame, ("v",)) == []
    assert read(tmp_path, content, decimal=mark).frame["v"].tolist() == [1.234, 1.234]
    assert read(tmp_path, content, thousands=mark).frame["v"].tolist() == [1234, 1234]


def test_other_columns_tell_how_a_doubtful_one_is_read(tmp_path: Path) -> None:
    comma = read(tmp_path, "a;b\n1.234;0,5\n2.345;1,5\n").frame
    assert comma["a"].tolist() == [1234, 2345]
    point = read(tmp_path, "a;b\n1.234;0.5\n2.345;1.5\n").frame
    assert point["a"].tolist() == [1.234, 2.345]


def test_a_point_between_commas_is_a_decimal_point_and_said(tmp_path: Path) -> None:
    table = read(tmp_path, rows("1.234", "2.345", separator=","))
    assert table.frame["v"].tolist() == [1.234, 2.345]
    (note,) = table.notes
    assert "'1.234' and its like are read with a decimal point" in note
    assert "data.reading.thousands: '.'" in note


def test_a_decimal_comma_far_from_the_beginning_is_read(tmp_path: Path) -> None:
    content = "t;c\n" + "".join(f"{n};{n}\n" for n in range(200_000)) + "7;1.000,5\n"
    table = read(tmp_path, content)
    assert table.frame["c"].iloc[-1] == 1000.5
    assert table.reading.decimal == ","


def test_words_among_numbers_are_refused_with_the_option_that_mends_it(tmp_path: Path) -> None:
    content = "t,c\n1,2.5\n2,?\n3,4\n4,-\n5,?\n6,7\n7,8\n"
    frame = read(tmp_path, content).frame
    message = (
        r"column 'c' must hold numbers, but got '\?' in data row 1 \(counted from 0\); 3 of 7 are "
        r"none \('\?', '-'\); if that is a missing value, set data\.reading\.missing_values: "
        r'\["\?", "-"\] and data\.missing: mask, or leave the column out with data\.drop: \[c\]'
    )
    for use in (lambda: numeric_columns(frame), lambda: matrix(frame, ["t", "c"])):
        with pytest.raises(DataError, match=message) as caught:
            use()
        assert len(str(caught.value)) < 300
    mended = read(tmp_path, content, missing_values=("?", "-")).frame
    np.testing.assert_array_equal(mended["c"], [2.5, np.nan, 4, np.nan, np.nan, 7, 8])


def test_words_among_decimal_commas_are_told_from_them(tmp_path: Path) -> None:
    frame = read(tmp_path, rows("2,5", "---", "4,5", "#N/V", "6")).frame
    with pytest.raises(DataError, match=r"got '---' in data row 1 .*; 2 of 5 are none"):
        numeric_columns(frame)


def test_one_word_far_from_the_beginning_is_found(tmp_path: Path) -> None:
    content = "t,c\n" + "".join(f"{n},{n}.5\n" for n in range(150_000)) + "1,bad\n"
    frame = read(tmp_path, content).frame
    with pytest.raises(DataError, match=r"got 'bad' in data row 150000 .* 1 of 150001 are none"):
        numeric_columns(frame)


def test_columns_of_words_are_left_to_whoever_asks(tmp_path: Path) -> None:
    frame = read(tmp_path, "t,kind,code\n1,a,A1\n2,b,2\n3,c,B7\n").frame
    assert numeric_columns(frame) == ["t"]
    with pytest.raises(DataError, match=r"must hold numbers, but got 'a' in data row 0"):
        matrix(frame, ["kind"])


def test_a_number_as_mark_is_missing_however_it_is_written(tmp_path: Path) -> None:
    table = read(tmp_path, "t,c\n1,-999\n2,2.5\n3,-999.0\n", missing_values=(-999,))
    assert table.frame["c"].isna().tolist() == [True, False, True]


def test_words_for_missing_values_in_texts_are_said(tmp_path: Path) -> None:
    content = "t,land,x\n1,NA,NA\n2,DE,1.5\n3,NA,null\n"
    table = read(tmp_path, content)
    assert table.frame["land"].isna().tolist() == [True, False, True]
    assert table.frame["x"].isna().tolist() == [True, False, True]
    (note,) = table.notes
    assert "2 × 'NA' in column 'land'" in note
    assert "data.reading.usual_missing_values: false" in note
    kept = read(
        tmp_path, content.replace("null", "2").replace("NA,NA", "NA,3"), usual_missing_values=False
    )
    assert kept.frame["land"].tolist() == ["NA", "DE", "NA"]
    assert kept.notes == ()


def test_a_column_whose_beginning_is_words_for_missing_values_is_said(tmp_path: Path) -> None:
    lines = [f"{n},None" for n in range(100_000)] + ["1,Easter"]
    table = read(tmp_path, "\n".join(["t,holiday", *lines]))
    assert table.frame["holiday"].dropna().tolist() == ["Easter"]
    assert "100000 × 'None' in column 'holiday'" in table.notes[0]
    numbers = read(tmp_path, "\n".join(["t,x", *lines[:-1], "1,2.5"]))
    assert numbers.frame["x"].dropna().tolist() == [2.5]


def test_signs_of_per_cent_and_money_are_said(tmp_path: Path) -> None:
    table = read(tmp_path, "t,share\n1,5 %\n2,6%\n3,7.5 %\n")
    (note,) = table.notes
    assert "column 'share' is text, not numbers: its values have signs, as '5 %'" in note
    with pytest.raises(DataError, match=r"take such signs out"):
        matrix(table.frame, ["share"])


def test_truths_have_a_type_with_and_without_missing_ones(tmp_path: Path) -> None:
    frame = read(tmp_path, "t,a,b\n1,true,True\n2,false,\n3,true,False\n").frame
    assert [str(frame[name].dtype) for name in "ab"] == ["bool", "boolean"]
    assert numeric_columns(frame) == ["t", "a", "b"]
    np.testing.assert_array_equal(matrix(frame, ["a", "b"], "mask")[:, 1], [1, np.nan, 0])


def test_whole_numbers_beyond_doubles_are_said(tmp_path: Path) -> None:
    table = read(tmp_path, "t,id\n1,9007199254740993\n2,5\n")
    assert table.frame["id"].tolist()[0] == 9007199254740993
    assert "column 'id' has whole numbers beyond 2^53" in table.notes[0]


def test_texts_that_are_numbers_are_columns_of_numbers() -> None:
    frame = pd.DataFrame({"a": ["0.5", "1.5"], "b": ["?", "-"], "c": ["x", "1"]}, dtype="str")
    assert numeric_columns(frame[["a"]]) == ["a"]
    assert numeric_columns(frame[["b"]]) == []


def test_mostly_marks_are_numbers_that_are_missing() -> None:
    frame = pd.DataFrame({"a": ["?"] * 6 + ["1", "2"]}, dtype="str")
    with pytest.raises(
        DataError, match=r"got '\?' in data row 0 .*6 of 8 are none; .*missing_values: "
    ):
        numeric_columns(frame)


def test_many_columns_are_not_all_listed_and_steps_are_told() -> None:
    frame = pd.DataFrame({"id": ["a"], **{f"d_{n}": [n] for n in range(400)}})
    with pytest.raises(DataError, match=r'401 in all.*wide: "d_\*".*data.series: id') as caught:
        require_columns(frame, ["sales"], "target")
    assert len(str(caught.value)) < 300
    with pytest.raises(DataError, match=r"its columns are: a\.$"):
        require_columns(pd.DataFrame({"a": [1]}), ["sales"], "target")


def test_words_among_objects_are_told_as_words_are() -> None:
    column = pd.Series([1, "?", None, 4], dtype=object)
    with pytest.raises(DataError, match=r"got '\?' in data row 1 .*missing_values: \[\"\?\"\]"):
        matrix(pd.DataFrame({"sales": column}), ["sales"], "mask")


def test_a_long_name_leaves_the_message_below_300_signs() -> None:
    frame = pd.DataFrame({"Photovoltaik [MWh] Berechnete Auflösungen ": ["-", *"123456"]})
    with pytest.raises(DataError, match=r"data.missing: mask") as caught:
        matrix(frame.astype("str"), list(frame.columns))
    assert len(str(caught.value)) < 300
