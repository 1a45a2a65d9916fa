"""Tables and texts without targets, laid out as those the network was trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainers.data import load_data
from trainers.data.interface import Interface
from trainers.data.reading import TextReading
from trainers.data.readings import reading_from_dict
from trainers.data.sequences.reading import TableReading
from trainers.data.unlabelled import read_unlabelled
from trainers.errors import DataError
from trainers.use.records import Encoder


def interface(size: int = 2, **fields: object) -> Interface:
    return Interface("d", "regression", "x", size, 1, ids=False, one_target=True, **fields)


def write(path: Path, **columns: object) -> Path:
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_windows_of_a_table_are_those_that_training_saw(tmp_path: Path):
    rows = np.arange(40.0)
    hours = pd.date_range("2026-01-01", periods=40, freq="h")
    path = write(tmp_path / "load.csv", time=hours, load=rows**2, price=100 - rows)
    options = {
        "path": str(path),
        "target": "load",
        "input_steps": 3,
        "steps_ahead": 2,
        "time_column": "time",
        "calendar": True,
        "known_ahead": ["price"],
    }
    data = load_data("csv", options, base_dir=tmp_path)
    kept = Interface.of(data)
    found = read_unlabelled(path, kept)
    # The last two rows have no price two rows later. Answers have the time of their target.
    assert len(found) == len(range(2, 38))
    assert found[0].targets == ({"time": "2026-01-01 04:00:00"},)
    encoder = Encoder(kept)
    windows = [encoder.encode(one.record, "window").inputs for one in found]
    np.testing.assert_array_equal(np.stack(windows[: len(data.train)]), data.train.inputs)
    np.testing.assert_array_equal(windows[-1], data.test.inputs[-1])


EARLIER = {"kind": "windows", "columns": ["a"], "input_steps": 2, "output_steps": 1}
SCATTERED = {
    "input_scale": (2.0,),
    "input_shift": (1.0,),
    "target_scale": (3.0,),
    "target_shift": (0.0,),
    "target_names": ("y",),
}


def windows_of_a():
    """What an earlier release kept of windows over the column `a`."""
    return reading_from_dict({**EARLIER, "steps_ahead": 1, "stamps": None}, SCATTERED)


def test_gaps_are_masked_at_a_windows_end_too_and_earlier_releases_are_understood(tmp_path: Path):
    path = write(tmp_path / "t.csv", a=[1, 2, None, 4, 5])
    found = read_unlabelled(path, interface(1, reading=windows_of_a()))
    assert [one.targets for one in found] == [({"row": row},) for row in (2, 3, 4, 5)]
    assert found[0].forecasts == ("y",)
    masks = [one.record["asked"].present.tolist() for one in found]
    assert masks == [[True, True], [True, False], [False, True], [True, True]]
    assert found[3].record["asked"].inputs.tolist() == [[1.5], [2.0]]


def test_sequences_go_by_id_and_order(tmp_path: Path):
    path = write(tmp_path / "t.csv", who=["x", "y", "x"], at=[2, 7, 1], a=[1, 2, 3], b=[4, 5, 6])
    found = read_unlabelled(path, interface(reading=TableReading(("b", "a"), "who", "at")))
    assert [one.key for one in found] == [{"who": "x"}, {"who": "y"}]
    assert found[0].steps == {"at": [1, 2]}
    np.testing.assert_array_equal(found[0].record["steps"], [[6, 3], [4, 1]])


def test_a_table_of_an_own_source_has_a_column_a_number(tmp_path: Path):
    path = write(tmp_path / "t.csv", sequence=[0, 0, 1], a=[1, 2, 3], b=[4, 5, 6])
    found = read_unlabelled(path, interface())
    assert [one.key for one in found] == [{"sequence": "0"}, {"sequence": "1"}]
    np.testing.assert_array_equal(found[0].record["steps"], [[1, 4], [2, 5]])
    with pytest.raises(DataError, match=r"a step has 3 numbers, but .* has 2 numeric columns"):
        read_unlabelled(path, interface(3))
    with pytest.raises(DataError, match="names the column 'c'"):
        read_unlabelled(path, interface(input_names=("a", "c")))


def test_texts_are_lines_or_a_whole_file(tmp_path: Path):
    path = tmp_path / "t.txt"
    path.write_text("Good film.\n\nBad one.\n")
    by_line = TextReading("word", lowercase=True, max_length=2, by_line=True)
    lines = read_unlabelled(path, interface(reading=by_line))
    assert [one.key for one in lines] == [{"line": 1}, {"line": 3}]
    assert lines[0].steps["token"] == ["film", "."]
    (whole,) = read_unlabelled(path, interface(reading=TextReading("character", lowercase=False)))
    assert whole.steps["token"][:4] == ["G", "o", "o", "d"]
    table = write(tmp_path / "t.csv", text=["a b", "c"])
    assert [one.record for one in read_unlabelled(table, interface(reading=by_line))] == [
        {"text": "a b"},
        {"text": "c"},
    ]


def test_records_are_read_from_json(tmp_path: Path):
    records = [{"steps": [[1, 2]]}, {"steps": [[3, 4], [5, 6]], "mask": [True, False]}]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(records))
    found = read_unlabelled(path, interface())
    assert [one.record for one in found] == records
    assert found[1].steps == {"step": [0, 1]}
    lines = tmp_path / "r.jsonl"
    lines.write_text("\n".join(json.dumps(record) for record in records))
    assert read_unlabelled(lines, interface()) == found


def test_json_rows_with_the_networks_columns_are_a_table(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"t": n, "a": n, "b": -n}) for n in range(3)))
    found = read_unlabelled(path, interface(1, reading=windows_of_a()))
    assert [one.targets for one in found] == [({"row": 2},), ({"row": 3},)]
    assert found[1].record["asked"].inputs.tolist() == [[0.0], [0.5]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.json", "{", "must be JSON"),
        ("r.json", "{}", "must be a list of records"),
        ("t.csv", "a\n1\n", r"a window has 2 rows, but .* has 1"),
        ("t.csv", "b\n1\n2\n", "names the column 'a'"),
        ("t.csv", "a\nx\ny\n", "must hold numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_one_line(
    tmp_path: Path, name: str, content: str, message: str
):
    (tmp_path / name).write_text(content)
    reading = windows_of_a()
    with pytest.raises(DataError, match=message):
        read_unlabelled(tmp_path / name, interface(1, reading=reading))


def test_ids_without_a_vocabulary_need_records(tmp_path: Path):
    ids = Interface("d", "regression", "x", 9, 1, ids=True, one_target=True)
    with pytest.raises(DataError, match="reads JSON records"):
        read_unlabelled(tmp_path / "t.csv", ids)
