"""`data.limit: {first: N}` and `{last: N}`: rows of a table that are not read do not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.data import load_data
from trainers.data.limit import Limit
from trainers.errors import DataError

CSV = {"path": "t.csv", "target": "y", "input_steps": 2, "scaling": "none", "split": [0.5, 0.5, 0]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = pd.DataFrame({"y": np.arange(40) * 1.5, "x": np.arange(40)[::-1] + 0.5})
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path


def load(folder: Path, options: dict[str, Any], limit: Limit | int | None, source: str = "csv"):
    return load_data(source, options, base_dir=folder, limit=limit)


def test_parts_are_made_of_the_first_rows_alone(folder: Path) -> None:
    data = load(folder, CSV, Limit(first=10))
    assert data.train.targets[:, -1, 0].tolist() == [3.0, 4.5, 6.0]
    assert data.validation.targets[:, -1, 0].tolist() == [7.5, 9.0, 10.5, 12.0, 13.5]
    assert "data.limit: the first 10 rows of t.csv are read" in data.notes


def test_parts_are_made_of_the_last_rows_alone(folder: Path) -> None:
    data = load(folder, CSV, Limit(last=10))
    assert data.validation.targets[:, -1, 0].tolist() == [52.5, 54.0, 55.5, 57.0, 58.5]
    assert "data.limit: the last 10 of 40 rows of t.csv are read" in data.notes


def test_rows_left_out_are_as_if_the_file_never_had_them(folder: Path) -> None:
    frame = pd.read_csv(folder / "t.csv")
    frame.iloc[-20:].to_csv(folder / "short.csv", index=False)
    short = load(folder, {**CSV, "path": "short.csv", "scaling": "standard"}, None)
    limited = load(folder, {**CSV, "scaling": "standard"}, Limit(last=20))
    assert limited.digest == short.digest


def test_a_mistake_in_rows_that_are_not_read_is_none(folder: Path) -> None:
    text = (folder / "t.csv").read_text()
    (folder / "t.csv").write_text(text + "oops,1,2\n")
    assert len(load(folder, CSV, Limit(first=10)).train) == 3


def test_sequences_and_rows_may_both_be_limited(folder: Path) -> None:
    data = load(folder, CSV, Limit(first=10, sequences=2))
    assert (len(data.train), len(data.validation)) == (2, 2)
    assert (
        data.notes[-1] == "data.limit=2: the first 2 sequences of train, 2 sequences of validation"
    )


def test_each_of_two_files_is_limited(folder: Path) -> None:
    late = pd.DataFrame({"y": np.arange(100, 130) * 1.0, "x": 0.5})
    late.to_csv(folder / "late.csv", index=False)
    data = load(folder, {**CSV, "test_path": "late.csv", "split": [0.5, 0.5]}, Limit(first=6))
    assert data.test is not None
    assert data.test.targets[:, -1, 0].tolist() == [102, 103, 104, 105]


def long_table(folder: Path) -> dict[str, Any]:
    ids = np.repeat(list("abcdefgh"), 3)
    frame = pd.DataFrame({"id": ids, "x": np.arange(24.0), "y": np.arange(24.0)})
    frame.to_csv(folder / "long.csv", index=False)
    return {"path": "long.csv", "sequence": "id", "target": ["y"], "task": "regression"}


def test_a_table_of_sequences_has_the_rows_that_are_read(folder: Path) -> None:
    data = load(folder, long_table(folder), Limit(first=12), "table")
    assert sum(len(part) for part in data.parts().values()) == 4


def test_labelled_texts_in_columns_are_limited(folder: Path) -> None:
    frame = pd.DataFrame({"text": [f"word {n}" for n in range(40)], "label": ["a", "b"] * 20})
    frame.to_csv(folder / "texts.csv", index=False)
    options = {"path": "texts.csv", "text_column": "text", "label_column": "label"}
    data = load(folder, options, Limit(last=20), "tokens")
    assert sum(len(part) for part in data.parts().values()) == 20


def test_a_plain_number_keeps_meaning_sequences(folder: Path) -> None:
    assert load(folder, CSV, 3).digest == load(folder, CSV, Limit(sequences=3)).digest


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        ("digits", {}, "source 'digits' reads none"),
        ("tokens", {"path": "lines.txt"}, "these are lines of text"),
        ("table", {"folder": "walks", "target": ["y"], "task": "regression"}, "a file a sequence"),
        ("table", "labels", "data.labels is another"),
    ],
)
def test_where_no_table_is_read_rows_are_refused(
    folder: Path, source: str, options: Any, reason: str
) -> None:
    (folder / "lines.txt").write_text("good\ta\nbad\tb\n" * 9)
    (folder / "walks").mkdir()
    (folder / "walks" / "one.csv").write_text("x,y\n1,2\n")
    if options == "labels":
        options = {**long_table(folder), "labels": "long.csv"}
    with pytest.raises(DataError) as caught:
        load(folder, options, Limit(first=7), source)
    message = str(caught.value)
    assert message.startswith("data.limit.first=7 counts rows of one table, but ")
    assert reason in message
    assert message.endswith("with data.limit: 7.")
    assert len(message) < 300


def test_a_function_of_ones_own_has_no_rows_to_limit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.limit\.last=7.*'own\.py:made' reads none"):
        load_data("own.py:made", {}, base_dir=tmp_path, limit=Limit(last=7), function=dict)


def test_first_and_last_together_are_refused() -> None:
    with pytest.raises(DataError, match="got first=1 and last=2"):
        Limit(first=1, last=2)
