"""A sweep over both architectures on a real Ray: in packs, pruned, replayed, logged and asked."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from sweep.__main__ import main
from sweep.config.sweep_config import load_config
from sweep.models.prediction import predict_file
from sweep.models.trained import open_model
from sweep.results.results import open_results
from sweep.results.rows import load_results
from sweep.running.replay import replay
from sweep.running.session import run_sweep
from sweep.tracking.sync import sync

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

HORIZON, ROWS = 4, 400
SPEC = f"""
name: decoded
data:
  source: csv
  path: load.csv
  target: load
  time_column: time
  calendar: true
  known_ahead: [price]
  input_steps: 8
  output_steps: {HORIZON}
space:
  base: null
  parameters:
    architecture: [plain, encoder_decoder]
    teacher_forcing: {{low: 0.0, high: 1.0}}
train: {{cell: gru, hidden_size: 8, batch_size: 32, max_epochs: 4, teacher_forcing_decay: 0.8}}
search: {{sampler: random, pruning: {{rule: halving, min_epochs: 1, reduction_factor: 2}}}}
budget: {{trials: 10}}
run: {{workers: 1, pack: 2}}
finalists: {{count: 4}}
"""


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    hours = np.arange(ROWS)
    price = rng.normal(size=ROWS)
    return pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=ROWS, freq="h").strftime("%Y-%m-%d %H:%M"),
            "load": 50 + 10 * np.sin(hours * 2 * np.pi / 24) + 5 * price,
            "price": price,
        }
    )


def test_each_finalists_test_error_comes_out_of_predict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    frame, sweeps = table(), tmp_path / "sweeps"
    frame.to_csv(tmp_path / "load.csv", index=False)
    (tmp_path / "decoded.yaml").write_text(SPEC)
    outcome = run_sweep(load_config(tmp_path / "decoded.yaml"), sweeps)
    assert outcome.reason == "finished"
    sync(sweeps, "decoded")

    results = load_results("decoded", sweeps).set_index("number")
    assert set(results["params.architecture"]) == {"plain", "encoder_decoder"}
    assert (results["state"] == "pruned").any()
    decoding = results.index[results["params.architecture"] == "encoder_decoder"]
    assert replay(sweeps, "decoded", int(decoding[0])).bit_equal

    trials = {trial.number: trial for trial in open_results("decoded", sweeps).trials}
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("decoded")
    assert experiment is not None
    logged = client.search_logged_models([experiment.experiment_id])
    architectures = {one.params["architecture"] for one in logged}
    assert "encoder_decoder" in architectures
    for one in logged:
        model = open_model(f"models:/{one.model_id}", sweeps)
        predicted = pd.DataFrame(predict_file(model, tmp_path / "load.csv"))
        # The last windows need prices that the file does not have.
        assert len(predicted) == HORIZON * (ROWS - 7 - HORIZON)
        first = predicted["time"].iloc[::HORIZON] >= frame["time"][ROWS - ROWS * 15 // 100]
        tested = predicted[first.repeat(HORIZON).to_numpy()].merge(frame, on="time")
        rmse = math.sqrt(((tested["load"] - tested["load_predicted"]) ** 2).mean())
        trial = trials[int(one.tags["sweep.trial"])]
        assert rmse == pytest.approx(trial.test["rmse"], rel=1e-6)
        assert json.loads(json.dumps(model.config.to_dict()))["horizon"] == (
            HORIZON if one.params["architecture"] == "encoder_decoder" else 1
        )


PAIRS = """
name: reversed
data: {source: pairs, path: pairs.txt}
space:
  base: null
  parameters:
    teacher_forcing: [1.0, 0.5]
    embedding_size: [null, 6]
train: {cell: gru, hidden_size: 24, batch_size: 32, max_epochs: 8, learning_rate: 0.02}
search: {sampler: grid, objectives: [{metric: accuracy}]}
run: {workers: 1, pack: 2}
finalists: {count: 1}
tracking: {register_as: reversed}
"""


def test_pairs_of_texts_are_swept_and_a_file_of_texts_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    rng, sweeps = np.random.default_rng(0), tmp_path / "sweeps"
    texts = ["".join(rng.choice(list("abc"), rng.integers(1, 4))) for _ in range(400)]
    (tmp_path / "pairs.txt").write_text("\n".join(f"{text}\t{text[::-1]}" for text in texts))
    (tmp_path / "reversed.yaml").write_text(PAIRS)
    outcome = run_sweep(load_config(tmp_path / "reversed.yaml"), sweeps)
    assert outcome.reason == "finished"
    sync(sweeps, "reversed")
    best = open_results("reversed", sweeps).best()
    assert best is not None
    assert best.test["accuracy"] > 0.9
    assert replay(sweeps, "reversed", 3).bit_equal

    (tmp_path / "asked.txt").write_text("ab\nbca\n")
    words = ["predict", "reversed", tmp_path / "asked.txt", "--dir", sweeps]
    assert main([*map(str, words), "--output", str(tmp_path / "answers.csv")]) == 0
    assert pd.read_csv(tmp_path / "answers.csv")["answer"].tolist() == ["ba", "acb"]
    logged = open_model("models:/reversed@champion", sweeps)
    assert predict_file(logged, tmp_path / "asked.txt")[1]["answer"] == "acb"
