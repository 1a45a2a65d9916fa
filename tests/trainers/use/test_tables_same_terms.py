"""A network of labelled sequences is asked on the terms of its training: names, gaps, folders."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sweep.models.card import example
from tests.trainers.trained_series import Trained
from trainers.data import load_data
from trainers.data.interface import Interface
from trainers.data.sequences.reading import TableReading
from trainers.errors import DataError
from trainers.use.stepping import SteppedModel

IDS = 30


def table(**more: Any) -> pd.DataFrame:
    """Sequences of 3 to 8 steps: a number with gaps, a name each step, one a sequence, a label."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 9, IDS)
    frame = pd.DataFrame({"id": np.repeat(np.arange(IDS), lengths)})
    count = len(frame)
    frame["at"] = np.concatenate([np.arange(length) for length in lengths])
    frame["temp"] = rng.normal(10, 3, count)
    frame["on"] = rng.random(count) > 0.5
    frame["kind"] = rng.choice(list("abcdef"), count)
    frame["sex"] = np.where(frame["id"] % 3, "f", "m")
    frame["load"] = frame["temp"] * 2 + rng.normal(0, 1, count)
    frame["state"] = np.where(frame["id"] % 2, "high", "low")
    frame["part"] = np.select([frame["id"] < 20, frame["id"] < 25], ["train", "validation"], "test")
    frame.loc[rng.choice(count, 20, replace=False), "temp"] = np.nan
    frame.loc[rng.choice(count, 8, replace=False), "load"] = np.nan
    return frame.assign(**more)


class TrainedTable(Trained):
    """The same of sequences in a long table, or of one file each."""

    def __init__(self, base: Path, frame: pd.DataFrame, /, **options: Any) -> None:
        self.path = base / "t.csv"
        frame.to_csv(self.path, index=False)
        usual = {"path": "t.csv", "sequence": "id", "order": "at", "split_column": "part"}
        usual |= {"target": "load", "task": "regression", "drop": "state", "missing": "fill"}
        self._train(load_data("table", {**usual, **options}, base_dir=base), base)


CLASSES = {
    "target": "state",
    "task": "classification",
    "alignment": "one_label",
    "drop": "load",
}


