"""What is kept of a data set so that a model can be used where the data are not."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.choices import load_choices
from trainers.data.contract import Category
from trainers.data.interface import (
    INTERFACE_FILE,
    Interface,
    interface_file,
    read_interface,
    write_interface,
    write_interfaces,
)
from trainers.data.reading import TextReading
from trainers.data.sequences.reading import TableReading
from trainers.data.series.reading import WindowReading
from trainers.data.tables.reading_options import ReadingOptions
from trainers.errors import DataError


@pytest.fixture
def series(tmp_path: Path) -> Path:
    rows = np.arange(40.0)
    frame = pd.DataFrame({"load": rows, "price": 100 - rows, "note": "x"})
    frame.insert(0, "time", pd.date_range("2026-01-01", periods=40, freq="h"))
    frame.to_csv(tmp_path / "load.csv", index=False)
    return tmp_path


OPTIONS = {"path": "load.csv", "target": "load", "input_steps": 3, "steps_ahead": 2}


def test_raw_inputs_scaled_by_the_interface_are_the_networks_inputs(series: Path):
    options = {**OPTIONS, "known_ahead": ["price"], "time_column": "time", "calendar": True}
    data = load_data("csv", options, base_dir=series)
    kept = Interface.of(data)
    assert kept.input_names[:2] == ("load", "price")
    assert kept.input_names[-1] == "price+2"
    # The first window: rows 0 to 2, the price known two rows later.
    raw = np.column_stack([np.arange(3.0), 100 - np.arange(3.0), 98 - np.arange(3.0)])
    scale, shift = np.array(kept.input_scale), np.array(kept.input_shift)
    chosen = [0, 1, 6]
    scaled = (raw - shift[chosen]) / scale[chosen]
    np.testing.assert_array_equal(
        scaled.astype(np.float32), data.train.inputs[0][:, chosen], strict=True
    )
    np.testing.assert_array_equal(scale[2:6], 1.0)
    np.testing.assert_array_equal(shift[2:6], 0.0)


def test_an_interface_comes_back_from_its_file(series: Path):
    data = load_data("csv", OPTIONS, base_dir=series)
    write_interface(data, series)
    kept = read_interface(series)
    assert kept == Interface.of(data)
    assert isinstance(kept.reading, WindowReading)
    assert kept.reading.raw_names == ("load", "price")
    assert (kept.reading.table.decimal, kept.reading.table.header) == (".", True)
    assert (kept.digest, kept.outputs) == (data.digest, ("load",))
    assert [path.name for path in series.glob("data*")] == [INTERFACE_FILE]


def test_categories_are_kept_and_those_of_older_files_are_none(series: Path):
    shop = Category(1, "shop", ("north", "south"), 2)
    data = dataclasses.replace(load_data("csv", OPTIONS, base_dir=series), categories=(shop,))
    write_interface(data, series)
    assert read_interface(series).categories == (shop,)
    values = json.loads((series / INTERFACE_FILE).read_text())
    del values["categories"]
    assert Interface.from_dict(values).categories == ()


def test_each_choice_of_data_has_a_file_of_its_own(series: Path):
    choices = load_choices("csv", OPTIONS, {"input_steps": [3, 5]}, base_dir=series)
    write_interfaces(choices.by_key, series)
    files = sorted(path.name for path in series.glob("data*"))
    assert files == sorted(interface_file(key) for key in choices.by_key)
    assert all(re.fullmatch(r"data-[0-9a-f]{12}\.json", name) for name in files)
    for key, data in choices.by_key.items():
        assert read_interface(series, key) == Interface.of(data)


@pytest.mark.parametrize("content", [None, "{", '{"name": "x"}', "[]"])
def test_a_file_that_is_none_is_one_line(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / INTERFACE_FILE).write_text(content)
    with pytest.raises(DataError, match=r"a model needs .*data\.json.*running the sweep again"):
        read_interface(tmp_path)


def test_tables_and_texts_say_how_they_are_read(tmp_path: Path):
    rows = [
        (walker, step, float(step), "ab"[walker % 2]) for walker in range(20) for step in (2, 1)
    ]
    frame = pd.DataFrame(rows, columns=["walker", "step", "x", "kind"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {
        "path": "t.csv",
        "sequence": "walker",
        "order": "step",
        "target": "kind",
        "task": "classification",
        "alignment": "one_label",
    }
    table = Interface.of(load_data("table", options, base_dir=tmp_path))
    terms = ReadingOptions(decimal=".", header=True)
    assert isinstance(table.reading, TableReading)
    assert table.reading.is_plain
    encoding = table.reading.encoding
    assert table.reading == TableReading(("x",), "walker", "step", terms, encoding)
    assert (table.input_names, table.outputs) == (("x",), ("a", "b"))
    assert (table.input_scale, table.input_shift) == ((0.5,), (1.5,))

    (tmp_path / "t.txt").write_text("Hello World. " * 20)
    text = Interface.of(load_data("text", {"path": "t.txt"}, base_dir=tmp_path))
    assert text.reading == TextReading("character", lowercase=False)
    assert text.ids
    lines = [f"word{n % 3} is {n}\t{n % 2}" for n in range(40)]
    (tmp_path / "l.txt").write_text("\n".join(lines))
    labelled = load_data("tokens", {"path": "l.txt", "max_length": 2}, base_dir=tmp_path)
    assert labelled.reading == TextReading("word", lowercase=True, max_length=2, by_line=True)


def test_scaling_is_no_part_of_the_digest_and_must_fit(tmp_path: Path):
    def own(**more: Any) -> dict[str, Any]:
        part = {"inputs": np.ones((4, 3, 2)), "targets": np.ones((4, 3, 1))}
        return {"task": "regression", "train": part, "validation": part, **more}

    def load(**more: Any) -> SequenceData:
        return load_data("own.py:load", more, base_dir=tmp_path, function=own)

    plain = load()
    given = {"input_scale": [2, 3], "input_shift": [0, 1], "input_names": ["a", "b"]}
    scaled = load(**given)
    assert scaled.digest == plain.digest
    assert Interface.of(scaled).input_scale == (2.0, 3.0)
    assert Interface.of(plain).outputs == ("y",)
    with pytest.raises(DataError, match="input_scale must hold 2 finite numbers"):
        load(input_scale=[2.0])
    with pytest.raises(DataError, match="`input_scale > 0` must hold"):
        load(input_scale=[2.0, 0.0])


def test_outputs_without_names_are_numbered(tmp_path: Path):
    data = load_data("shapes", {"shape": "one-to-one"}, base_dir=tmp_path)
    two = dataclasses.replace(Interface.of(data), target_names=(), output_size=2)
    assert two.outputs == ("y0", "y1")
    assert dataclasses.replace(two, task="classification").outputs == ("0", "1")
