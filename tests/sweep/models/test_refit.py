"""A finalist's settings, trained again on train and validation, or on new data."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.errors import UserError
from sweep.models.champions import contest, version_tags
from sweep.models.refit import Wanted, _data, refit
from sweep.models.refit_record import as_finalist
from sweep.models.trained import open_model
from sweep.results.results import open_results
from sweep.running.preparation import prepare
from tests.sweep.session_runs import run
from trainers.config.train_config import TrainConfig
from trainers.use.ensemble import EnsembleModel

ROWS = 300


def write_wave(path, shift=0.0):
    rows = np.arange(ROWS)
    lines = "\n".join(f"{np.sin(row / 5) * 10 + 50 + shift:.4f}" for row in rows)
    path.write_text(f"y\n{lines}\n")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep over windows of a table, finished."""
    folder = tmp_path_factory.mktemp("refit")
    write_wave(folder / "wave.csv")
    data = {"source": "csv", "path": str(folder / "wave.csv"), "target": "y", "inputs": ["y"]}
    run(folder, data={**data, "input_steps": 6}, budget__trials=3, train__max_epochs=4)
    return folder


@pytest.fixture
def found(swept):
    yield open_results("s", swept)
    shutil.rmtree(swept / "s" / "refits", ignore_errors=True)


def test_it_learns_from_all_before_the_test_part_and_from_nothing_in_it(found):
    prepared, best = prepare(found.config), found.best()
    known = prepared.data
    data, notes = _data(prepared, known, best)
    before = [*known.train.origins, *known.validation.origins]
    assert set(before) <= set(data.train.origins)
    assert max(data.train.origins) < min(data.test.origins)
    assert list(data.test.origins) == list(known.test.origins)
    assert data.target_shift != known.target_shift  # of both parts
    assert notes == ("scales are fitted on train and validation",)


def test_it_trains_for_the_best_epochs_and_its_figure_comes_out_again(found):
    made, best = refit(found, Wanted()), found.best()
    assert (made.trial.number, made.epochs) == (best.number, best.best_epoch)
    assert made.digest == found.state.first_opened.data.digest
    about = json.loads((made.folder / "config.json").read_text())["about"]
    assert about["refit_of"] == f"s/{best.number}"
    assert about["test"] == made.test
    model = open_model(made.folder)
    values = np.array(
        [float(line) for line in (found.folder.parent / "wave.csv").read_text().split()[1:]]
    )
    data, _ = _data(prepare(found.config), prepare(found.config).data, best)
    records = [{"steps": values[row - 6 : row, None].tolist()} for row in data.test.origins]
    said = np.array([answer["y"] for answer in model.predict(records)])
    truth = values[np.asarray(data.test.origins)]
    assert np.sqrt(np.mean((said - truth) ** 2)) == pytest.approx(made.test["rmse"], rel=1e-4)


def test_the_same_command_goes_on_where_it_was_ended(found):
    class Ended(Exception):
        pass

    def end(line):
        if "epoch 3" in line:
            raise Ended

    best = max(found.trials, key=lambda trial: trial.best_epoch)
    assert best.best_epoch >= 3
    with pytest.raises(Ended):
        refit(found, Wanted(best.number), end)
    assert not list(found.folder.glob("refits/*/config.json"))
    lines = []
    made = refit(found, Wanted(best.number), lines.append)
    assert not any("epoch 2" in line for line in lines)
    shutil.rmtree(found.folder / "refits")
    assert refit(found, Wanted(best.number)).test == made.test
    lines.clear()
    again = refit(found, Wanted(best.number), lines.append)
    assert (again.folder, again.test) == (made.folder, made.test)
    assert not any("epoch" in line for line in lines)


def test_several_seeds_are_one_model(found):
    made = refit(found, Wanted(seeds=2))
    model = open_model(made.folder)
    assert isinstance(model, EnsembleModel)
    assert model.counts == (1, 1)
    assert "rmse" in made.test
    seeds = {member.config.seed for member in model.members}
    assert len(seeds) == 2
    assert refit(found, Wanted(seeds=2)).folder == made.folder
    assert refit(found, Wanted()).folder != made.folder


def test_new_data_make_another_model_of_the_same_settings(found, tmp_path):
    write_wave(tmp_path / "new.csv", shift=100.0)
    made = refit(found, Wanted(overrides=(f"data.path={tmp_path / 'new.csv'}",)))
    assert made.digest != found.state.first_opened.data.digest
    assert open_model(made.folder).interface.target_shift[0] > 140
    challenger = as_finalist(made, found)
    champion = {"sweep.trial_uid": "x", "sweep.data_digest": "other", "sweep.test.rmse": "1e9"}
    assert not contest(challenger, champion)[0]


def test_on_the_sweeps_own_test_part_it_is_compared_with_the_champion(found):
    made = refit(found, Wanted())
    challenger = as_finalist(made, found)
    tags = version_tags(challenger)
    assert tags["refit_of"] == f"s/{made.trial.number}"
    assert tags["refit_of.uid"] == made.trial.uid
    worse = {**tags, "sweep.trial_uid": "x", "sweep.test.rmse": repr(made.test["rmse"] * 2)}
    assert contest(challenger, worse)[0]
    better = {**worse, "sweep.test.rmse": repr(made.test["rmse"] / 2)}
    assert not contest(challenger, better)[0]


def test_other_data_keep_the_scales_of_their_training_part(tmp_path):
    run(tmp_path, budget__trials=1)
    found = open_results("s", tmp_path)
    made = refit(found, Wanted())
    assert "scales and vocabularies stay those of the training part" in made.notes[0]
    assert made.digest == found.state.first_opened.data.digest
    assert made.test["rmse"] > 0


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"number": 9}, "has no trial 9"),
        ({"seeds": 0}, "`--seeds >= 1` must hold, but got 0"),
        (
            {"overrides": ("train.cell=gru",)},
            "--set must begin with data., but got 'train.cell=gru'",
        ),
        ({"overrides": ("data.path=nowhere.csv",)}, "nowhere.csv"),
        ({"overrides": ("data.pth=x",)}, "pth"),
    ],
)
def test_what_can_not_be_is_one_clear_line(found, wanted, message):
    with pytest.raises(Exception, match=message) as caught:
        refit(found, Wanted(**wanted))
    assert "\n" not in str(caught.value)


def test_the_command_says_what_came_out(found, swept):
    shown = CliRunner().invoke(app, ["refit", "s", "--dir", str(swept)])
    assert shown.exit_code == 0, shown.output
    assert "Refitted trial" in shown.output
    assert "test: " in shown.output
    assert "rmse" in shown.output


def test_drawn_settings_are_those_of_the_trial(found):
    made = refit(found, Wanted(1))
    trial = found.state.trials[1]
    config = open_model(made.folder).config
    assert isinstance(config, TrainConfig)
    assert (config.learning_rate, config.cell) == (
        trial.params["learning_rate"], trial.params["cell"]
    )  # fmt: skip
    assert config.patience is None
    with pytest.raises(UserError):
        Wanted(overrides=("search.seed=1",))
