"""Targets that are changes from the newest known value: trained on, undone, refused, asked for."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.trainers.trained_series import Trained
from trainers.config.fitting import check_structure
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.interface import Interface
from trainers.data.own_units import own_units
from trainers.errors import ConfigError, DataError
from trainers.use.onnx_export import as_onnx

SQUARES = [float(n * n) for n in range(40)]


def load(folder, frame=None, **options):
    frame = pd.DataFrame({"load": SQUARES}) if frame is None else frame
    frame.to_csv(folder / "t.csv", index=False)
    given = {"path": "t.csv", "target": "load", "input_steps": 3, **options}
    return load_data("csv", {"target_transform": "difference", **given}, base_dir=folder)


def changes(data, part="train"):
    """What is trained on, of each window."""
    return np.asarray(getattr(data, part).targets)[:, -1]


def values(data, part="train"):
    """What it means in own units."""
    found = getattr(data, part)
    return own_units(data, changes(data, part).astype(np.float64), np.asarray(found.rescale))


def test_a_change_is_from_the_windows_last_row(tmp_path):
    # n² − (n − 1)² = 2n − 1 for the targets of rows 3 … 27; unscaled
    data = load(tmp_path, scaling="none")
    np.testing.assert_allclose(changes(data)[:, 0], [2 * n - 1 for n in range(3, 28)])
    np.testing.assert_allclose(values(data)[:, 0], SQUARES[3:28])
    np.testing.assert_allclose(values(data, "test")[:, 0], SQUARES[34:])


def test_steps_of_a_horizon_are_all_from_the_same_row_and_scaled_alike(tmp_path):
    data = load(tmp_path, output_steps=2)
    np.testing.assert_allclose(values(data)[0], [9.0, 16.0], rtol=1e-5)
    assert changes(data).mean() == pytest.approx(0, abs=1e-6)
    assert changes(data).std() == pytest.approx(1, rel=1e-6)
    plain = load(tmp_path, output_steps=2, target_transform="none")
    assert plain.digest != data.digest
    np.testing.assert_array_equal(np.asarray(plain.train.inputs), np.asarray(data.train.inputs))


def test_several_targets_have_a_scale_of_change_each(tmp_path):
    frame = pd.DataFrame({"a": SQUARES, "b": [n % 5 * 100.0 for n in range(40)]})
    data = load(tmp_path, frame, target=["a", "b"], output_steps=2)
    wanted = np.array([[frame["a"][3], frame["b"][3], frame["a"][4], frame["b"][4]]])
    np.testing.assert_allclose(values(data)[:1], wanted, atol=1e-4)
    both = changes(data)
    for target in (0, 1):
        assert both[:, target::2].std() == pytest.approx(1, rel=1e-6)


def test_a_window_before_the_first_known_value_is_left_out_and_said(tmp_path):
    frame = pd.DataFrame({"load": SQUARES})
    frame.loc[:3, "load"] = np.nan
    data = load(tmp_path, frame, missing="fill", fill="mean")
    assert np.asarray(data.train.origins)[0] == 5
    assert "train: 1 windows left out, no value of the target is known before" in data.notes


def test_a_missing_value_leaves_the_newest_known_one(tmp_path):
    frame = pd.DataFrame({"load": SQUARES, "other": SQUARES})
    frame.loc[[0, 1, 2, 10], "load"] = np.nan
    data = load(tmp_path, frame, missing="mask", scaling="none")
    place = np.asarray(data.train.origins).tolist().index(11)
    assert changes(data)[place, 0] == 121 - 81


def test_series_have_scales_of_their_own(tmp_path):
    frame = pd.DataFrame({"shop": ["a"] * 40 + ["b"] * 40})
    frame["load"] = [n % 7 for n in range(40)] + [1000 * (n % 7) for n in range(40)]
    data = load(tmp_path, frame, series="shop", scale_by="series")
    own = np.asarray(data.train.series)
    np.testing.assert_allclose(changes(data)[own == 0], changes(data)[own == 1], atol=1e-5)
    rows = np.asarray(data.train.origins)
    np.testing.assert_allclose(values(data)[:, 0], frame["load"].to_numpy()[rows], atol=0.01)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"targets": "every"}, r"but got data.targets: every; set it to last, or data.target_tr"),
        ({"steps_ahead": 0}, r"but got data.steps_ahead: 0; set it to 1 or more"),
        ({"inputs": ["other"]}, r"so 'load' must be an input; add it to data.inputs"),
        ({"drop": ["load"]}, r"so 'load' must be an input"),
        ({"task": "classification"}, "target_transform only for numbers"),
    ],
)
def test_what_has_no_newest_value_is_refused(tmp_path, options, says):
    frame = pd.DataFrame({"load": SQUARES, "other": SQUARES})
    with pytest.raises(DataError, match=says) as caught:
        load(tmp_path, frame, **options)
    assert len(str(caught.value)) < 300


def test_losses_of_counts_need_other_targets(tmp_path):
    with pytest.raises(ConfigError, match=r"or changes; set .* data.target_transform: none"):
        check_structure(TrainConfig(loss="poisson").structure(), load(tmp_path))


class TestAsked:
    def trained(self, tmp_path, **options):
        frame = pd.DataFrame({"load": SQUARES, "other": np.sin(np.arange(40.0))})
        return Trained(tmp_path, frame, target_transform="difference", **options)

    def test_a_request_is_answered_from_its_newest_value(self, tmp_path):
        model = self.trained(tmp_path, input_steps=3).model
        steps = [[900.0, 0.1], [961.0, 0.2], [1024.0, 0.3]]
        higher = [[load + 500, other] for load, other in steps]
        first, second = model.predict([{"steps": steps}, {"steps": higher}])
        assert abs(first["load"] - 1024) < 200
        assert first["load"] + 200 < second["load"]

    def test_the_newest_known_value_may_be_an_earlier_one_but_none_is_refused(self, tmp_path):
        model = self.trained(tmp_path, input_steps=3, missing="mask").model
        gap = {"steps": [[900.0, 0.1], [961.0, 0.2], [None, 0.3]]}
        assert abs(model.predict([gap])[0]["load"] - 961) < 200
        with pytest.raises(DataError, match=r"sequence 0: .* newest value of 'load'.*bring one"):
            model.predict([{"steps": [[None, 0.1], [None, 0.2], [None, 0.3]]}])

    def test_a_file_without_a_known_value_has_no_forecast(self, tmp_path):
        trained = self.trained(tmp_path, input_steps=3, missing="fill", fill="mean")
        nothing = pd.DataFrame({"load": [None] * 5, "other": [0.1] * 5})
        with pytest.raises(DataError, match="newest value of 'load'"):
            trained.predicted(nothing, last=True)

    def test_a_state_is_refused(self, tmp_path):
        model = self.trained(tmp_path, input_steps=3).model
        with pytest.raises(DataError, match="a state does not hold; send whole"):
            model.predict([{"steps": [[1.0, 0.1]], "state": ""}])

    def test_onnx_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="no newest value"):
            as_onnx(self.trained(tmp_path, input_steps=3).model)

    def test_an_interface_of_before_knows_no_changes(self, tmp_path):
        plain = json.loads(json.dumps(Interface.of(load(tmp_path)).to_dict()))
        assert Interface.from_dict(plain).reading.changes
        del plain["reading"]["changes"]
        assert Interface.from_dict(plain).reading.changes == ()
