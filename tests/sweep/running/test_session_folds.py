"""Whole sweeps over data with folds: every trial is judged by the mean over the same folds."""

import json
import math
import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sweep.cli.printing_plan import show_plan
from sweep.errors import ConfigMismatch
from sweep.history.state import Standing
from sweep.models.prediction import predict_file
from sweep.models.trained import open_model
from sweep.results.results import open_results
from sweep.results.rows import load_results, records
from sweep.running.plan import plan_sweep
from sweep.running.preparation import prepare
from sweep.running.replay import replay
from sweep.words.console import console
from sweep.work.executors import InProcessExecutor
from sweep.work.held import HeldTrial
from tests.sweep.session_runs import Clumsy, Interrupted, config, fold, numbers, run
from trainers.config.folds import fold_configs
from trainers.config.train_config import TrainConfig
from trainers.errors import DataError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.pack import Pack, evaluate_checkpoint

ROWS = 120
STRETCHES = ((25, 26), (51, 25), (76, 26))  # first row and rows that each fold is judged by
TRAIN = {"hidden_size": 4, "batch_size": 16, "max_epochs": 3, "learning_rate": 0.01}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A series whose level grows, so that each fold has a scale of its own."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    wave = np.arange(ROWS) / 4 + 10 * np.sin(np.arange(ROWS) / 5) + rng.normal(size=ROWS)
    pd.DataFrame({"load": wave}).to_csv(tmp_path / "load.csv", index=False)
    return {"source": "csv", "path": "load.csv", "target": "load", "input_steps": 4, "folds": 3}


def changes(data, **more):
    return {
        "data": data,
        "space": {"base": None, "parameters": {"cell": ["gru", "lstm"]}},
        "train": TRAIN,
        "search": {"sampler": "grid"},
        "run": {"workers": 1},
        "budget": {"trials": 2},
        "finalists": {"count": 1},
        **more,
    }


class Short:
    """Calls that end after one piece of training, so that trials are many calls long."""

    def start(self, data, settings, workers):
        super().start(data, replace(settings, slice_seconds=1e-6), workers)


class ShortCalls(Short, InProcessExecutor):
    pass


class ShortInterrupted(Short, Interrupted):
    pass


class ShortClumsy(Short, Clumsy):
    pass


def trained_apart(prepared, trial, epochs):
    """Each fold's validation metrics by epoch, from a pack of its own that knows no folds."""
    wanted = TrainConfig.from_mapping(trial.config)
    folds = prepared.choices.folds_of(wanted.data_choice)
    found = []
    for own, part in zip(fold_configs(wanted, folds), folds.values(), strict=True):
        pack = Pack(own.structure(), part, prepared.goal.leading)
        pack.admit(0, own)
        found.append([pack.train(0) for _ in range(epochs)])
    return found


def test_a_trial_reports_the_means_of_folds_that_are_trained_apart(tmp_path, data):
    run(tmp_path, **changes(data))
    prepared = prepare(config(**changes(data)))
    for trial in fold(tmp_path).trials.values():
        assert trial.state is Standing.COMPLETE
        apart = trained_apart(prepared, trial, 3)
        means = [statistics.fmean(own[n].validation["rmse"] for own in apart) for n in range(3)]
        assert [trial.reports[n + 1].validation["rmse"] for n in range(3)] == means
        assert trial.values == (min(means),)
        assert trial.best_epoch == 1 + means.index(min(means))
        best = trial.best_epoch - 1
        assert trial.folds == tuple(own[best].validation for own in apart)
        train = statistics.fmean(own[best].train["rmse"] for own in apart)
        assert trial.reports[best + 1].train["rmse"] == train


def test_the_model_is_the_last_folds_and_its_test_metrics_are_that_models(tmp_path, data):
    run(tmp_path, **changes(data))
    trial = next(t for t in fold(tmp_path).trials.values() if t.test)
    prepared = prepare(config(**changes(data)))
    last = prepared.choices.default
    assert last.train.origins == range(4, 76)
    assert last.validation.origins == range(76, 102)
    wanted = TrainConfig.from_mapping(trial.config)
    pack = Pack(wanted.structure(), last, prepared.goal.leading)
    pack.admit(0, wanted)
    for _ in range(trial.best_epoch):
        pack.train(0)
    path = tmp_path / "s" / trial.checkpoint
    newest = pack.checkpoint(0).tensors["weights"]
    assert read_checkpoint(path).tensors["best"].equal(newest)
    tested = evaluate_checkpoint(path, last, "test", prepared.goal.leading)
    assert trial.test["rmse"] == tested["rmse"]
    model = open_model(f"s/{trial.number}", tmp_path)
    assert model.interface.digest == last.digest
    assert len(predict_file(model, tmp_path / "load.csv")) == ROWS - 4 + 1


