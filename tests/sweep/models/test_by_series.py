"""The table by series of a whole sweep: its mean over windows is what the trial was judged by."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sweep.__main__ import main
from sweep.errors import UserError
from sweep.models.by_series import MOST_SHOWN, SeriesRow, SeriesTable, by_series
from sweep.results.results import open_results
from tests.sweep.session_runs import run
from trainers.config.objective import Objective
from trainers.errors import DataError

SHOPS, ROWS = ("north", "south", "west"), 40


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Three shops whose sales differ much in size."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame({"shop": shop, "sales": 10.0**size * (2 + rng.normal(size=ROWS + 10 * size))})
        for size, shop in enumerate(SHOPS)
    ]
    pd.concat(frames).to_csv(tmp_path / "shops.csv", index=False)
    return {
        "source": "csv", "path": "shops.csv", "target": "sales", "series": "shop",
        "scale_by": "series", "input_steps": 4, "units": "EUR",
    }  # fmt: skip


@pytest.fixture
def swept(tmp_path, data):
    """Three trials, of which the best one is the finalist."""
    run(tmp_path / "sweeps", data=data, budget__trials=3, finalists__count=1)
    return open_results("s", tmp_path / "sweeps")


def mean_square(table):
    return sum(row.windows * row.metrics["mse"] for row in table.rows) / sum(
        row.windows for row in table.rows
    )


def test_the_best_trial_is_judged_by_series_on_the_test_part(swept):
    table, best = by_series(swept), swept.best()
    assert (table.part, table.objective.metric) == ("test", "rmse")
    assert [row.name for row in table.rows] == ["west", "south", "north"]  # worst first
    assert [row.windows for row in table.rows] == [9, 8, 6]
    assert mean_square(table) == pytest.approx(best.test["mse"], rel=1e-9)


def test_a_trial_that_is_no_finalist_is_judged_on_the_validation_part(swept):
    other = next(t for t in swept.trials if t.number != swept.best().number)
    table = by_series(swept, other.number)
    assert table.part == "validation"
    assert mean_square(table) == pytest.approx(other.best["mse"], rel=1e-9)


def test_csv_and_json_say_the_same(swept, capsys):
    assert main(["results", "s", "--by-series", "--format", "csv"]) == 0
    rows = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(rows)[:3] == ["series", "windows", "test.rmse"]
    assert main(["results", "s", "--by-series", "--format", "json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["series"] for record in records] == rows["series"].tolist()
    assert [r["test"]["rmse"] for r in records] == pytest.approx(rows["test.rmse"].tolist())


def test_the_text_names_trial_part_and_units(swept, capsys):
    assert main(["results", "s", "--by-series", "--trial", str(swept.best().number)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == f"trial {swept.best().number} by series, test part, worst first"
    assert lines[1].split()[:4] == ["series", "windows", "rmse", "(EUR)"]
    assert lines[2].split()[:2] == ["west", "9"]


def test_changed_data_are_refused(swept, tmp_path):
    path = tmp_path / "shops.csv"
    path.write_text(path.read_text() + "west,1.5\n")
    with pytest.raises(UserError, match="a table by series needs the data of the sweep"):
        by_series(swept)


def test_a_single_series_is_refused(tmp_path):
    run(tmp_path, budget__trials=1)
    with pytest.raises(DataError, match="need data of several series"):
        by_series(open_results("s", tmp_path))


def test_a_trial_without_series_is_one_line(swept, capsys):
    assert main(["results", "s", "--trial", "0"]) == 2
    assert "add --by-series" in capsys.readouterr().err


def rows_of(*values):
    found = [{} if value is None else {"r2": value} for value in values]
    return tuple(SeriesRow(f"s{i}", 2, metrics) for i, metrics in enumerate(found))


def text_of(table):
    page = io.StringIO()
    Console(file=page, width=120).print(table.shown(120))
    return page.getvalue()


def test_the_text_leaves_out_good_series_of_many_and_says_so():
    many = SeriesTable(
        "t", "test", Objective("r2", "maximize"), {"r2": ""}, rows_of(*np.arange(1000.0))
    )
    assert f"not shown: {1000 - MOST_SHOWN} better series (see --format csv)" in text_of(many)
    assert len(many.records()) == 1000


def test_a_metric_that_one_series_lacks_is_empty_there():
    table = SeriesTable("t", "test", Objective("r2", "maximize"), {"r2": ""}, rows_of(0.5, None))
    assert table.records()[1]["test"] == {"r2": None}
    assert table.frame()["test.r2"].isna().tolist() == [False, True]
    assert text_of(table).splitlines()[-1].split() == ["s1", "2", "-"]
