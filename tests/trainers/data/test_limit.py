"""`data.limit`: the beginning of every part, from any source; the rest is as if never loaded."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.contract import SequenceSet
from trainers.data.limit import limited
from trainers.errors import DataError


def streams(series: int = 4, steps: int = 6) -> dict[str, Any]:
    ids = np.arange(series * steps).reshape(series, steps) % 5
    part = {"inputs": ids, "targets": ids, "resets": ids == 0}
    return {"task": "classification", "train": part, "validation": part, "walk": "stream"}


def write_sources(folder: Path) -> None:
    rows = np.arange(400.0)
    pd.DataFrame({"a": rows, "y": np.sin(rows)}).to_csv(folder / "series.csv", index=False)
    table = {"id": np.repeat(np.arange(30), 4), "x": rows[:120], "c": np.repeat(["u", "v"], 60)}
    pd.DataFrame(table).to_csv(folder / "table.csv", index=False)
    (folder / "play.txt").write_text("to be or not to be\n" * 40)
    (folder / "lines.txt").write_text("a good one\tyes\nnot a good one\tno\n" * 20)


CSV = {"path": "series.csv", "target": "y", "input_steps": 8}
TABLE = {"path": "table.csv", "sequence": "id", "target": "c", "task": "classification"}
SOURCES: list[tuple[str, dict[str, Any]]] = [
    ("csv", CSV),
    ("csv", {**CSV, "targets": "every", "stride": 3}),
    ("table", {**TABLE, "alignment": "one_label"}),
    ("tokens", {"path": "lines.txt"}),
    ("adding", {"min_length": 5, "max_length": 9, "train_sequences": 50}),
    ("copy", {"delay": 3, "train_sequences": 50}),
    ("shapes", {"shape": "many-to-one"}),
    ("digits", {}),
    ("digits-pixels", {}),
]
IDS = [f"{source}-{number}" for number, (source, _) in enumerate(SOURCES)]


def equal(one: Any, other: Any) -> bool:
    return (one is None and other is None) or np.array_equal(one, other)


@pytest.mark.parametrize(("source", "options"), SOURCES, ids=IDS)
def test_the_first_sequences_of_each_part_are_kept_as_they_were(
    source: str, options: dict[str, Any], tmp_path: Path
) -> None:
    write_sources(tmp_path)
    whole = load_data(source, options, base_dir=tmp_path)
    few = load_data(source, options, base_dir=tmp_path, limit=3)
    assert few.digest != whole.digest
    assert (few.input_size, few.output_size, few.tokens) == (
        whole.input_size, whole.output_size, whole.tokens,
    )  # fmt: skip
    for name, part in few.parts().items():
        kept = whole.parts()[name]
        assert len(part) == 3
        for field in ("inputs", "targets", "input_mask", "target_mask", "resets"):
            all_rows = getattr(kept, field)
            assert equal(getattr(part, field), None if all_rows is None else all_rows[:3]), field
    assert few.notes[-1].startswith("data.limit=3: the first 3 sequences of train")


def test_a_stream_keeps_its_first_steps(tmp_path: Path) -> None:
    write_sources(tmp_path)
    whole = load_data("text", {"path": "play.txt"}, base_dir=tmp_path)
    few = load_data("text", {"path": "play.txt"}, base_dir=tmp_path, limit=10)
    assert few.train.inputs.shape == few.validation.inputs.shape == (1, 10)
    assert np.array_equal(few.train.targets, whole.train.targets[:, :10])
    assert few.tokens == whole.tokens
    assert few.notes[-1] == "data.limit=10: the first 10 steps of train, 10 steps of validation"


@pytest.mark.parametrize(
    ("limit", "shape"), [(1, (1, 1)), (4, (1, 4)), (6, (1, 6)), (17, (2, 6)), (99, (4, 6))]
)
def test_a_stream_of_several_series_keeps_whole_ones_after_the_first(
    limit: int, shape: tuple[int, int], tmp_path: Path
) -> None:
    data = load_data("own.py:streams", {}, base_dir=tmp_path, limit=limit, function=streams)
    assert data.train.inputs.shape == data.train.targets.shape == shape
    assert data.train.resets is not None
    assert data.train.resets.shape == shape


def test_a_limit_that_cuts_nothing_leaves_the_digest_alone(tmp_path: Path) -> None:
    write_sources(tmp_path)
    whole = load_data("csv", CSV, base_dir=tmp_path)
    assert load_data("csv", CSV, base_dir=tmp_path, limit=10_000).digest == whole.digest


def test_the_scaling_is_that_of_all_training_rows(tmp_path: Path) -> None:
    write_sources(tmp_path)
    whole = load_data("csv", CSV, base_dir=tmp_path)
    few = load_data("csv", CSV, base_dir=tmp_path, limit=2)
    assert np.array_equal(few.input_scale, whole.input_scale)
    assert np.array_equal(few.target_shift, whole.target_shift)


def test_few_windows_travel_without_the_long_series(tmp_path: Path) -> None:
    write_sources(tmp_path)
    few = load_data("csv", CSV, base_dir=tmp_path, limit=2)
    assert len(pickle.dumps(few.train)) < 2_000


def test_a_function_may_not_take_the_limit_for_itself(tmp_path: Path) -> None:
    def taken(limit: int = 3) -> dict[str, Any]:
        return {}

    with pytest.raises(DataError, match=r"data\.limit cuts what any source loads.* rename it"):
        load_data("own.py:taken", {}, base_dir=tmp_path, function=taken)


def test_arrays_that_break_the_contract_are_left_for_its_check() -> None:
    flat = SequenceSet(np.ones(3), np.ones(3), input_mask=np.array(True))
    data = SequenceData("x", "regression", flat, flat, None, 1, 1, "")
    assert limited(data, 2).train.inputs.shape == (3,)


def test_scales_of_sequences_are_cut_with_them() -> None:
    numbers = np.zeros((5, 4, 2), np.float32)
    by = np.arange(20.0).reshape(5, 2, 2)
    part = SequenceSet(numbers, numbers, rescale=by)
    few = limited(SequenceData("x", "regression", part, part, None, 2, 2, ""), 3)
    assert np.array_equal(few.train.rescale, by[:3])
