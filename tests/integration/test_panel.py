"""A sweep over many series on a real Ray: the same numbers by `predict`, and by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sweep.__main__ import main
from sweep.config.sweep_config import load_config
from sweep.models.prediction import predict_file
from sweep.models.trained import open_model, trial_checkpoint
from sweep.results.results import open_results
from sweep.running.session import run_sweep
from sweep.tracking.sync import sync
from trainers.use.export import export_checkpoint

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

VALIDATION, TEST = "2024-03-20", "2024-04-10"
SPEC = f"""
name: panel
data:
  source: csv
  path: shops.csv
  target: sales
  series: shop
  time_column: day
  scale_by: series
  split: {{validation: {VALIDATION}, test: {TEST}}}
  input_steps: 6
space: {{base: null, parameters: {{hidden_size: [4, 8], learning_rate: [0.02]}}}}
train: {{cell: gru, batch_size: 32, max_epochs: 3}}
search: {{sampler: grid}}
run: {{workers: 1}}
finalists: {{count: 1}}
tracking: {{register_as: shops}}
"""
WINDOW = 6


def shops() -> pd.DataFrame:
    """Three shops that open one after the other; area is of the shop, weather of the day."""
    rng = np.random.default_rng(0)
    parts = []
    for shop, (days, level, area) in {
        "A": (120, 10, 5),
        "B": (90, 1000, 80),
        "C": (70, 50, 20),
    }.items():
        wave = np.sin(np.arange(days) * 2 * np.pi / 7)
        parts.append(
            pd.DataFrame(
                {
                    "shop": shop,
                    "day": pd.date_range(end="2024-04-30", periods=days).strftime("%Y-%m-%d"),
                    "sales": level * (3 + wave + rng.normal(0, 0.2, days)),
                    "area": area,
                    "weather": rng.choice(["sun", "rain", "snow", "fog", "hail"], days),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def by_hand(frame: pd.DataFrame, checkpoint: Path) -> pd.DataFrame:
    """Forecasts of the test rows: pandas for the inputs, torch's own modules for the network."""
    network = export_checkpoint(checkpoint)
    train = frame[frame["day"] < VALIDATION]
    of_shop = train.groupby("shop")["sales"]
    mean, std = of_shop.mean(), of_shop.std(ddof=0)
    area = (frame["area"] - train["area"].mean()) / train["area"].std(ddof=0)
    names = sorted(train["weather"].unique())
    ids = frame["weather"].map({name: number for number, name in enumerate(names, start=1)})
    found: list[dict[str, Any]] = []
    for shop, rows in frame.groupby("shop"):
        sales = (rows["sales"] - mean[shop]) / std[shop]
        numbers = np.stack([sales, area[rows.index]], axis=1).astype(np.float32)
        for at in range(WINDOW, len(rows)):
            if rows["day"].iloc[at] < TEST:
                continue
            window = slice(at - WINDOW, at)
            weather = torch.tensor(ids[rows.index[window]].to_numpy())
            vectors = network.category_embedding[0](weather)
            x = torch.cat([torch.from_numpy(numbers[window]), vectors], dim=1)
            with torch.no_grad():
                _, state = network.recurrent[0](x[None])
                scaled = network.head(state[-1])[0, 0].item()
            forecast = scaled * std[shop] + mean[shop]
            found.append({"shop": shop, "day": rows["day"].iloc[at], "by_hand": forecast})
    return pd.DataFrame(found)


def test_the_winners_test_error_comes_out_of_predict_and_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    frame = shops()
    frame.to_csv(tmp_path / "shops.csv", index=False)
    (tmp_path / "panel.yaml").write_text(SPEC)
    outcome = run_sweep(load_config(tmp_path / "panel.yaml"), tmp_path / "sweeps")
    assert outcome.reason == "finished"
    sync(tmp_path / "sweeps", "panel")

    found = open_results("panel", tmp_path / "sweeps")
    best = found.best()
    assert best is not None
    words = ["predict", "panel", tmp_path / "shops.csv", "--dir", tmp_path / "sweeps"]
    assert main([*map(str, words), "--output", str(tmp_path / "predicted.csv")]) == 0
    predicted = pd.read_csv(tmp_path / "predicted.csv")
    assert list(predicted.columns) == ["shop", "day", "sales_predicted"]
    # One forecast for each row that ends a window, the last of them beyond the file.
    assert len(predicted) == len(frame) - 3 * (WINDOW - 1)
    assert predicted.groupby("shop")["day"].max().tolist() == ["2024-05-01"] * 3

    logged = open_model("models:/shops@champion", tmp_path / "sweeps")
    assert logged.interface.raw_names == ("sales", "area", "weather")
    again = pd.DataFrame(predict_file(logged, tmp_path / "shops.csv"))
    np.testing.assert_allclose(again["sales_predicted"], predicted["sales_predicted"], rtol=1e-9)

    tested = frame[frame["day"] >= TEST].merge(predicted, on=["shop", "day"], validate="1:1")
    assert len(tested) == 3 * 21
    rmse = math.sqrt(((tested["sales"] - tested["sales_predicted"]) ** 2).mean())
    assert rmse == pytest.approx(best.test["rmse"], rel=1e-6)

    joined = tested.merge(by_hand(frame, trial_checkpoint(found, None)), on=["shop", "day"])
    assert len(joined) == len(tested)
    np.testing.assert_allclose(joined["sales_predicted"], joined["by_hand"], rtol=1e-5)
