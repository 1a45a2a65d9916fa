"""The benchmark against other forecasting platforms judges by hand-checkable numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.benchmarks.forecast_panel import HORIZON, Panel, score

TEST = pd.Timestamp("2024-01-02")
HOURS = pd.date_range("2024-01-01", periods=24 + HORIZON + 1, freq="h")


def _panel() -> Panel:
    rows = pd.DataFrame({"unique_id": "a", "ds": HOURS, "y": 1.0})
    return Panel(rows, HOURS[12], TEST, validation_rows=12, test_rows=HORIZON + 1)


def _forecasts(first_origin: pd.Timestamp, windows: int) -> pd.DataFrame:
    hour = pd.Timedelta(hours=1)
    rows = [
        {"unique_id": "a", "origin": origin, "ds": origin + step * hour}
        for origin in (first_origin + window * hour for window in range(windows))
        for step in range(1, HORIZON + 1)
    ]
    told = {"q0.1": 0.0, "q0.5": 3.0, "q0.9": 4.0, "low": 0.0, "high": 4.0}
    return pd.DataFrame(rows).assign(**told)


def test_errors_pinball_and_coverage_are_means_over_the_test_windows() -> None:
    forecasts = _forecasts(TEST - pd.Timedelta(hours=1), windows=2)
    forecasts.loc[:11, "low"] = 2.0  # twelve of 48 intervals miss 1
    found = score(_panel(), forecasts)
    assert found.mae == pytest.approx(2.0)
    # 0.1 * (1 - 0), 0.5 * (3 - 1), 0.1 * (4 - 1)
    assert found.pinball == pytest.approx((0.1 + 1.0 + 0.3) / 3)
    assert found.coverage == pytest.approx(0.75)
    assert found.targets == 48


def test_windows_that_begin_before_the_test_part_are_left_out() -> None:
    early = _forecasts(TEST - pd.Timedelta(hours=3), windows=4)
    early.loc[early["origin"] < TEST - pd.Timedelta(hours=1), "q0.5"] = 100.0
    assert score(_panel(), early).mae == pytest.approx(2.0)


def test_a_missing_window_is_refused() -> None:
    with pytest.raises(ValueError, match="48 forecasts must be there, but got 24"):
        score(_panel(), _forecasts(TEST, windows=1))
