"""`rnn-sweep predict` over models that lie in a sweep's folder."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from sweep import load_streaming
from sweep.__main__ import main
from sweep.models.prediction import predict_file
from sweep.models.trained import open_model
from tests.sweep import session_runs
from tests.trainers.factory import ACCURACY
from tests.trainers.portable_factory import RAW, characters, named_classes, regression, trained
from trainers.errors import TrainerError

ROWS = 60


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep over a series, and its table."""
    folder = tmp_path_factory.mktemp("swept")
    rows = np.arange(float(ROWS))
    hours = pd.date_range("2026-01-01", periods=ROWS, freq="h")
    frame = pd.DataFrame({"time": hours, "load": 300 + 50 * np.sin(rows / 4), "price": rows})
    frame.to_csv(folder / "load.csv", index=False)
    data = {
        "source": "csv",
        "path": str(folder / "load.csv"),
        "target": "load",
        "input_steps": 4,
        "time_column": "time",
    }
    session_runs.run(folder, data=data, budget__trials=2)
    return folder


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["predict", *map(str, words)]) == 0
    return capsys.readouterr().out


def complaint(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["predict", *map(str, words)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_sweeps_model_is_written_as_onnx(swept, tmp_path, capsys):
    path = tmp_path / "load.onnx"
    assert main(["export", "s/1", str(path), "--dir", str(swept)]) == 0
    assert "ONNX model of load in" in capsys.readouterr().out
    session = onnxruntime.InferenceSession(path)
    about = session.get_modelmeta().custom_metadata_map
    assert (about["sweep"], about["trial"]) == ("s", "1")
    frame = pd.read_csv(swept / "load.csv")
    window = frame[json.loads(about["inputs"])].to_numpy()[None, :4]
    values = session.run(["values"], {"inputs": window.astype(np.float64)})[0]
    rows = csv.DictReader(io.StringIO(printed(capsys, "s/1", swept / "load.csv", "--dir", swept)))
    assert values.ravel()[-1] == pytest.approx(float(next(rows)["load_predicted"]), rel=1e-5)


def test_an_onnx_file_that_cannot_be_written_is_one_line(swept, tmp_path, capsys):
    assert main(["export", "s", str(tmp_path / "none" / "x.onnx"), "--dir", str(swept)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "an ONNX file must be a path to write to" in error


def test_predictions_in_own_units_have_the_error_that_the_sweep_recorded(swept, capsys):
    text = printed(capsys, "s", swept / "load.csv", "--dir", swept)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["time", "load_predicted"]
    assert len(rows) == ROWS - 3
    assert rows[0]["time"] == "2026-01-01 04:00:00"  # that of the target, after four rows
    # Test targets are the last 15 % of the rows.
    load = pd.read_csv(swept / "load.csv").set_index("time")["load"]
    errors = [float(r["load_predicted"]) - load[r["time"]] for r in rows if r["time"] in load[51:]]
    fold = session_runs.fold(swept)
    best = min((t for t in fold.trials.values() if t.values), key=lambda t: t.values[0])
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(best.test["rmse"], rel=1e-5)


def test_one_trial_one_forecast_one_file(swept, capsys, tmp_path):
    words = ("s/1", swept / "load.csv", "--dir", swept, "--last")
    assert printed(capsys, *words, "--output", tmp_path / "out.json") == ""
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert row["time"] == "2026-01-03 12:00:00"
    printed_row = printed(capsys, *words).splitlines()[-1]
    assert float(printed_row.split(",")[-1]) == pytest.approx(row["load_predicted"])


def test_a_sweeps_model_is_stepped(swept):
    model = load_streaming("s", swept)
    assert model.inputs == ("load", "price")
    window = pd.read_csv(swept / "load.csv")[["load", "price"]].to_numpy()[-4:]
    stepped = [model.step(step[None]) for step in window][-1]
    (row,) = predict_file(open_model("s", swept), swept / "load.csv", last=True)
    assert stepped[0, 0] == pytest.approx(row["load_predicted"], rel=1e-6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["t", "load.csv"], "must be a URI (models:/NAME@champion), a folder, or a sweep"),
        (["s/7", "load.csv"], "sweep 's' has no trial 7; its trials are 0 … 1"),
        (["s", "none.csv"], "there is no data file"),
        (["s", "short.csv"], "a window has 4 rows, but"),
        (["s", "wrong.csv"], "names the column 'price'"),
        (["s", "load.csv", "--output", "no/folder.csv"], "--output must be a file"),
    ],
)
def test_a_mistake_is_one_line(swept, capsys, monkeypatch, words, message):
    monkeypatch.chdir(swept)
    Path("short.csv").write_text("time,load,price\n2026-01-01,1,2\n")
    Path("wrong.csv").write_text(
        "time,load\n" + "".join(f"2026-01-01 0{n}:00,1\n" for n in range(4))
    )
    assert message in complaint(capsys, *words, "--dir", swept)


def test_a_model_of_another_format_is_one_line(tmp_path, capsys):
    _, model = trained(tmp_path, regression())
    model.write(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"format": 1', '"format": 2'))
    error = complaint(capsys, tmp_path, tmp_path / "x.csv")
    assert "a model's format must be 1, but" in error
    with pytest.raises(TrainerError, match=r"format must be 1"):
        load_streaming(tmp_path)


def test_every_step_and_every_class_has_a_row_and_a_column(tmp_path):
    data = named_classes()
    _, model = trained(tmp_path, data, ACCURACY, readout="every", loss="cross_entropy")
    frame = pd.DataFrame(data.train.inputs[0], columns=["a", "b", "c"])
    path = tmp_path / "t.csv"
    frame.assign(sequence="x").to_csv(path, index=False)
    rows = predict_file(model, path, probabilities=True)
    assert [row["step"] for row in rows] == list(range(6))
    assert rows[0]["sequence"] == "x"
    names = [f"probability.{name}" for name in ("ann", "bob", "cy")]
    assert sum(rows[0][name] for name in names) == pytest.approx(1)
    best = max(("ann", "bob", "cy"), key=lambda name: rows[0][f"probability.{name}"])
    assert rows[0]["class"] == best
    assert list(predict_file(model, path)[0]) == ["sequence", "step", "class", "probability"]


def test_texts_and_records_are_asked_about_too(tmp_path):
    _, _, model = characters(tmp_path)
    (tmp_path / "t.txt").write_text("abac")
    rows = predict_file(model, tmp_path / "t.txt")
    assert [row["token"] for row in rows] == list("abac")
    assert rows[-1] == predict_file(model, tmp_path / "t.txt", last=True)[0]

    (tmp_path / "other").mkdir()
    _, numbers = trained(tmp_path / "other", regression(), readout="every")
    records = [{"steps": RAW[0].tolist(), "state": ""}, {"steps": RAW[1, :2].tolist()}]
    (tmp_path / "r.json").write_text(json.dumps(records))
    rows = predict_file(numbers, tmp_path / "r.json")
    assert [(row["sequence"], row["step"]) for row in rows[4:]] == [(0, 4), (0, 5), (1, 0), (1, 1)]
    assert "state" in rows[5]
    assert "state" not in rows[4]
