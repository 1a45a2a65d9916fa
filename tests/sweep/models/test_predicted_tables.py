"""`rnn-sweep predict` on tables of every format, of one series and of many."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.__main__ import main
from tests.trainers.panel_factory import panel, window_of
from tests.trainers.trained_series import ROWS, Trained, table
from trainers.use.portable import PortableModel


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    trained = panel(tmp_path_factory.mktemp("shops"))
    (trained.path.parent / "model").mkdir()
    trained.model.write(trained.path.parent / "model")
    return trained


def folder_of(shops: Trained) -> Path:
    return shops.path.parent / "model"


def written(model: Path, data: Path, *words: str) -> pd.DataFrame:
    output = data.with_name("predicted.csv")
    assert main(["predict", str(model), str(data), "--output", str(output), *words]) == 0
    return pd.read_csv(output)


def complaint(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["predict", *map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def as_gz(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "t.csv.gz"
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    return path


def as_tsv(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "t.tsv", index=False, sep="\t", encoding="utf-16")
    return folder / "t.tsv"


def as_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def as_excel(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_excel(folder / "t.xlsx", index=False)
    return folder / "t.xlsx"


def as_lines(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_json(folder / "t.jsonl", orient="records", lines=True)
    return folder / "t.jsonl"


@pytest.mark.parametrize("write", [as_gz, as_tsv, as_parquet, as_excel, as_lines])
def test_every_format_has_the_answers_of_the_csv_file(
    shops: Trained, tmp_path: Path, write: Callable[[pd.DataFrame, Path], Path]
) -> None:
    frame = pd.read_csv(shops.path)
    expected = shops.predicted()
    predicted = written(folder_of(shops), write(frame, tmp_path))
    assert predicted[["shop", "time"]].equals(expected[["shop", "time"]])
    np.testing.assert_allclose(predicted["load_predicted"], expected["load_predicted"], rtol=1e-6)


class TestSeries:
    def ahead(self, shops: Trained) -> pd.DataFrame:
        """The file, and what is known of the hour after it."""
        frame = pd.read_csv(shops.path)
        newest = frame.groupby("shop").tail(1)
        later = newest.assign(load=np.nan, temp=np.nan, kind=np.nan, price=9)
        return pd.concat([frame, later.assign(time="2021-04-01T09:00:00+02:00")])

    def test_the_last_forecast_is_one_row_a_series(self, shops: Trained, tmp_path: Path) -> None:
        self.ahead(shops).to_csv(tmp_path / "t.csv", index=False)
        predicted = written(folder_of(shops), tmp_path / "t.csv", "--last")
        assert predicted["shop"].tolist() == ["A", "B"]
        assert predicted["time"].tolist() == ["2021-04-01T09:00:00+02:00"] * 2
        assert predicted["load_predicted"][1] > 20 * predicted["load_predicted"][0]

    def test_a_series_that_is_too_short_is_told(
        self, shops: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        frame = self.ahead(shops)
        short = frame[frame["shop"] == "A"].head(3).assign(shop="C")
        pd.concat([frame, short]).to_csv(tmp_path / "t.csv", index=False)
        predicted = written(folder_of(shops), tmp_path / "t.csv", "--last")
        assert predicted["shop"].tolist() == ["A", "B"]
        assert capsys.readouterr().err == (
            "note: 1 of 3 series have fewer rows than a window of 5 and no forecast, the first C "
            "with 3\n"
        )

    def test_the_series_whose_price_is_not_known_is_named(
        self, shops: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.ahead(shops).iloc[:-1].to_csv(tmp_path / "t.csv", index=False)
        error = complaint(capsys, folder_of(shops), tmp_path / "t.csv", "--last")
        assert "the forecast of B from 2021-04-01 08:00:00+02:00 needs price of the next 1" in error

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda frame: frame.head(4), "a window has 5 rows, but"),
            (lambda frame: frame.drop(columns="shop"), "names the column 'shop'"),
            (lambda frame: frame.drop(columns="kind"), "names the column 'kind'"),
            (lambda frame: frame.assign(temp="warm"), "column 'temp' must hold"),
            (lambda frame: frame.assign(time="soon"), "column 'time' must hold times"),
            (lambda frame: frame.iloc[::2], "trained on rows 1 h apart, but those of t.csv are 2"),
        ],
    )
    def test_a_file_that_does_not_fit_is_one_line(
        self,
        shops: Trained,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        change: Callable[[pd.DataFrame], pd.DataFrame],
        message: str,
    ) -> None:
        change(pd.read_csv(shops.path)).to_csv(tmp_path / "t.csv", index=False)
        assert message in complaint(capsys, folder_of(shops), tmp_path / "t.csv")

    def test_takes_exactly_what_curl_sends(self, shops: Trained, tmp_path: Path) -> None:
        steps, expected = window_of(shops, "B")
        lists = [list(step.values()) for step in steps]
        request = {"inputs": [{"steps": steps, "series": "B"}, {"steps": lists, "series": "B"}]}
        (tmp_path / "request.json").write_text(json.dumps(request))
        predicted = written(folder_of(shops), tmp_path / "request.json")
        assert predicted["sequence"].tolist() == [0, 1]
        assert predicted["load"].tolist() == [pytest.approx(expected, rel=1e-6)] * 2


class TestKindsOfAnswers:
    """What the README says of classes, labels that may all hold, and several steps."""

    def csv(
        self, capsys: pytest.CaptureFixture[str], folder: Path, model: PortableModel, *words: str
    ) -> pd.DataFrame:
        model.write(folder)
        assert main(["predict", str(folder), str(folder / "t.csv"), *words]) == 0
        return pd.read_csv(io.StringIO(capsys.readouterr().out))

    @pytest.mark.parametrize(
        ("options", "words", "columns"),
        [
            ({"target": "load"}, [], ["time", "load_predicted"]),
            ({"target": "load", "output_steps": 3}, [], ["time", "step", "load_predicted"]),
            (
                {"target": "state", "task": "classification"},
                ["--probabilities"],
                ["time", "state_predicted", "probability", "probability.high", "probability.low"],
            ),
            (
                {"target": ["rain", "wind"], "task": "classification"},
                [],
                ["time", "rain_predicted", "wind_predicted"],
            ),
        ],
        ids=str,
    )
    def test_columns_are_named_for_what_is_predicted(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        options: dict[str, Any],
        words: list[str],
        columns: list[str],
    ) -> None:
        row = np.arange(ROWS)
        state = np.where(row % 5 < 2, "high", "low")
        frame = table(state=state, rain=row % 2, wind=row // 2 % 2)
        model = Trained(tmp_path, frame, time_column="time", missing="mask", **options).model
        assert list(self.csv(capsys, tmp_path, model, *words).columns) == columns
