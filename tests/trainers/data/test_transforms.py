"""Targets as they are, and their logarithms: what is trained on, what is said in own units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.choices import load_choices
from trainers.data.interface import Interface
from trainers.data.own_units import own_units
from trainers.errors import DataError

VALUES = [float(n * n % 17) for n in range(40)]


def windows(folder: Path, values: list[float] = VALUES, **options: Any) -> SequenceData:
    pd.DataFrame({"load": values}).to_csv(folder / "t.csv", index=False)
    given = {"path": "t.csv", "target": "load", "input_steps": 3, **options}
    return load_data("csv", given, base_dir=folder)


def sequences(folder: Path, values: list[float] = VALUES, **options: Any) -> SequenceData:
    ids = [n // 4 for n in range(len(values))]
    frame = pd.DataFrame({"id": ids, "x": np.arange(len(values)), "load": values})
    frame.to_csv(folder / "t.csv", index=False)
    given = {"path": "t.csv", "sequence": "id", "target": "load", "task": "regression", **options}
    return load_data("table", given, base_dir=folder)


def last_targets(data: SequenceData, transformed: bool = False) -> np.ndarray[Any, Any]:
    """Targets of the training part's last steps, in own units."""
    values = np.asarray(data.train.targets)[:, -1]
    if not transformed:
        return own_units(data, values)
    assert data.target_scale is not None
    assert data.target_shift is not None
    return values * data.target_scale + data.target_shift


@pytest.mark.parametrize("load", [windows, sequences])
def test_logarithms_are_scaled_and_undone(tmp_path, load):
    plain, logs = load(tmp_path), load(tmp_path, target_transform="log1p")
    assert logs.target_transform == "log1p"
    assert logs.digest != plain.digest
    own = last_targets(plain)
    np.testing.assert_allclose(last_targets(logs), own, atol=1e-5)
    np.testing.assert_allclose(last_targets(logs, transformed=True), np.log1p(own), atol=1e-5)
    trained_on = np.asarray(logs.train.targets)
    if load is sequences:  # every row of training has one target
        assert abs(trained_on.mean()) < 1e-5
        assert trained_on.std() == pytest.approx(1)
    np.testing.assert_array_equal(np.asarray(plain.train.inputs), np.asarray(logs.train.inputs))


@pytest.mark.parametrize("load", [windows, sequences])
def test_targets_are_left_as_they_are_beside_scaled_inputs(tmp_path, load):
    plain, data = load(tmp_path), load(tmp_path, scale_targets=False)
    np.testing.assert_array_equal(np.asarray(data.train.inputs), np.asarray(plain.train.inputs))
    assert (data.target_scale, data.target_shift) == (1, 0)
    assert set(np.asarray(data.train.targets)[:, -1, 0].tolist()) <= set(VALUES)


def test_series_are_left_as_they_are_too(tmp_path):
    frame = pd.DataFrame({"shop": ["a"] * 20 + ["b"] * 20, "load": VALUES})
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {"path": "t.csv", "target": "load", "series": "shop", "input_steps": 3}
    options |= {"scale_by": "series", "scale_targets": False}
    data = load_data("csv", options, base_dir=tmp_path)
    assert data.train.rescale is None
    assert set(np.asarray(data.train.targets)[:, -1, 0].tolist()) <= set(VALUES)


def test_a_target_without_a_logarithm_is_refused_with_its_row(tmp_path):
    wrong = [*VALUES[:5], -1.5, *VALUES[6:]]
    says = r"log1p needs targets > -1, but 'load' is -1.5 in data row 5 \(counted from 0\); set"
    with pytest.raises(DataError, match=says):
        windows(tmp_path, wrong, target_transform="log1p")
    with pytest.raises(DataError, match=r"'load' is -1.5 in data row 5 .* of t.csv; set data.tar"):
        sequences(tmp_path, wrong, target_transform="log1p")
    assert windows(tmp_path, wrong).target_transform == "none"


def test_a_series_row_is_named_within_its_series_and_by_its_time(tmp_path):
    frame = pd.DataFrame(
        {"shop": ["a"] * 20 + ["b"] * 20, "load": [*VALUES[:23], -2.0, *VALUES[24:]]}
    )
    frame["time"] = [f"2024-01-{n % 20 + 1:02d}" for n in range(40)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {"path": "t.csv", "target": "load", "series": "shop", "input_steps": 3}
    options |= {"target_transform": "log1p", "drop": ["time"]}
    with pytest.raises(DataError, match=r"data row 3 \(counted from 0\) of series 'b'"):
        load_data("csv", options, base_dir=tmp_path)
    with pytest.raises(DataError, match=r"the row of 2024-01-04.* of series 'b'"):
        load_data("csv", {**options, "time_column": "time", "drop": []}, base_dir=tmp_path)


def test_classes_have_no_logarithm(tmp_path):
    with pytest.raises(DataError, match="target_transform only for numbers"):
        windows(tmp_path, task="classification", target_transform="log1p")
    with pytest.raises(DataError, match="target_transform only for numbers"):
        sequences(tmp_path, task="classification", target_transform="log1p")


def test_choices_are_judged_in_own_units_but_have_no_loss_in_common(tmp_path):
    windows(tmp_path)
    options = {"path": "t.csv", "target": "load", "input_steps": 3}
    drawn = {"target_transform": ["none", "log1p"]}
    choices = load_choices("csv", options, drawn, base_dir=tmp_path)
    assert len(choices.by_key) == 2
    assert not choices.have_one_loss


def test_an_interface_of_before_knows_no_transform(tmp_path):
    data = windows(tmp_path, target_transform="log1p")
    plain = json.loads(json.dumps(Interface.of(data).to_dict()))
    found = Interface.from_dict(plain)
    assert (found.target_transform, found.reading.transform) == ("log1p", "log1p")
    del plain["target_transform"], plain["reading"]["transform"]
    assert Interface.from_dict(plain).target_transform == "none"
