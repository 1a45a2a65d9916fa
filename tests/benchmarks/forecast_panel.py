"""A panel of series for forecasting platforms, and how their forecasts of it are judged.

The temperature and humidity of nine rooms, by the hour (UCI Appliances): 18 series. Each is handed
over as its change against the same hour of the day before, over that change's training deviation.
The months of the test part are warmer than any of training, so raw values would measure how a
platform meets values that it has never seen. A day ahead that change differs from the value itself
by what is known, so errors are those of the values, in training deviations, and series weigh alike.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.benchmarks.figures import ROOT

HORIZON = 24
LEVELS = (0.1, 0.5, 0.9)
_COLUMNS = [f"{kind}{room}" for kind in ("T", "RH_") for room in range(1, 10)]


@dataclass(frozen=True)
class Panel:
    """Rows `unique_id, ds, y`, by series and time.

    Attributes:
        validation: First hour of the validation part.
        test: First hour of the test part.
        validation_rows: Of each series.
        test_rows: Of each series.
    """

    rows: pd.DataFrame
    validation: pd.Timestamp
    test: pd.Timestamp
    validation_rows: int
    test_rows: int


@dataclass(frozen=True)
class Score:
    """Means over all windows, hours ahead and series of the test part."""

    mae: float
    pinball: float
    coverage: float
    targets: int


def source() -> Path:
    """Return the file, which lies where the tests look for real data."""
    folder = Path(os.environ.get("RNN_SWEEP_TEST_DATA", ROOT.parent / "shared" / "data"))
    return folder / "appliances_energy" / "energydata_complete.csv"


def panel(path: Path) -> Panel:
    """Return the panel: the last 27 days are the test part, the 20 before them validation."""
    table = pd.read_csv(path, parse_dates=["date"], index_col="date")[_COLUMNS]
    hourly = table.resample("1h").mean().iloc[1:-1]  # the first and the last are parts of hours
    change = (hourly - hourly.shift(24)).iloc[24:].rename_axis("ds")
    validation, test = change.index[-(47 * 24)], change.index[-(27 * 24)]
    training = change[change.index < validation]
    scaled = (change - training.mean()) / training.std(ddof=0)
    rows = scaled.reset_index().melt("ds", var_name="unique_id", value_name="y")
    rows = rows[["unique_id", "ds", "y"]].sort_values(["unique_id", "ds"], ignore_index=True)
    return Panel(rows, validation, test, 20 * 24, 27 * 24)


def score(panel: Panel, forecasts: pd.DataFrame) -> Score:
    """Judge forecasts of every window whose hours lie in the test part.

    Args:
        forecasts: Rows `unique_id, origin, ds, q0.1, q0.5, q0.9, low, high`; `origin` is the last
            known hour. Others than the test part's are left out.

    Raises:
        ValueError: a window is missing.
    """
    hour = pd.Timedelta(hours=1)
    last = panel.rows["ds"].max()
    whole = (forecasts["origin"] >= panel.test - hour) & (
        forecasts["origin"] <= last - HORIZON * hour
    )
    judged = forecasts[whole].merge(panel.rows, on=["unique_id", "ds"], validate="many_to_one")
    series = panel.rows["unique_id"].nunique()
    expected = series * (panel.test_rows - HORIZON + 1) * HORIZON
    if len(judged) != expected:
        raise ValueError(f"{expected} forecasts must be there, but got {len(judged)}.")
    errors = {level: judged["y"] - judged[f"q{level}"] for level in LEVELS}
    pinball = sum(
        float(error.clip(lower=0).mean() * level - error.clip(upper=0).mean() * (1 - level))
        for level, error in errors.items()
    )
    return Score(
        mae=float(errors[0.5].abs().mean()),
        pinball=pinball / len(LEVELS),
        coverage=float(judged["y"].between(judged["low"], judged["high"]).mean()),
        targets=len(judged),
    )