def test_results_hold_each_fold(tmp_path, data):
    run(tmp_path, **changes(data))
    table = load_results("s", tmp_path)
    folds = table[[f"best.fold/{n}/rmse" for n in range(3)]].mean(axis=1)
    np.testing.assert_allclose(folds, table["best.rmse"], rtol=1e-12)
    found = records(open_results("s", tmp_path))
    assert set(found[0]["best"]) >= {"rmse", "fold/0/rmse", "fold/1/rmse", "fold/2/rmse"}


DISTURBED = {
    "search": {"sampler": "tpe", "pruning": {"rule": "halving", "reduction_factor": 2}},
    "space": {
        "base": None,
        "parameters": {
            "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
            "cell": ["gru", "rnn_tanh"],
        },
    },
    "train": {"hidden_size": 4, "batch_size": 8, "max_epochs": 5, "patience": 2},
    "budget": {"trials": 6},
}


@pytest.mark.parametrize("pack", [1, 3])
def test_deaths_change_nothing_and_a_replay_is_bit_equal(tmp_path, data, pack, monkeypatch):
    saved, save = set(), HeldTrial.save

    def watched(self, path):
        saved.add(tuple(fold.waits_for_others for fold in self.folds))
        save(self, path)

    monkeypatch.setattr(HeldTrial, "save", watched)
    more = {
        **DISTURBED,
        "run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6, "pack": pack},
    }
    run(tmp_path / "calm", **changes(data, **more))
    wild = tmp_path / "wild"
    for polls in (5, 19, 34):
        with pytest.raises(MemoryError):
            run(wild, ShortInterrupted(polls), **changes(data, **more))
    run(wild, ShortClumsy(every=15), **changes(data, **more))
    assert (True, True, False) in saved  # while some folds wait for another
    assert numbers(wild) == numbers(tmp_path / "calm")
    calm = fold(tmp_path / "calm").trials
    assert {n: t.folds for n, t in fold(wild).trials.items()} == {
        n: t.folds for n, t in calm.items()
    }
    assert Standing.PRUNED in {t.state for t in calm.values()}
    for number in calm:
        assert replay(wild, "s", number).bit_equal


def test_naive_forecasts_are_judged_by_the_same_means(tmp_path, data):
    run(tmp_path, **changes(data))
    load = pd.read_csv(tmp_path / "load.csv")["load"].to_numpy()
    steps = np.square(np.diff(load, prepend=np.nan))
    judged = [math.sqrt(steps[first : first + size].mean()) for first, size in STRETCHES]
    found = fold(tmp_path).baselines.metrics["persistence"]
    assert found["validation"]["rmse"] == pytest.approx(statistics.fmean(judged), rel=1e-5)
    assert found["test"]["rmse"] == pytest.approx(math.sqrt(steps[102:].mean()), rel=1e-5)


def test_patience_counts_epochs_of_the_mean(tmp_path, data):
    train = {**TRAIN, "learning_rate": 0.3, "max_epochs": 40, "patience": 3}
    run(tmp_path, **changes(data, train=train))
    for trial in fold(tmp_path).trials.values():
        assert trial.reason == "patience"
        assert trial.epoch == trial.best_epoch + 3
        assert len(trial.reports) == trial.epoch


def test_a_fold_that_diverges_ends_its_trial(tmp_path, data):
    train = {**TRAIN, "learning_rate": 1e30, "optimizer": "sgd"}
    run(
        tmp_path,
        **changes(data, train=train, space={"base": None, "parameters": {"cell": ["rnn_relu"]}}),
    )
    (trial,) = fold(tmp_path).trials.values()
    assert trial.diverged
    assert trial.epoch == 1


