"""How a text table is written is found out, said in one note, and can be set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.trainers.data.tables.reading_factory import hours, read
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.table import read_table
from trainers.errors import DataError


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_nothing_is_said_of_a_plain_table(tmp_path: Path, end: str, encoding: str) -> None:
    content = ("time,a,b\n" + hours(5, ",{n},{n}.5")).replace("\n", end)
    table = read(tmp_path, content, encoding=encoding)
    assert table.notes == ()
    assert table.frame["a"].tolist() == [0, 1, 2, 3, 4]
    assert table.frame["b"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert table.frame["time"].tolist()[1] == "2021-01-01 01:00"


@pytest.mark.parametrize(
    ("separator", "said"),
    [(";", "separator ';'"), ("\t", "separator tab"), ("|", "separator '|'")],
)
def test_a_separator_is_found_and_said(tmp_path: Path, separator: str, said: str) -> None:
    content = ("time,a,b\n" + hours(9, ",{n},{n}.25")).replace(",", separator)
    table = read(tmp_path, content)
    assert table.notes == (f"read as: {said} (data.reading)",)
    assert table.frame["b"].tolist()[:2] == [0.25, 1.25]
    assert table.reading.separator == separator
    given = read(tmp_path, content, separator=separator)
    assert given.notes == ()
    assert given.frame.equals(table.frame)


def test_fields_between_spaces_of_any_number_are_found(tmp_path: Path) -> None:
    rows = [f"  {n}   {n}.5 \t {n * n}" for n in range(12)]
    table = read(tmp_path, "\n".join([" t  a b", *rows]))
    assert table.notes == ("read as: separator whitespace (data.reading)",)
    assert table.frame["b"].tolist() == [n * n for n in range(12)]


def test_separators_inside_quotes_are_text(tmp_path: Path) -> None:
    table = read(tmp_path, 'text,label\n"Good, nice; film\nof all",1\n"Bad, ""so"" bad",0\n')
    assert table.notes == ()
    assert table.frame["text"].tolist() == ["Good, nice; film\nof all", 'Bad, "so" bad']
    single = read(tmp_path, "t,text\n1,'a, b'\n2,'c, d'\n3,'e'\n")
    assert single.notes == ('read as: quote "\'" (data.reading)',)
    assert single.frame["text"].tolist() == ["a, b", "c, d", "e"]


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("# station 12\n# unit m\n", 2),
        ("Station Berlin\nmeasured by hand, 2021\n\n", 3),
        ("Station;12\nUnit;m\n", 2),
        ("Station 12;;\nall of it;;\n", 2),
        ("\n\n", 2),
    ],
    ids=["comments", "free text", "pairs", "padded", "blank"],
)
def test_lines_before_the_header_are_skipped_and_said(
    tmp_path: Path, before: str, lines: int
) -> None:
    content = before + "time;load;b\n" + hours(20, ";{n},5;{n}")
    table = read(tmp_path, content)
    said = f"separator ';', decimal ',', {lines} lines before the header"
    assert table.notes == (f"read as: {said} (data.reading)",)
    assert table.frame.columns.tolist() == ["time", "load", "b"]
    assert table.frame["load"].tolist()[:2] == [0.5, 1.5]
    assert table.reading.skip_rows == lines
    assert read(tmp_path, content, skip_rows=lines).frame.equals(table.frame)


@pytest.mark.parametrize(
    "units", [",°C,hPa", "yyyy-mm-dd,[degC],(kWh/m²)", "-,%,-", "UTC,m/s,W/m^2"]
)
def test_a_row_of_units_is_no_data(tmp_path: Path, units: str) -> None:
    content = f"time,a,b\n{units}\n" + hours(6, ",{n},{n}.5")
    table = read(tmp_path, content)
    assert table.notes == ("read as: 1 row of units (data.reading)",)
    assert table.frame["a"].tolist() == [0, 1, 2, 3, 4, 5]
    assert read(tmp_path, content, units_rows=1).frame.equals(table.frame)


def test_a_row_of_units_that_nobody_knows_may_be_said(tmp_path: Path) -> None:
    content = "time,a\nZeitpunkt,Bananen\n" + hours(6, ",{n}")
    assert read(tmp_path, content).frame.columns.tolist() == ["Zeitpunkt", "Bananen"]
    assert read(tmp_path, content, units_rows=1).frame.columns.tolist() == ["time", "a"]


def test_a_data_loggers_four_lines_are_understood(tmp_path: Path) -> None:
    head = '"TOA5","CR1000","1"\n"TIMESTAMP","RECORD","AirTC_Avg"\n"TS","RN","Deg C"\n"","","Avg"\n'
    rows = "".join(f'"2021-01-01 {n:02d}:00:00",{n},{n / 2}\n' for n in range(20))
    table = read(tmp_path, head + rows)
    assert table.notes == ("read as: 1 line before the header, 2 rows of units (data.reading)",)
    assert table.frame["AirTC_Avg"].tolist()[:3] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "rows",
    ["1,2.5,3\n2,3.5,4\n4,1.5,9\n", "5.1,3.5,setosa\n4.9,3.0,virginica\n", hours(4, ",{n},2")],
)
def test_a_table_without_a_header_has_numbered_columns(tmp_path: Path, rows: str) -> None:
    table = read(tmp_path, rows)
    assert table.frame.columns.tolist() == ["0", "1", "2"]
    assert len(table.frame) == rows.count("\n")
    (note,) = table.notes
    assert "no header (header: true if the first line has the names) (data.reading)" in note
    named = read(tmp_path, rows, header=False, columns=("x", "y", "z"))
    assert named.frame.columns.tolist() == ["x", "y", "z"]
    assert named.notes == ()
    assert len(read(tmp_path, rows, header=True).frame) == rows.count("\n") - 1


def test_numbers_that_count_may_be_names(tmp_path: Path) -> None:
    array = read(tmp_path, "0,1,2\n0.5,0.25,1.5\n0.1,0.2,0.3\n")
    assert array.frame["2"].tolist() == [1.5, 0.3]
    assert array.notes == (
        "read as: header 0, 1, 2 ... (header: false if these are data) (data.reading)",
    )
    years = read(tmp_path, "country,1990,1991,1992\nA,1.5,2,3\nB,2.5,3,4\n")
    assert years.frame["1990"].tolist() == [1.5, 2.5]
    days = read(tmp_path, "id,2021-01-01,2021-01-02\nA,1,2\nB,3,4\n")
    assert days.frame["2021-01-02"].tolist() == [2, 4]
    assert days.notes == ()


def test_a_comment_may_name_the_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "# t load\n" + "".join(f"{n} {n}.5\n" for n in range(9)))
    assert table.frame.columns.tolist() == ["t", "load"]
    assert table.frame["load"].tolist()[0] == 0.5


def test_the_comment_that_names_the_columns_may_have_others_after_it(tmp_path: Path) -> None:
    rows = "".join(f"  260,202101{day:02d},   {day}\n" for day in range(1, 28))
    table = read(tmp_path, "# BRON: KNMI\n#\n# STN,YYYYMMDD,   FH\n#\n" + rows)
    assert table.frame.columns.tolist() == ["STN", "YYYYMMDD", "FH"]
    assert table.frame["FH"].tolist() == list(range(1, 28))
    assert table.notes == ("read as: 2 lines before the header (data.reading)",)


def test_rows_of_nothing_at_the_end_are_left_out_and_said(tmp_path: Path) -> None:
    content = "Date;CO;;\n" + "".join(f"d{n};2,{n};;\n" for n in range(9)) + ";;;\n" * 3
    table = read(tmp_path, content)
    assert len(table.frame) == 9
    assert table.frame.columns.tolist() == ["Date", "CO"]
    assert table.notes[1:] == ("3 empty rows at the end are left out",)


def test_separators_at_the_ends_of_lines_make_no_column(tmp_path: Path) -> None:
    for header in ("a;b;", "a;b"):
        table = read(tmp_path, f"{header}\n1;2,5;\n3;4,5;\n")
        assert table.frame.columns.tolist() == ["a", "b"]
        assert table.frame["b"].tolist() == [2.5, 4.5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b,c\n1,2,3\n\n4,5\n6,7,8\n",
            r"t.csv, line 4: .* 3 fields, but this has 2 .*short_rows",
        ),
        ("a,b,c\n1,2,3\n4,5,6,7\n6,7,8\n6,7,8\n", r"t.csv, line 3: .* 3 fields, but this has 4"),
        (
            "a,b,c\n1,2,3\n4,5,6,7,8,9\n6,7,8\n1,2,3\n",
            r"t.csv, line 3: .* 3 fields, but this has 6",
        ),
        ("time,load\n2021-01-01,0,5\n2021-01-02,1,5\n", r"line 2: .* 2 fields, but this has 3"),
        ("a,b,a\n1,2,3\n", r"columns 0 and 2 .* both called 'a'.*data\.reading\.columns"),
        ('a,b\n1,"x\n2,y\n3,z\n', r"data\.reading\.quote"),
        (b"a,b\n1\x00,2\n", r"zero bytes.*data\.reading\.format"),
        ("a,b\n", "at least one row"),
        ("", "at least one row"),
    ],
)
def test_what_is_no_table_is_one_line_with_a_way_out(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


def test_unequal_rows_are_found_far_from_the_beginning(tmp_path: Path) -> None:
    rows = [f"{n},{n},{n}" for n in range(150_000)]
    rows[140_000] = "1,2"
    with pytest.raises(DataError, match=r"line 140002: .* but this has 2"):
        read(tmp_path, "\n".join(["a,b,c", *rows]))
    rows[140_000] = "1,2,3,4"
    with pytest.raises(DataError, match=r"line 140002: .* but this has 4"):
        read(tmp_path, "\n".join(["a,b,c", *rows]))


def test_short_rows_may_be_allowed(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8\n", short_rows="missing")
    np.testing.assert_array_equal(table.frame["c"], [3, np.nan, 8])
    assert read(tmp_path, "a,b,c\n1,2,\n4,5,\n6,7,8\n").frame["c"].isna().tolist() == [
        True,
        True,
        False,
    ]


def test_pandas_own_index_is_no_column(tmp_path: Path) -> None:
    table = read(tmp_path, ",time,load\n0,x,5\n1,y,6\n2,z,8\n")
    assert table.frame.columns.tolist() == ["time", "load"]
    (note,) = table.notes
    assert "'Unnamed: 0', counts the rows" in note
    assert "data.reading.index: false" in note
    kept = read(tmp_path, ",time,load\n0,x,5\n1,y,6\n2,z,8\n", index=False)
    assert kept.frame.columns.tolist() == ["Unnamed: 0", "time", "load"]
    twice = read(tmp_path, "Unnamed: 0.1,Unnamed: 0,x\n0,0,5\n1,1,6\n")
    assert twice.frame.columns.tolist() == ["x"]
    floats = read(tmp_path, ",x\n0.0,5\n1.0,6\n")
    assert floats.frame.columns.tolist() == ["x"]
    joined = read(tmp_path, ",x\n0,5\n1,6\n0,7\n1,8\n")
    assert joined.frame.columns.tolist() == ["x"]
    asked = read(tmp_path, "row,x\n7,5\n3,6\n", index=True)
    assert asked.frame.columns.tolist() == ["x"]


def test_a_column_without_a_name_that_is_no_index_stays(tmp_path: Path) -> None:
    table = read(tmp_path, ",load\n2021-01-01,5\n2021-01-02,6\n")
    assert table.frame["Unnamed: 0"].tolist() == ["2021-01-01", "2021-01-02"]
    assert "'Unnamed: 0'" in table.notes[0]


def test_row_names_as_r_writes_them_shift_nothing(tmp_path: Path) -> None:
    table = read(tmp_path, '"x" "y"\n"1" 0.5 1\n"2" 0.7 3\n')
    assert table.frame.to_dict("list") == {"x": [0.5, 0.7], "y": [1, 3]}


@pytest.mark.parametrize(
    ("encoding", "header"),
    [
        ("cp1252", "Zeit,Größe,Wärme €"),
        ("latin-1", "Zeit,Außentemperatur,T [°C]"),
        ("latin-1", "date,température,débit m³"),
        ("utf-16", "Zeit,Größe,Wärme"),
        ("utf-16-le", "Zeit,Größe,Wärme"),
        ("cp1250", "czas,wartość,złoty"),
        ("cp850", "Zeit,Größe,Wärme"),
        ("mac_roman", "Zeit,Größe,Wärme"),
        ("cp1251", "время,значение,нагрузка"),
    ],
)
def test_an_encoding_is_found_and_said(tmp_path: Path, encoding: str, header: str) -> None:
    table = read(tmp_path, f"{header}\n" + hours(9, ",{n},{n}"), encoding=encoding)
    assert table.frame.columns.tolist() == header.split(",")
    (note,) = table.notes
    assert note.startswith("read as: encoding ")
    assert table.reading.encoding is not None


def test_an_encoding_shows_far_from_the_beginning(tmp_path: Path) -> None:
    content = "t,place\n" + "1,Ulm\n" * 60_000 + "2,Köln\n"
    table = read(tmp_path, content, encoding="latin-1")
    assert table.frame["place"].iloc[-1] == "Köln"
    with pytest.raises(DataError, match=r"its text is not utf-8; set data\.reading\.encoding"):
        read_table(tmp_path / "t.csv", ReadingOptions(encoding="utf-8"))


@pytest.mark.parametrize("clock", ["Uhr", "CET"])
def test_blanks_inside_values_are_no_separators_where_another_has_a_header(
    tmp_path: Path, clock: str
) -> None:
    rows = "".join(f"{n:02d}.01.2021 00:00 {clock};{n},5\n" for n in range(1, 20))
    frame = read(tmp_path, "Zeit;Last\n" + rows).frame
    assert list(frame.columns) == ["Zeit", "Last"]
    assert frame["Last"].tolist() == [n + 0.5 for n in range(1, 20)]
    texts = "".join(f"this is film, number {n};good\n" for n in range(20))
    assert list(read(tmp_path, "text;label\n" + texts).frame.columns) == ["text", "label"]


def test_a_first_row_of_numbers_is_no_row_of_units(tmp_path: Path) -> None:
    rows = "".join(f"20210101 {n:02d}:00,{n}.5\n" for n in range(1, 20))
    read_ = read(tmp_path, "time,y\n20210101,0.5\n" + rows)
    assert read_.frame["time"].iloc[0] == "20210101"
    assert read_.notes == ()
    widths = "5s\t15s\t14n\n"  # as USGS writes them
    usgs = "# US\nagency\tsite\tflow\n" + widths + "USGS\t016\t1.5\n" * 9
    assert list(read(tmp_path, usgs).frame.columns) == ["agency", "site", "flow"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("0,1,2,3,4,class", "0.5,0.1,0.2,0.3,0.4,1"),
        ('"Country Name","Code","1960","1961","1962",', '"Germany","X",1,2,3,'),
        ("id,20200130,20200131,20200201,20200202", "A,1,2,3,4"),
    ],
)
def test_a_header_of_steps_with_other_names(tmp_path: Path, header: str, row: str) -> None:
    names = [name.strip('"') for name in header.split(",") if name]
    frame = read(tmp_path, header + "\n" + f"{row}\n" * 6).frame
    assert list(frame.columns) == names
    assert len(frame) == 6


def test_row_numbers_are_left_out_shuffled_and_twice(tmp_path: Path) -> None:
    shuffled = read(tmp_path, ",y\n" + "".join(f"{n * 7 % 20},{n}.5\n" for n in range(20)))
    assert list(shuffled.frame.columns) == ["y"]
    twice = read(tmp_path, ",Unnamed: 0,y\n" + "".join(f"{n},{n},{n}.5\n" for n in range(20)))
    assert list(twice.frame.columns) == ["y"]
    assert list(read(tmp_path, ",y\n3,1.5\n5,2\n5,3\n").frame.columns) == ["Unnamed: 0", "y"]


def test_names_of_columns_are_composed(tmp_path: Path) -> None:
    # As macOS may write an e with an accent: two signs.
    assert list(read(tmp_path, "t,Tempe\u0301rature\n1,2\n").frame.columns) == [
        "t",
        "Temp\u00e9rature",
    ]


def test_polish_is_not_taken_for_frames_of_dos(tmp_path: Path) -> None:
    header, names = "Czas,Zużycie,Źródło\n", ["Czas", "Zużycie", "Źródło"]
    told = header + "1,2,Wrocław Główny ąęś\n" * 9
    assert list(read(tmp_path, told, encoding="cp1250").frame.columns) == names
    short = (header + "2021-01-01 00:00,0.5,łódź\n" * 96).encode("cp1250")
    with pytest.raises(DataError, match=r"can't be told; set data.reading.encoding"):
        read(tmp_path, short)
    (tmp_path / "said.csv").write_bytes(short)
    said = read_table(tmp_path / "said.csv", ReadingOptions(encoding="cp1250"))
    assert list(said.frame.columns) == names


@pytest.mark.parametrize("remark", ["# end of file", "Quelle: DWD"])
def test_a_remark_below_is_to_be_taken_out(tmp_path: Path, remark: str) -> None:
    with pytest.raises(DataError, match=f"line 5: .* take it out of the file, if '{remark}'"):
        read(tmp_path, "t,a,b\n1,2,3\n2,3,4\n3,4,5\n" + remark + "\n")
