"""Back-tests of whole sweeps: what is judged at each origin, and what nobody learned from."""

import json
import math
import statistics

import numpy as np
import pandas as pd
import pytest

from sweep.__main__ import main
from sweep.errors import UserError
from sweep.models.backtest import backtest
from sweep.report.plot_of_origins import backtest_page, origins_plot
from sweep.results.results import open_results
from tests.sweep.session_runs import run
from trainers.errors import DataError

ROWS = 100  # 15 of them in the test part, from row 85 on
TIMES = pd.date_range("2024-01-01", periods=ROWS, freq="h").strftime("%Y-%m-%d %H:%M")


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    load = 20 + 10 * np.sin(np.arange(ROWS) / 4) + rng.normal(size=ROWS)
    pd.DataFrame({"time": TIMES, "load": load}).to_csv("load.csv", index=False)
    return {
        "source": "csv", "path": "load.csv", "target": "load", "time_column": "time",
        "input_steps": 4, "units": "MW",
    }  # fmt: skip


@pytest.fixture
def swept(tmp_path, data):
    run(tmp_path / "sweeps", data=data, budget__trials=3, finalists__count=2, train__max_epochs=3)
    return open_results("s", tmp_path / "sweeps")


def persistence(first, last):
    """Root of the mean squared step of the rows [first, last)."""
    load = pd.read_csv("load.csv")["load"].to_numpy()
    return math.sqrt(np.square(load[first:last] - load[first - 1 : last - 1]).mean())


def test_each_origin_is_judged_up_to_the_next_one(swept):
    found = backtest(swept, 3)
    assert [row.windows for row in found.rows] == [5, 5, 5]
    hours = [85, 90, 95]
    assert [row.origin for row in found.rows] == [
        f"2024-01-0{1 + n // 24} {n % 24:02}:00:00" for n in hours
    ]
    assert found.values("persistence", "rmse") == pytest.approx(
        [persistence(n, n + 5) for n in hours], rel=1e-5
    )


def test_models_as_they_are_come_to_their_test_figure(swept):
    finalists = [trial for trial in swept.trials if trial.test]
    found = backtest(swept, 3)
    assert found.forecasts[:2] == [
        f"trial {n}"
        for n in (
            swept.best().number,
            *(t.number for t in finalists if t.number != swept.best().number),
        )
    ]
    for trial in finalists:
        squares = found.values(f"trial {trial.number}", "mse")
        assert statistics.fmean(squares) == pytest.approx(trial.test["mse"], rel=1e-9)


def test_the_interval_of_the_mean_is_students(swept):
    found = backtest(swept, 3)
    values = found.values("persistence", "rmse")
    estimate = found.estimate("persistence", "rmse")
    half = 4.302653 * statistics.stdev(values) / math.sqrt(3)  # t of .975, two degrees of freedom
    assert estimate.mean == pytest.approx(statistics.fmean(values))
    assert (estimate.low, estimate.high) == pytest.approx(
        (estimate.mean - half, estimate.mean + half)
    )


def test_training_anew_sees_what_lies_before_the_origin_and_nothing_later(swept, data, tmp_path):
    number = swept.best().number
    before = backtest(swept, 3, "every", number)
    again = backtest(swept, 3, "every", number)
    assert before == again
    frame = pd.read_csv("load.csv")
    as_they_are = backtest(swept, 3, "never", number)
    assert before.values(f"trial {number}", "rmse") != as_they_are.values(f"trial {number}", "rmse")
    # Another end of the series: the forecasts before it are the same, bit for bit.
    frame.loc[95:, "load"] = 20.0
    frame.to_csv("load.csv", index=False)
    run(tmp_path / "other", data=data, budget__trials=3, finalists__count=2, train__max_epochs=3)
    other = open_results("s", tmp_path / "other")
    assert other.best().best_epoch == swept.best().best_epoch
    changed = backtest(other, 3, "every", number)
    assert changed.rows[:2] == before.rows[:2]
    assert changed.rows[2] != before.rows[2]