def rmse(predicted: pd.DataFrame, frame: pd.DataFrame) -> float:
    """Of the test part's steps."""
    told = predicted.rename(columns={"load": "said"}).astype({"id": int})
    joined = frame[frame["part"] == "test"].merge(told, on=["id", "at"])
    errors = (joined["load"] - joined["said"]).dropna()
    assert len(errors) > 15
    return math.sqrt((errors**2).mean())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"missing": "mask"},
        {"fill": "linear", "category_encoding": "embedding", "scaling": "minmax"},
        {"fill": {"temp": "mean"}, "category_encoding": "one_hot", "indicator": False},
        {"missing": "mask", "inputs": ["on", "temp"]},
    ],
    ids=str,
)
def test_predictions_of_the_test_sequences_have_the_reported_error(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    frame = table()
    trained = TrainedTable(tmp_path, frame, **options)
    predicted = trained.predicted(frame.sample(frac=1, random_state=1))
    assert rmse(predicted, frame) == pytest.approx(trained.test["rmse"], rel=1e-6)


def test_the_class_of_each_sequence_as_reported(tmp_path: Path) -> None:
    frame = table()
    trained = TrainedTable(tmp_path, frame, **CLASSES)
    predicted = trained.predicted().astype({"id": int})
    assert len(predicted) == IDS
    labels = frame[frame["part"] == "test"].groupby("id")["state"].first()
    hits = predicted.set_index("id")["class"].loc[labels.index] == labels
    assert hits.mean() == pytest.approx(trained.test["accuracy"])


def test_a_folder_is_a_sequence_a_file_as_in_training(tmp_path: Path) -> None:
    frame = table()
    (tmp_path / "in").mkdir()
    for name, rows in frame.groupby("id"):
        rows.drop(columns=["id", "load"]).to_csv(tmp_path / "in" / f"{name}.csv", index=False)
    frame[["id", "at", "load"]].to_csv(tmp_path / "labels.csv", index=False)
    options = {"path": None, "folder": "in", "labels": "labels.csv"}
    trained = TrainedTable(tmp_path, frame, **options)
    trained.path = tmp_path / "in"
    predicted = trained.predicted().rename(columns={"sequence": "id"})
    assert rmse(predicted, frame) == pytest.approx(trained.test["rmse"], rel=1e-6)
    trained.path = tmp_path / "in" / "29.csv"
    (one,) = {*trained.predicted()["sequence"]}
    assert one == "29"


def test_names_that_training_did_not_have_are_unknown(tmp_path: Path) -> None:
    trained = TrainedTable(tmp_path, table(), **CLASSES)
    column = "probability"
    some = trained.predicted(table(kind="zzz"))[column]
    others = trained.predicted(table(kind="yyy"))[column]
    assert some.tolist() == others.tolist()
    assert some.tolist() != trained.predicted(table())[column].tolist()


def test_a_sequence_of_gaps_is_named(tmp_path: Path) -> None:
    trained = TrainedTable(tmp_path, table(), missing="mask")
    frame = table()
    frame.loc[frame["id"] == 7, "kind"] = np.nan
    with pytest.raises(DataError, match="sequence '7' needs a step that misses no input"):
        trained.predicted(frame)
    with pytest.raises(DataError, match=r"t\.csv: data\.inputs names the column 'sex'"):
        trained.predicted(frame.drop(columns="sex"))


class TestRequests:
    def steps(self, frame: pd.DataFrame, names: tuple[str, ...]) -> list[list[Any]]:
        return json.loads(frame[list(names)].to_json(orient="values"))

    def test_by_place_and_by_name_as_the_table(self, tmp_path: Path) -> None:
        frame = table()
        trained = TrainedTable(tmp_path, frame, **CLASSES)
        names = trained.model.interface.raw_names
        assert names == ("temp", "on", "kind", "sex")
        by_place = self.steps(frame[frame["id"] == 26], names)
        assert any(step[0] is None for step in by_place)  # filled
        by_name = [dict(zip(names, step, strict=True)) for step in by_place]
        answers = trained.model.predict([{"steps": by_place}, {"steps": by_name}])
        assert answers[0] == answers[1]
        told = trained.predicted().set_index("id")["probability"]["26"]
        assert answers[0]["probability"] == pytest.approx(told, rel=1e-6)

    def test_numbers_go_by_name_too(self, tmp_path: Path) -> None:
        trained = TrainedTable(tmp_path, table(), missing="mask", inputs=["on", "temp"])
        requests = [{"steps": [[True, 8.5]]}, {"steps": [{"temp": 8.5, "on": True}]}]
        one, other = trained.model.predict(requests)
        assert one == other
        with pytest.raises(DataError, match="sequence 0: step 0 has no input 'tmp'; did you mean"):
            trained.model.predict([{"steps": [{"tmp": 8.5}]}])

    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            ([{"knd": "a"}], "no input 'knd'; did you mean 'kind'"),
            ([[1.0, True]], r"a step must hold 4 values \(temp, on, kind, sex\)"),
            ([["much", True, "a", "f"]], "step 0 must have a number or null as 'temp'"),
        ],
    )
    def test_what_does_not_fit_is_one_line(
        self, tmp_path: Path, steps: list[Any], message: str
    ) -> None:
        trained = TrainedTable(tmp_path, table())
        with pytest.raises(DataError, match=message):
            trained.model.predict([{"steps": steps}])

    def test_the_example_is_answered(self, tmp_path: Path) -> None:
        model = TrainedTable(tmp_path, table()).model
        request = example(model.interface)
        assert request[1]["steps"][0][2:] == ["a", "f"]
        assert len(model.predict(request)) == 2

    def test_stepping_takes_the_same_values(self, tmp_path: Path) -> None:
        frame = table()
        model = TrainedTable(tmp_path, frame).model
        steps = self.steps(frame.dropna().iloc[:4], model.interface.raw_names)
        stepped = SteppedModel(model)
        one_by_one = [stepped.step([step])[0, 0] for step in steps]
        stepped.clear_state()
        assert stepped.step([steps])[0, :, 0].tolist() == pytest.approx(one_by_one, rel=1e-6)


def test_what_earlier_releases_kept_of_a_table_still_predicts(tmp_path: Path) -> None:
    frame = table()
    options = {"missing": "mask", "inputs": ["on", "temp"]}
    trained = TrainedTable(tmp_path, frame, **options)
    told = trained.predicted()
    interface = trained.model.interface
    kept = interface.to_dict()
    del kept["reading"]["encoding"]
    earlier = Interface.from_dict(json.loads(json.dumps(kept)))
    assert isinstance(earlier.reading, TableReading)
    assert earlier.raw_names == ("on", "temp")
    trained.model.interface = replace(interface, reading=earlier.reading)
    assert trained.predicted().equals(told)
