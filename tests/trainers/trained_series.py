"""A network of one epoch over a small series, as others would have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweep.models.prediction import predict_file
from sweep.search.space import training_defaults
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import SequenceData, load_data
from trainers.data.interface import Interface
from trainers.packs.pack import Pack, evaluate_checkpoint
from trainers.use.portable import PortableModel

ROWS = 200
TEST = 170  # the first row of the last 15 %


def table(**more: Any) -> pd.DataFrame:
    """Hours over the spring change of clocks, gaps in inputs and targets, the file's end a gap."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2021-03-24", periods=ROWS, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"time": [time.isoformat() for time in times]})
    frame["load"] = 50 + 10 * np.sin(np.arange(ROWS) / 4) + rng.normal(0, 1, ROWS)
    frame["temp"] = rng.normal(10, 3, ROWS)
    frame["kind"] = rng.choice(list("abcdef"), ROWS)
    frame.loc[rng.choice(ROWS, 30, replace=False), "temp"] = np.nan
    frame.loc[rng.choice(ROWS, 12, replace=False), "load"] = np.nan
    frame.loc[ROWS - 2 :, "temp"] = np.nan
    return frame.assign(**more)


class Trained:
    """A network of one epoch, its test figures, and itself as others would have it."""

    def __init__(
        self, folder: Path, frame: pd.DataFrame, train: dict[str, Any] | None = None, **options: Any
    ) -> None:
        self._settings = train or {}
        self.path = folder / "t.csv"
        frame.to_csv(self.path, index=False)
        options = {"path": "t.csv", "target": "load", "input_steps": 5, **options}
        self._train(load_data("csv", options, base_dir=folder), folder)

    def _train(self, data: SequenceData, folder: Path) -> None:
        self.data = data
        metric = "rmse" if self.data.task == "regression" else "accuracy"
        objective = Objective(metric, "minimize" if metric == "rmse" else "maximize")
        settings = {**training_defaults(self.data), "hidden_size": 6, "max_epochs": 1}
        settings |= self._settings
        config = TrainConfig.from_mapping(settings)
        pack = Pack(config.structure(), self.data, objective)
        pack.admit(0, config)
        pack.train(0)
        saved = folder / "trial.safetensors"
        pack.save(0, saved)
        self.test = evaluate_checkpoint(saved, self.data, "test", objective)
        plain = json.loads(json.dumps(Interface.of(self.data).to_dict()))
        self.model = PortableModel.from_checkpoint(saved, Interface.from_dict(plain))

    def predicted(self, frame: pd.DataFrame | None = None, **options: Any) -> pd.DataFrame:
        if frame is not None:
            frame.to_csv(self.path, index=False)
        return pd.DataFrame(predict_file(self.model, self.path, **options))
