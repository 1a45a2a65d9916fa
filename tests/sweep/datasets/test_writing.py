"""`init` writes a sweep file that loads, trains and says what was understood; or nothing."""

import pytest
import yaml

from sweep.config.sweep_config import load_config
from sweep.datasets.draft import Wishes
from sweep.datasets.settings import settings_for
from sweep.datasets.writing import write_sweep
from sweep.errors import ConfigProblem
from tests.sweep.datasets.data_files import cases, load_table, sentences, shops, ucr, write_csv
from trainers.errors import DataError

TEXT = "To be, or not to be: that is the question. Whether 'tis nobler in the mind\n" * 60


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(path, output=None, force=False, **wishes):
    return write_sweep(path, Wishes(**wishes), output, force=force)


@pytest.mark.parametrize(
    ("name", "content", "wishes", "space"),
    [
        ("load.csv", load_table(), {"target": ("load",)}, "forecasting"),
        ("shops.parquet", shops(), {"target": ("load",), "series": ("shop",)}, "forecasting"),
        ("fail.csv", load_table(fail=[0, 1, 1] * 100),
         {"target": ("fail",), "task": "classification"}, "forecasting"),
        ("Toy_TRAIN.ts", cases(), {}, "classification"),
        ("ECG_TRAIN.tsv", ucr(), {}, "classification"),
        ("reviews.txt", sentences(), {}, "sentences"),
        ("input.txt", TEXT, {}, "language"),
    ],
)  # fmt: skip
def test_every_kind_of_file_becomes_a_sweep_file_that_loads(tmp_path, name, content, wishes, space):
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
    elif name.endswith(".parquet"):
        content.to_parquet(path)
    else:
        write_csv(path, content)
    found = written(path, **wishes)
    config = load_config(found.path)
    assert found.path.name == f"{path.stem}.yaml"
    assert config.space.base == space
    assert config.data.options["path"] == str(path.resolve())
    assert found.plan.prepared.data.train.inputs.shape[0] > 0
    assert 1 <= config.budget.trials <= 24


def test_paths_are_relative_below_the_files_folder_and_absolute_elsewhere(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    path = write_csv(folder / "load.csv")
    below = yaml.safe_load(written(path, target=("load",)).path.read_text())
    assert below["data"]["path"] == "data/load.csv"
    place = tmp_path / "sweeps of mine" / "one.yaml"
    elsewhere = yaml.safe_load(written(path, output=place, target=("load",)).path.read_text())
    assert elsewhere["data"]["path"] == str(path.resolve())
    assert elsewhere["name"] == "one"


def test_what_was_understood_stands_in_comments(tmp_path):
    frame = load_table()
    frame["time"] = frame["time"].dt.strftime("%d.%m.%Y %H:%M")
    path = tmp_path / "last.csv"
    frame.to_csv(path, index=False, sep=";", decimal=",")
    text = written(path, target=("load",)).path.read_text()
    assert "# - read as: separator ';', decimal ',' (data.reading)" in text
    assert "input_steps: 21                 # rows of 1 h" in text
    assert "# known_ahead: [temp]" in text
    assert all(len(line) <= 100 or "path" in line for line in text.splitlines())


def test_an_existing_file_stays_unless_it_is_forced(tmp_path):
    path = write_csv(tmp_path / "load.csv")
    (tmp_path / "load.yaml").write_text("mine")
    with pytest.raises(ConfigProblem, match=r"load\.yaml exists; .*--output.*--force"):
        written(path, target=("load",))
    assert (tmp_path / "load.yaml").read_text() == "mine"
    written(path, force=True, target=("load",))
    assert "mine" not in (tmp_path / "load.yaml").read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.assign(load=f["load"].where(f.index % 50 > 0, -9999)),
         r"'load' holds -9999 6 times.*--set 'data\.reading\.missing_values=\[\"-9999\"\]'"),
        (lambda f: f.assign(next=f["load"].shift(-1).fillna(0)),
         r"'next' is the target 'load' of 1 row later.*--set 'data\.drop=\[next\]'"),
        (lambda f: f.assign(load=f["load"] > 50), r"true and false.*\(init takes --task\)"),
        (lambda f: f.assign(load="x"), "load"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_one_line_and_nothing_is_written(tmp_path, change, says):
    path = write_csv(tmp_path / "load.csv", change(load_table()))
    with pytest.raises(DataError, match=says) as raised:
        written(path, target=("load",))
    assert "\n" not in str(raised.value)
    assert [file.name for file in tmp_path.iterdir()] == ["load.csv"]


def test_the_flags_of_the_line_mend_it(tmp_path):
    frame = load_table()
    frame.loc[::50, "load"] = -9999
    path = write_csv(tmp_path / "load.csv", frame)
    options = {"reading": {"missing_values": ["-9999"]}}
    values = yaml.safe_load(written(path, target=("load",), options=options).path.read_text())
    assert values["data"]["reading"] == {"missing_values": ["-9999"]}
    assert values["data"]["missing"] == "mask"
    accepted = {"accept": ["sentinel"]}
    text = written(path, force=True, target=("load",), options=accepted).path.read_text()
    assert "accept: [sentinel]" in text


def test_settings_follow_the_number_of_examples():
    few, many = settings_for("forecasting", 300), settings_for("forecasting", 100_000)
    assert (few.train["batch_size"], many.train["batch_size"]) == (16, 256)
    assert few.train["lr_decay_steps"] == 2 * 19
    assert settings_for("classification", 100).train["max_epochs"] == 60
    assert settings_for("classification", 10_000).train["max_epochs"] == 30


def test_a_slow_machine_gets_fewer_trials_then_fewer_epochs(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "load.csv")
    quick = yaml.safe_load(written(path, target=("load",)).path.read_text())
    assert (quick["budget"]["trials"], quick["train"]["max_epochs"]) == (16, 18)
    monkeypatch.setattr("sweep.running.plan._step_seconds", lambda config, data: 0.05)
    slow = yaml.safe_load(written(path, force=True, target=("load",)).path.read_text())
    assert slow["budget"]["trials"] == 6
    assert slow["train"]["max_epochs"] < 18