def test_a_sweep_with_folds_and_drawn_options(tmp_path, data):
    data = {**{n: v for n, v in data.items() if n != "input_steps"}, "folds": 2}
    space = {"base": None, "parameters": {"data.input_steps": [3, 6]}}
    run(
        tmp_path / "sweeps",
        data=data,
        space=space,
        search={"sampler": "grid"},
        finalists={"count": 2},
    )
    swept = open_results("s", tmp_path / "sweeps")
    for refit in ("never", "every"):
        found = backtest(swept, 2, refit)
        assert [row.windows for row in found.rows] == [7, 8]
        assert all(None not in found.values(name, "rmse") for name in found.forecasts)
    trial = swept.best()
    weighed = [v * n for v, n in zip(found_of(swept, trial), (7, 8), strict=True)]
    assert sum(weighed) / 15 == pytest.approx(trial.test["mse"], rel=1e-9)


def found_of(swept, trial):
    return backtest(swept, 2, number=trial.number).values(f"trial {trial.number}", "mse")


def test_many_series_are_each_divided_in_time(tmp_path, data):
    frame = pd.read_csv("load.csv")
    frames = [
        frame.assign(shop=name, load=frame["load"] * size) for name, size in (("a", 1), ("b", 9))
    ]
    pd.concat(frames).to_csv("shops.csv", index=False)
    data = {**data, "path": "shops.csv", "series": "shop", "scale_by": "series"}
    run(tmp_path / "sweeps", data=data, budget__trials=1, finalists__count=1)
    swept = open_results("s", tmp_path / "sweeps")
    for refit in ("never", "every"):
        found = backtest(swept, 3, refit)
        assert [row.windows for row in found.rows] == [10, 10, 10]


class TestForPeople:
    def test_a_table_says_how_far_the_mean_can_be_told(self, swept, capsys):
        assert main(["backtest", "s", "--dir", "sweeps", "--origins", "3"]) == 0
        said = capsys.readouterr().out
        assert "s at 3 origins, models as they are: rmse (MW)" in said
        for line in ("2024-01-04 13:00:00", "mean", "± sd", "95 % interval"):
            assert line in said
        assert "persistence" in said

    def test_json_and_csv_hold_every_metric(self, swept, capsys):
        command = ["backtest", "s", "--dir", "sweeps", "--origins", "2", "--trial", "0"]
        assert main([*command, "--format", "json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [row["windows"] for row in found["origins"]] == [7, 8]
        assert set(found["summary"]["trial 0"]["mae"]) == {
            "count",
            "mean",
            "deviation",
            "low",
            "high",
        }
        assert main([*command, "--output", "bt.csv"]) == 0
        table = pd.read_csv("bt.csv")
        assert list(table["windows"]) == [7, 8]
        assert table["trial 0.rmse"].mean() == pytest.approx(
            found["summary"]["trial 0"]["rmse"]["mean"]
        )

    def test_a_page_has_the_picture_and_the_table(self, swept, capsys):
        command = ["backtest", "s", "--dir", "sweeps", "--origins", "2", "--html", "bt.html"]
        assert main(command) == 0
        with open("bt.html", encoding="utf-8") as file:  # noqa: PTH123
            page = file.read()
        assert 'data-chart="backtest"' in page
        assert "2024-01-04 13:00:00" in page
        found = backtest(swept, 2)
        assert len(origins_plot(found).spec["datasets"]["points"]) == 2 * len(found.forecasts)
        assert origins_plot(found).png()[:4] == b"\x89PNG"
        assert backtest_page(found) in page


class TestRefused:
    def test_more_origins_than_rows(self, swept):
        with pytest.raises(DataError, match=r"15 rows in the test part\); take fewer origins"):
            backtest(swept, 20)

    def test_a_trial_that_is_not_there(self, swept):
        with pytest.raises(UserError, match="has no trial 9"):
            backtest(swept, 2, number=9)

    def test_data_without_order_in_time(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        run(tmp_path, budget__trials=1)
        with pytest.raises(UserError, match=r"rows in order of time.*data\.source adding has none"):
            backtest(open_results("s", tmp_path), 2)

    def test_no_test_part(self, tmp_path, data):
        run(tmp_path, data={**data, "split": [0.8, 0.2, 0.0]}, budget__trials=1)
        with pytest.raises(UserError, match=r"data\.split leaves none"):
            backtest(open_results("s", tmp_path), 2)

    def test_a_mistake_is_one_line(self, swept, capsys):
        assert main(["backtest", "s", "--dir", "sweeps", "--origins", "20"]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
