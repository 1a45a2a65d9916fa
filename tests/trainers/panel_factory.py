"""Two shops of different size, prices known ahead, holidays, gaps that are filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.trainers.trained_series import ROWS, Trained, table


def panel(folder: Path) -> Trained:
    """A network of one epoch over both."""
    both = [
        table(shop=name, price=np.arange(ROWS) % 24).assign(load=lambda f, n=n: n * f["load"])
        for name, n in (("A", 1), ("B", 100))
    ]
    options = {"series": "shop", "scale_by": "series", "known_ahead": ["price"], "holidays": "DE"}
    frame = pd.concat(both).assign(load=lambda f: f["load"].ffill())
    return Trained(folder, frame, time_column="time", missing="fill", **options)


def window_of(panel: Trained, shop: str) -> tuple[list[dict[str, Any]], float]:
    """Steps by name, and what a prediction of the file says of the row after them."""
    frame = pd.read_csv(panel.path)
    frame = frame[frame["shop"] == shop].reset_index(drop=True)
    frame["price+1"] = frame["price"].shift(-1)
    names = panel.model.interface.raw_names
    steps = json.loads(frame.iloc[50:55][list(names)].to_json(orient="records"))
    predicted = panel.predicted().set_index(["shop", "time"])["load_predicted"]
    return steps, predicted[shop, frame["time"][55]]
