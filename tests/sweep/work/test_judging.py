"""A finalist on the test part: plain metrics, intervals and answers in own units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.log.finalists import answers_file, calibration_file, kept_place
from sweep.models.of_trial import model_of_trial
from sweep.models.prediction import predict_file
from sweep.work.judging import judge
from sweep.work.protocol import WorkerSettings
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.contract import SequenceData
from trainers.data.interface import write_interface
from trainers.errors import ConfigError, DataError
from trainers.packs.pack import Pack, evaluate_checkpoint
from trainers.use.intervals import Calibration, checked_level
from trainers.use.kept_answers import KeptAnswers
from trainers.use.portable import PortableModel


def waves(folder: Path, rows: int = 400, **options: object) -> SequenceData:
    noise = np.random.default_rng(0).normal(size=rows)
    times = pd.date_range("2024-01-01", periods=rows, freq="h")
    values = 500 + 40 * np.sin(np.arange(rows) * 2 * np.pi / 24) + 5 * noise
    pd.DataFrame({"time": times, "load": values}).to_csv(folder / "load.csv", index=False)
    asked = {"path": "load.csv", "target": "load", "time_column": "time", "input_steps": 6,
             "output_steps": 2, **options}  # fmt: skip
    return load_data("csv", asked, base_dir=folder)


def settings(folder: Path, interval: float) -> WorkerSettings:
    return WorkerSettings(Objective("loss"), str(folder), interval=interval)


def trained(data: SequenceData, folder: Path, loss: str) -> Path:
    config = TrainConfig(loss=loss, hidden_size=8, max_epochs=3, learning_rate=0.02)
    pack = Pack(config.structure(), data, Objective("loss"))
    pack.admit(0, config)
    for _ in range(3):
        pack.train_epoch()
    pack.save(0, folder / "trial.safetensors")
    return folder / "trial.safetensors"


@pytest.mark.parametrize("loss", ["mse", "gaussian", "quantile"])
def test_intervals_hold_what_they_say_in_own_units(tmp_path: Path, loss: str):
    data = waves(tmp_path, units="MW")
    checkpoint, kept = trained(data, tmp_path, loss), kept_place(tmp_path, 7)
    test = judge(checkpoint, data, settings(tmp_path, 0.8), kept)
    plain = evaluate_checkpoint(checkpoint, data, "test", Objective("loss"))
    coverage, width = test.pop("interval_coverage"), test.pop("interval_width")
    assert test == plain
    found = KeptAnswers.read(answers_file(kept))
    assert found.units == "MW"
    assert found.levels == (0.5, 0.8, 0.9)
    low, high = found.low[1], found.high[1]
    assert coverage == np.mean((low <= found.targets) & (found.targets <= high))
    assert width == pytest.approx(np.mean(high - low))
    assert 0.6 < coverage < 0.95
    error = np.abs(found.answers - found.targets).mean()
    assert error == pytest.approx(plain["mae"], rel=1e-5)
    row = int(found.origins[0])
    assert pd.Timestamp(found.times[0]) == pd.Timestamp("2024-01-01") + pd.Timedelta(hours=row)
    raw = pd.read_csv(tmp_path / "load.csv")["load"].to_numpy()
    np.testing.assert_allclose(found.targets[0], raw[row : row + 2], rtol=1e-6)
    assert Calibration.read(calibration_file(kept)).scores.tolist() == [len(data.validation)] * 2


@pytest.mark.parametrize("loss", ["mse", "quantile"])
def test_predictions_of_the_file_have_the_interval_that_was_judged(tmp_path: Path, loss: str):
    data = waves(tmp_path)
    write_interface(data, tmp_path)
    (tmp_path / "checkpoints").mkdir()
    checkpoint = trained(data, tmp_path, loss).rename(
        tmp_path / "checkpoints" / "trial-00007.a1.e0003.5.safetensors"
    )
    test = judge(checkpoint, data, settings(tmp_path, 0.8), kept_place(tmp_path, 7))
    (tmp_path / "model").mkdir()
    model_of_trial(checkpoint, tmp_path).write(tmp_path / "model")
    model = PortableModel.read(tmp_path / "model")
    rows = predict_file(model, tmp_path / "load.csv", interval=0.8)
    assert data.test is not None
    raw = pd.read_csv(tmp_path / "load.csv").set_index("time")["load"]
    first = raw.index[int(data.test.origins[0])]
    held = [
        row["load_low"] <= raw[str(row["time"])] <= row["load_high"]
        for window in range(0, len(rows), 2)
        if str(rows[window]["time"]) >= first and str(rows[window + 1]["time"]) in raw.index
        for row in rows[window : window + 2]
    ]
    assert len(held) == 2 * len(data.test)
    assert np.mean(held) == pytest.approx(test["interval_coverage"], abs=1e-12)
    columns = [name for name in rows[0] if name.startswith("load")]
    quantiles = ["load_q0.1", "load_q0.5", "load_q0.9"] if loss == "quantile" else []
    assert columns == ["load_predicted", *quantiles, "load_low", "load_high"]


def test_what_has_no_interval_says_why(tmp_path: Path):
    data = waves(tmp_path)
    write_interface(data, tmp_path)
    model = model_of_trial(trained(data, tmp_path, "mse"), tmp_path)
    with pytest.raises(DataError, match="needs a model that was calibrated"):
        predict_file(model, tmp_path / "load.csv", interval=0.9)
    with pytest.raises(ConfigError, match=r"must be a number, as .* but got 'wide'"):
        checked_level("wide")


def test_too_few_validation_targets_leave_the_interval_out(tmp_path: Path):
    data = waves(tmp_path, rows=60, split=[0.7, 0.1, 0.2])
    test = judge(
        trained(data, tmp_path, "mse"), data, settings(tmp_path, 0.9), kept_place(tmp_path, 0)
    )
    assert "rmse" in test
    assert "interval_coverage" not in test
    assert KeptAnswers.read(answers_file(kept_place(tmp_path, 0))).levels == (0.5, 0.8)


def test_of_classes_the_probabilities_are_kept(tmp_path: Path):
    data = load_data("digits", {}, base_dir=tmp_path, limit=100)
    assert data.test is not None
    checkpoint = trained(data, tmp_path, "cross_entropy")
    test = judge(checkpoint, data, settings(tmp_path, 0.9), kept_place(tmp_path, 0))
    found = KeptAnswers.read(answers_file(kept_place(tmp_path, 0)))
    np.testing.assert_allclose(found.answers.sum(-1), 1, rtol=1e-5)
    assert np.mean(found.answers.argmax(-1) == found.targets) == pytest.approx(test["accuracy"])
