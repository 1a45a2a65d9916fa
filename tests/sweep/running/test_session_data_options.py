"""Whole sweeps over options of the data: each trial is what it is where the option is fixed."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from sweep.errors import ConfigMismatch, ConfigProblem
from sweep.history.state import Standing
from sweep.models.prediction import predict_file
from sweep.models.trained import open_model
from sweep.results.comparison import compare
from sweep.results.rows import load_results
from sweep.running.plan import plan_sweep
from sweep.running.preparation import prepare
from sweep.running.replay import replay
from tests.sweep.session_runs import Clumsy, Interrupted, config, fold, numbers, run
from trainers.data.choices import choice_key
from trainers.errors import DataError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.pack import Pack

ROWS = 160
GRID = {"data.input_steps": [4, 9], "cell": ["gru", "lstm"]}
TRAIN = {"hidden_size": 4, "batch_size": 16, "max_epochs": 3, "learning_rate": 0.01, "seed": 7}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A series of hours, its file named as a sweep file in the same folder would."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(ROWS) / 5)
    columns = {"load": 20 + 10 * wave + rng.normal(size=ROWS), "temp": rng.normal(size=ROWS)}
    pd.DataFrame(columns).to_csv(tmp_path / "load.csv", index=False)
    return {"source": "csv", "path": "load.csv", "target": "load"}


def space(**parameters):
    return {"base": None, "parameters": parameters}


def grid(data, parameters, **changes):
    return {
        "data": data,
        "space": space(**parameters),
        "train": TRAIN,
        "search": {"sampler": "grid"},
        "run": {"workers": 1},
        "finalists": {"count": 4},
        **changes,
    }


def by_parameters(folder):
    trials = fold(folder).trials.values()
    return {(t.params.get("data.input_steps"), t.params["cell"]): t for t in trials}


def weights(folder, trial):
    return read_checkpoint(folder / "s" / trial.checkpoint).tensors["best"]


def test_each_trial_is_what_it_is_where_the_option_is_fixed(tmp_path, data):
    run(tmp_path / "both", **grid(data, GRID))
    both = by_parameters(tmp_path / "both")
    assert len(both) == 4
    for steps in (4, 9):
        alone_in = tmp_path / f"only-{steps}"
        fixed = {**data, "input_steps": steps}
        run(alone_in, **grid(fixed, {"cell": GRID["cell"]}))
        for (_, cell), alone in by_parameters(alone_in).items():
            trial = both[steps, cell]
            assert (trial.best, trial.test, trial.values) == (alone.best, alone.test, alone.values)
            assert trial.test
            ours, theirs = weights(tmp_path / "both", trial), weights(alone_in, alone)
            assert ours.equal(theirs)
            assert {e: r.validation for e, r in trial.reports.items()} == {
                e: r.validation for e, r in alone.reports.items()
            }


def test_all_choices_have_the_same_validation_targets(data):
    prepared = prepare(config(**grid(data, {**GRID, "data.stride": [1, 2, 3]})))
    judged = [
        (np.asarray(part.origins).tolist(), len(part))
        for chosen in prepared.choices.by_key.values()
        for part in (chosen.validation,)
    ]
    assert len(judged) == 6
    assert judged.count(judged[0]) == 6
    assert judged[0][1] == 4  # validation has rows [112, 136): 112, 118, 124 and 130


def test_columns_are_choices_and_are_shown_as_they_are_written(tmp_path, data):
    parameters = {"data.inputs": [["load"], ["load", "temp"], "temp"], "cell": ["gru"]}
    run(tmp_path, **grid(data, parameters))
    table = load_results("s", tmp_path)
    assert sorted(table["params.data.inputs"]) == ["[load, temp]", "[load]", "temp"]
    sizes = dict(zip(table["params.data.inputs"], table["parameters"], strict=True))
    assert sizes["[load]"] == sizes["temp"] < sizes["[load, temp]"]
    assert "data_choice" not in " ".join(table.columns)
    shown = compare("s/0", "s/1", tmp_path)
    settings = [row.name for title, rows in shown.parts for row in rows if "settings" in title]
    assert settings == ["data.inputs"]


def test_packs_hold_trials_of_one_choice(tmp_path, data, monkeypatch):
    held, admit = defaultdict(set), Pack.admit  # by pack, which stays, so that no id comes twice

    def watched(self, slot, config, checkpoint=None, **options):
        held[self].add((config.data_choice, self._parts.data.train.time_steps))
        admit(self, slot, config, checkpoint, **options)

    monkeypatch.setattr(Pack, "admit", watched)
    parameters = {
        "data.input_steps": {"low": 4, "high": 12, "step": 4},
        "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    }
    changes = {
        "data": data,
        "space": space(**parameters),
        "train": {"hidden_size": 4, "batch_size": 16, "max_epochs": 2},
        "budget": {"trials": 24},
        "run": {"workers": 1, "pack": 4},
    }
    run(tmp_path, **changes)
    assert {len(found) for found in held.values()} == {1}
    found = set().union(*held.values())
    assert len(found) > 1
    assert all(key == choice_key({"input_steps": steps}) for key, steps in found)
    leads = fold(tmp_path).trials
    for trial in leads.values():
        lead = leads[trial.lead]
        assert trial.params["data.input_steps"] == lead.params["data.input_steps"]
    assert {t.state for t in leads.values()} == {Standing.COMPLETE}


def test_deaths_change_nothing_and_a_replay_finds_its_own_data(tmp_path, data):
    parameters = {**GRID, "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}}
    changes = grid(
        data,
        parameters,
        train={"hidden_size": 4, "batch_size": 16, "max_epochs": 5},
        search={"sampler": "tpe", "pruning": {"rule": "halving", "reduction_factor": 2}},
        budget={"trials": 8},
        run={"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6},
    )
    run(tmp_path / "calm", **changes)
    wild = tmp_path / "wild"
    for polls in (5, 9):
        with pytest.raises(MemoryError):
            run(wild, Interrupted(polls), **changes)
    run(wild, Clumsy(every=5), **changes)
    assert numbers(wild) == numbers(tmp_path / "calm")
    steps = {n: t.params["data.input_steps"] for n, t in fold(wild).trials.items()}
    for wanted in (4, 9):
        number = next(n for n, drawn in steps.items() if drawn == wanted)
        assert replay(wild, "s", number).bit_equal


def test_other_choices_are_another_sweep_and_changed_data_are_refused(tmp_path, data):
    run(tmp_path, **grid(data, GRID))
    with pytest.raises(ConfigMismatch, match=r"space\.parameters\.data\.input_steps: \[4, 9\] → "):
        run(tmp_path, **grid(data, {**GRID, "data.input_steps": [4, 8]}))
    frame = pd.read_csv("load.csv")
    frame.loc[3, "load"] += 1
    frame.to_csv("load.csv", index=False)
    with pytest.raises(ConfigMismatch, match="needs the data it began with"):
        run(tmp_path, **grid(data, GRID))


def test_a_model_reads_windows_of_its_own_length(tmp_path, data):
    run(tmp_path / "sweeps", **grid(data, GRID))
    for (steps, _), trial in by_parameters(tmp_path / "sweeps").items():
        model = open_model(f"s/{trial.number}", tmp_path / "sweeps")
        rows = predict_file(model, tmp_path / "load.csv")
        assert model.interface.reading.input_steps == steps
        assert rows[0]["row"] == steps  # the first target after the first window
        assert len(rows) == ROWS - steps + 1


def test_known_configurations_name_columns_as_lists(tmp_path, data):
    parameters = {"data.inputs": [["load"], ["load", "temp"]], "hidden_size": [2, 4]}
    enqueue = [{"data.inputs": ["load", "temp"], "hidden_size": 4}]
    changes = grid(data, parameters, train={**TRAIN, "hidden_size": 4}, budget={"trials": 1})
    changes["train"].pop("hidden_size")
    run(tmp_path, **{**changes, "search": {"enqueue": enqueue}})
    assert fold(tmp_path).trials[0].params == {"data.inputs": "[load, temp]", "hidden_size": 4}


def test_an_earlier_sweep_over_the_same_choices_warms_another(tmp_path, data):
    run(tmp_path, **grid(data, GRID, name="first"))
    run(tmp_path, **grid(data, GRID, search={"warm_start": ["first"]}, budget={"trials": 2}))
    assert len(fold(tmp_path).warmed) == 4


def test_a_plan_counts_each_example_with_its_own_data(tmp_path, data):
    parameters = {"data.inputs": [["load"], ["load", "temp"]], "cell": ["rnn_tanh"]}
    plan = plan_sweep(config(**grid(data, parameters)), tmp_path)
    sizes = {e.params["data.inputs"]: e.parameters for e in plan.examples}
    assert sizes == {"[load]": 4 + 16 + 8 + 5, "[load, temp]": 8 + 16 + 8 + 5}


class TestRefused:
    def test_a_loss_where_choices_scale_targets_differently(self, data):
        parameters = {"data.scaling": ["standard", "minmax"], "cell": ["gru"]}
        for judged in ({"objectives": [{"metric": "loss"}]},
                       {"constraints": [{"metric": "loss", "max": 1}]}):  # fmt: skip
            with pytest.raises(ConfigProblem, match=r"metric loss can't compare .* data\.scaling"):
                prepare(config(**grid(data, parameters, search=judged)))
        prepare(config(**grid(data, parameters)))
        prepare(config(**grid(data, GRID, search={"objectives": [{"metric": "loss"}]})))

    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            ({"data.target": ["load", "temp"]}, DataError, r"data\.target can't be searched"),
            ({"data.imputs": [["load"]]}, DataError, r"no option 'imputs'; did you mean 'inputs'"),
            ({"input_steps": [4, 9]}, ConfigProblem, r"did you mean space\.parameters\.data\.inp"),
            (
                {"data.input_steps": {"low": 4, "high": 9, "log": True}}, ConfigProblem,
                "must name a finite number of choices",
            ),
            ({"data_choice": ["a", "b"]}, ConfigProblem, "data_choice is not a known key"),
        ],
    )  # fmt: skip
    def test_in_one_line(self, data, parameters, error, message):
        with pytest.raises(error, match=message):
            prepare(config(**grid(data, {"cell": ["gru"], **parameters})))

    def test_a_space_function_that_draws_what_was_not_loaded(self, tmp_path, data):
        (tmp_path / "own.py").write_text(
            "def space(trial):\n"
            "    return {'data.input_steps': trial.suggest_categorical('data.input_steps', [4, 9])}"
        )
        own = {**grid(data, {}), "search": {}, "space": {"base": "own.py:space"}}
        with pytest.raises(
            ConfigProblem, match=r"space\.parameters must list every choice of data"
        ):
            prepare(config(**own))
        own["space"] = {**own["space"], "parameters": {"data.input_steps": [4, 9]}}
        assert len(prepare(config(**own)).choices.by_key) == 2