def test_packs_hold_one_fold_of_several_trials(tmp_path, data, monkeypatch):
    held, admit = {}, Pack.admit

    def watched(self, slot, config, checkpoint=None, **more):
        held.setdefault(self, []).append(config.data_choice)
        admit(self, slot, config, checkpoint, **more)

    monkeypatch.setattr(Pack, "admit", watched)
    space = {
        "base": None,
        "parameters": {"learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}},
    }
    train = {name: value for name, value in TRAIN.items() if name != "learning_rate"}
    more = {
        "space": space,
        "train": train,
        "search": {},
        "budget": {"trials": 4},
        "run": {"workers": 1, "pack": 4},
        "finalists": {"count": 0},
    }
    run(tmp_path, ShortCalls(), **changes(data, **more))
    assert sorted(held.values()) == [[""] * 4, ["#fold 0"] * 4, ["#fold 1"] * 4]
    apart = trained_apart(prepare(config(**changes(data, **more))), fold(tmp_path).trials[2], 3)
    mean = statistics.fmean(own[0].validation["rmse"] for own in apart)
    assert fold(tmp_path).trials[2].reports[1].validation["rmse"] == mean


def test_folds_of_each_choice_of_an_option(tmp_path, data):
    data = {name: value for name, value in data.items() if name != "input_steps"}
    space = {"base": None, "parameters": {"data.input_steps": [3, 6], "cell": ["gru"]}}
    run(tmp_path, **changes(data, space=space))
    choices = prepare(config(**changes(data, space=space))).choices
    assert choices.folds == 3
    for number in range(3):
        judged = [
            np.asarray(list(choices.folds_of(key).values())[number].validation.origins).tolist()
            for key in choices.by_key
        ]
        assert judged[0] == judged[1]
    assert {t.params["data.input_steps"] for t in fold(tmp_path).trials.values()} == {3, 6}
    assert all(len(t.folds) == 3 for t in fold(tmp_path).trials.values())


def test_categories_have_the_rows_of_each_folds_own_vocabulary(tmp_path, data):
    kinds = [f"k{n // 12}" for n in range(ROWS)]
    frame = pd.read_csv(tmp_path / "load.csv").assign(kind=kinds)
    frame.to_csv(tmp_path / "load.csv", index=False)
    data = {**data, "category_encoding": "embedding", "folds": 2}
    run(tmp_path, **changes(data))
    trials = fold(tmp_path).trials.values()
    assert {t.state for t in trials} == {Standing.COMPLETE}
    choices = prepare(config(**changes(data))).choices
    rows = [own.category_embeddings[0][1] for own in choices.folds_of("").values()]
    assert rows == [1 + 3, 1 + 6]  # 34 rows have three kinds, 68 have six
    (trial, *_) = trials
    wanted = TrainConfig.from_mapping(trial.config)
    sizes = {c.category_embeddings[0][2] for c in fold_configs(wanted, choices.folds_of(""))}
    assert sizes == {wanted.category_embeddings[0][2]}
    assert replay(tmp_path, "s", trial.number).bit_equal


def test_other_folds_are_another_sweep(tmp_path, data):
    run(tmp_path, **changes(data))
    with pytest.raises(ConfigMismatch, match=r"data\.folds: 3 → 4"):
        run(tmp_path, **changes({**data, "folds": 4}))


def test_a_plan_tells_of_the_folds_and_counts_all_of_them(tmp_path, data, capsys):
    plan = plan_sweep(config(**changes(data)), tmp_path)
    show_plan(console(), plan)
    said = " ".join(capsys.readouterr().out.split())
    assert "3 folds: each trial is trained on all of them and judged by the mean" in said
    assert "fold 0: learns from rows [0, 25); judged by rows [25, 51)" in said


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (60, r"fold 0 of 60: .* no room for a window"),
        (200, r"fold 0 of 200 has none to learn from \(102 rows before the test part\)"),
    ],
)
def test_too_many_folds_are_refused_before_anything_is_trained(tmp_path, data, folds, message):
    with pytest.raises(DataError, match=message):
        run(tmp_path, **changes({**data, "folds": folds}))
    assert not (tmp_path / "s").exists()


def test_a_finished_log_tells_of_folds_only_where_there_are_some(tmp_path, data):
    run(tmp_path / "with", **changes(data))
    run(tmp_path / "without", **changes({**data, "folds": None}))
    import sqlite3

    def told(folder):
        with sqlite3.connect(folder / "s" / "sweep.db") as log:
            rows = log.execute("select payload from events where kind = 'reported'").fetchall()
        return {("folds" in json.loads(payload)) for (payload,) in rows}

    assert told(tmp_path / "with") == {True}
    assert told(tmp_path / "without") == {False}
