"""`init` and `data` on the command line."""

import json

import pytest

from sweep.__main__ import main
from tests.sweep.datasets.data_files import load_table, write_csv


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("COLUMNS", "160")


def run(capsys, *words):
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_init_writes_a_file_that_plan_takes(capsys, tmp_path):
    write_csv(tmp_path / "load.csv")
    code, out, err = run(capsys, "init", "load.csv", "--target", "load")
    assert (code, err) == (0, "")
    assert "Wrote load.yaml" in out
    assert out.endswith("Next:\n  rnn-sweep plan load.yaml\n  rnn-sweep run load.yaml\n")
    code, out, _ = run(capsys, "plan", "load.yaml")
    assert code == 0
    assert "Sweep load: 16 trials" in out


def test_init_takes_options_of_the_data_alone(capsys, tmp_path):
    write_csv(tmp_path / "load.csv")
    words = ("init", "load.csv", "--target", "load", "--set")
    assert run(capsys, *words, "data.input_steps=5")[0] == 0
    assert "input_steps: 5" in (tmp_path / "load.yaml").read_text()
    code, _, err = run(capsys, *words, "train.batch_size=5")
    assert code == 2
    assert "data.NAME=VALUE" in err


def test_a_format_of_times_can_be_set_as_it_is_written(capsys, tmp_path):
    days = [f"{n:02d}/01/2021" for n in range(1, 13)] * 3
    frame = load_table(12).assign(time=days[:12])
    write_csv(tmp_path / "load.csv", frame)
    words = ("init", "load.csv", "--target", "load")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "(init takes --set 'data.time_format=\"%d/%m/%Y\"')" in err
    options = ["--set", "data.split=[0.5, 0.25, 0.25]", "--set", "data.input_steps=2"]
    assert run(capsys, *words, "--set", "data.time_format=%d/%m/%Y", *options)[0] == 0


def test_wrong_data_are_refused_by_plan_and_shown_by_data(capsys, tmp_path):
    frame = load_table()
    frame.loc[5:9, "temp"] = -9999
    write_csv(tmp_path / "load.csv", frame)
    (tmp_path / "s.yaml").write_text(
        "data: {source: csv, path: load.csv, target: load, time_column: time}\n"
        "space: {base: smoke}\n"
    )
    code, _, err = run(capsys, "plan", "s.yaml")
    assert code == 2
    assert err.count("\n") == 1
    assert "'temp' holds -9999 5 times, first in row 2021-01-01 05:00:00" in err
    assert "or accept it with data.accept: [sentinel]" in err
    code, out, _ = run(capsys, "data", "s.yaml")
    assert code == 0
    assert "wrong (sentinel): column 'temp'" in out
    code, out, _ = run(capsys, "plan", "s.yaml", "--set", "data.accept=[sentinel]")
    assert code == 0
    assert "  wrong: column 'temp' holds -9999" in out
    code, _, err = run(capsys, "plan", "s.yaml", "--set", "data.accept=[sentinels]")
    assert code == 2
    assert "data.accept" in err


def test_data_prints_json_with_keys_that_stay(capsys, tmp_path):
    write_csv(tmp_path / "load.csv")
    code, out, _ = run(capsys, "data", "load.csv", "--target", "load", "--format", "json")
    assert code == 0
    assert json.loads(out)["step"]["text"] == "1 h"


def test_data_prints_columns_parts_and_notes(capsys, tmp_path):
    write_csv(tmp_path / "load.csv")
    _, out, _ = run(capsys, "data", "load.csv", "--target", "load")
    assert out.startswith("load.csv: regression, source csv, 300 rows, a step of 1 h\n")
    assert "Findings: nothing is suspicious." in out
    assert "2021-01-11 15:00:00" in out


def test_parts_are_listed_as_csv_and_as_json(capsys, tmp_path):
    write_csv(tmp_path / "load.csv")
    words = ("data", "load.csv", "--target", "load", "--parts")
    _, out, _ = run(capsys, *words)
    assert out.splitlines()[0] == "part,series,first,last,sequences"
    assert len(out.splitlines()) == 4
    _, out, _ = run(capsys, *words, "--format", "json")
    assert [run["part"] for run in json.loads(out)] == ["train", "validation", "test"]


def test_a_page_is_written(capsys, tmp_path):
    write_csv(tmp_path / "load.csv")
    code, _, err = run(capsys, "data", "load.csv", "--target", "load", "--html", "load.html")
    assert (code, err) == (0, "Wrote load.html\n")
    assert (tmp_path / "load.html").read_text().startswith("<!DOCTYPE html>")


def test_what_can_not_be_read_is_a_mistake(capsys, tmp_path):
    (tmp_path / "load.parquet").write_bytes(b"no parquet")
    code, out, err = run(capsys, "data", "load.parquet")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert run(capsys, "data", "nowhere.csv")[0] == 2
