"""The real Appliances series, against figures computed independently of this code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainers.data import load_data
from trainers.data.builtin import appliances
from trainers.data.builtin.download import RemoteFile


def test_parts_are_divided_by_target_row(appliances_csv: Path) -> None:
    data = load_data("appliances", {"path": str(appliances_csv)}, base_dir=Path())
    # 24 steps have no room before the first target; 25 sensors and own past, 4 of the calendar.
    assert data.train.inputs.shape == (13_814 - 24, 24, 30)
    assert data.validation.inputs.shape == (16_774 - 13_814, 24, 30)
    assert data.test is not None
    assert data.test.inputs.shape == (19_735 - 16_774, 24, 30)
    assert data.units == "Wh"


@pytest.mark.parametrize(("steps_ahead", "rmse"), [(1, 66.84), (6, 101.66)])
def test_persistence_over_the_test_windows_gives_the_published_error(
    appliances_csv: Path, steps_ahead: int, rmse: float
) -> None:
    values = {"path": str(appliances_csv), "steps_ahead": steps_ahead, "input_steps": 12}
    data = load_data("appliances", values, base_dir=Path())
    assert data.test is not None
    assert data.target_scale is not None
    last_known = data.test.inputs[:, -1, 0].astype(np.float64)
    error = (data.test.targets[:, -1, 0] - last_known) * data.target_scale[0]
    assert np.sqrt(np.mean(error**2)) == pytest.approx(rmse, abs=0.005)


def test_targets_in_own_units_are_the_files(appliances_csv: Path) -> None:
    data = load_data("appliances", {"path": str(appliances_csv)}, base_dir=Path())
    assert data.target_scale is not None
    assert data.target_shift is not None
    own = data.train.targets[:2, -1] * data.target_scale + data.target_shift
    # Rows 24 and 25 of the file.
    lines = appliances_csv.read_text().splitlines()
    expected = [[float(lines[1 + row].split(",")[1])] for row in (24, 25)]
    np.testing.assert_allclose(own, expected, rtol=1e-5)


def test_without_a_path_the_file_is_fetched_into_the_cache(
    appliances_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[RemoteFile, Path]] = []

    def fetch(remote: RemoteFile, folder: Path) -> Path:
        asked.append((remote, folder))
        return appliances_csv

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(appliances, "fetch", fetch)
    fetched = load_data("appliances", {}, base_dir=Path())
    given = load_data("appliances", {"path": str(appliances_csv)}, base_dir=Path())
    assert asked == [(appliances.UCI_FILE, tmp_path / "rnn-sweep")]
    assert fetched.digest == given.digest


def test_targets_may_be_transformed_or_left_as_they_are(appliances_csv: Path) -> None:
    given = {"path": str(appliances_csv), "inputs": ["Appliances"]}
    logs = load_data("appliances", {**given, "target_transform": "log1p"}, base_dir=Path())
    assert logs.target_transform == "log1p"
    plain = load_data("appliances", {**given, "scale_targets": False}, base_dir=Path())
    lines = appliances_csv.read_text().splitlines()
    assert plain.train.targets[0, -1] == pytest.approx(float(lines[1 + 24].split(",")[1]))
