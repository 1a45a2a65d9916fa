"""`data.reading`: its laws, its place in a source's options, and models that go on by it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from trainers.data import load_data
from trainers.data.interface import Interface
from trainers.data.readings import reading_from_dict, reading_to_dict
from trainers.data.tables.reading_options import ReadingOptions, carried
from trainers.data.unlabelled import read_unlabelled
from trainers.errors import DataError

ROWS = "".join(f"x{n};1.{n:03d},5;{'?' if n == 7 else n}\n" for n in range(40))
OPTIONS = {"path": "t.csv", "target": "load", "input_steps": 2, "missing": "mask"}


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"seperator": ";"}, r"data\.reading has no option 'seperator'; did you mean 'separator'"),
        ({"separator": 3}, r"data\.reading\.separator must be a text or null, but got 3"),
        ({"separator": "ab"}, r"data\.reading\.separator must be one character"),
        ({"decimal": ";"}, r"data\.reading\.decimal must be one of"),
        ({"decimal": ",", "thousands": ","}, r"data\.reading\.thousands must be another mark"),
        ({"encoding": "utf-9"}, r"data\.reading\.encoding must be an encoding"),
        ({"skip_rows": -1}, r"data\.reading\.skip_rows must be at least 0"),
        ({"format": "parkett"}, r"data\.reading\.format must be one of auto, csv, parquet"),
        ({"columns": ["a", "a"]}, r"data\.reading\.columns must be one name a column"),
        (";", r"data\.reading must be a section \(key: value\), but got ';'"),
    ],
)
def test_a_wrong_option_is_named_by_its_place(
    tmp_path: Path, reading: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_data("csv", {**OPTIONS, "reading": reading}, base_dir=tmp_path)


@pytest.mark.parametrize(("word", "character"), [("tab", "\t"), ("\\t", "\t"), ("comma", ",")])
def test_a_separator_may_be_a_word(word: str, character: str) -> None:
    assert ReadingOptions(separator=word).delimiter == character


def test_a_source_reads_as_it_is_told_and_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id;load;t\n" + ROWS)
    with pytest.raises(DataError, match=r"data\.reading\.missing_values: \[\"\?\"\]"):
        load_data("csv", OPTIONS, base_dir=tmp_path)
    mended = {**OPTIONS, "reading": {"missing_values": "?"}}
    data = load_data("csv", mended, base_dir=tmp_path)
    assert data.notes[0] == ("read as: separator ';', decimal ',', thousands '.' (data.reading)")
    assert data.input_names == ("load", "t")


def test_a_model_reads_further_files_on_the_same_terms(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id;load;t\n" + ROWS)
    mended = {**OPTIONS, "reading": {"missing_values": ["?"]}}
    kept = Interface.of(load_data("csv", mended, base_dir=tmp_path))
    plain = json.loads(json.dumps(kept.to_dict()))
    assert Interface.from_dict(plain) == kept
    # Tabs, another encoding, and values that would be doubtful by themselves.
    new = tmp_path / "new.csv"
    new.write_bytes(
        "id\tload\tt\tGröße\na\t1.234\t?\t1\nb\t1.235\t5\t1\nc\t1.236\t6\t1\n".encode("cp1252")
    )
    found = read_unlabelled(new, Interface.from_dict(plain))
    asked = found[0].record["asked"]
    load, t = kept.input_scale, kept.input_shift
    raw = asked.inputs * np.array(load) + np.array(t)
    assert asked.present.tolist() == [False, True]
    np.testing.assert_allclose(raw[1], [1235, 5], rtol=1e-6)


def test_readings_of_earlier_releases_are_understood() -> None:
    old = {"kind": "table", "columns": ["a"], "sequence": None, "order": None}
    reading = reading_from_dict(old, {})
    assert reading is not None
    assert reading.table == ReadingOptions()
    assert reading_from_dict(reading_to_dict(reading), {}) == reading


def test_what_numbers_mean_is_carried_and_how_files_are_written_is_not() -> None:
    given = ReadingOptions(missing_values=("?",), encoding="cp1252")
    found = ReadingOptions(
        missing_values=("?",),
        encoding="cp1252",
        separator=";",
        decimal=",",
        skip_rows=3,
        header=True,
    )
    assert carried(given, found) == ReadingOptions(
        missing_values=("?",), encoding="cp1252", decimal=",", header=True
    )
    assert ReadingOptions(**asdict(found)) == found


def test_files_of_one_folder_are_read_on_the_same_terms(tmp_path: Path) -> None:
    folder = tmp_path / "walks"
    folder.mkdir()
    for number in range(6):
        value = "0,5" if number == 0 else "1.234"
        (folder / f"w{number}.csv").write_text(f"x;y\n{value};{number}\n{value};{number}\n")
    (folder / "w6.csv.gz").write_bytes(__import__("gzip").compress(b"x;y\n1.234;6\n1.234;6\n"))
    options = {"folder": "walks", "target": "y", "task": "regression", "scaling": "none"}
    data = load_data("table", {**options, "inputs": ["x"]}, base_dir=tmp_path)
    values = np.unique(np.concatenate([part.inputs.ravel() for part in data.parts().values()]))
    np.testing.assert_array_equal(values, [0.5, 1234])
    assert sum(len(part) for part in data.parts().values()) == 7
    assert "read as: separator ';', decimal ',' (data.reading)" in data.notes


def test_tables_of_texts_are_read_in_any_dialect(tmp_path: Path) -> None:
    rows = "".join(f"Schöner Film {n};gut\nÜbler Film {n};schlecht\n" for n in range(20))
    (tmp_path / "t.csv").write_bytes(("text;label\n" + rows).encode("cp1252"))
    options = {"path": "t.csv", "text_column": "text", "label_column": "label"}
    data = load_data("tokens", options, base_dir=tmp_path)
    assert data.target_names == ("gut", "schlecht")
    assert "schöner" in data.tokens
    assert data.notes[0] == "read as: separator ';', encoding cp1252 (data.reading)"
