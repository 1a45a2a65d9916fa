"""Whole sweeps over the in-process executor: small data, real training, no tracker."""

import json
import sqlite3

import pytest

from sweep.errors import ConfigMismatch, ConfigProblem, LeaseHeld, UserError
from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.log.lease import Lease
from sweep.results.rows import load_results
from sweep.running.replay import replay
from tests.sweep.session_runs import ADDING, Clumsy, Interrupted, fold, numbers, run


def test_a_sweep_runs_its_trials_and_evaluates_its_finalists_once(tmp_path):
    outcome = run(tmp_path)
    state = fold(tmp_path)
    assert outcome.reason == "finished"
    assert [t.state for t in state.trials.values()] == [Standing.COMPLETE] * 5
    ranking = sorted(state.trials.values(), key=lambda t: t.values[0])
    assert outcome.finalists == tuple(t.number for t in ranking[:2])
    assert {t.number for t in state.trials.values() if t.test} == set(outcome.finalists)
    assert outcome.best == ranking[0].number


def test_more_trials_go_on_where_the_sweep_ended(tmp_path):
    run(tmp_path, budget__trials=3)
    before = numbers(tmp_path)
    run(tmp_path, budget__trials=5)
    after = numbers(tmp_path)
    assert len(after) == 5
    assert {n: t[:6] for n, t in after.items() if n < 3} == {n: t[:6] for n, t in before.items()}


def test_a_finished_sweep_run_again_changes_no_trial(tmp_path):
    run(tmp_path)
    before = numbers(tmp_path)
    run(tmp_path)
    assert numbers(tmp_path) == before


def test_trials_in_flight_are_taken_up_after_the_coordinator_died(tmp_path):
    with pytest.raises(MemoryError):
        run(tmp_path, Interrupted(polls=6))
    assert any(t.state is Standing.RUNNING for t in fold(tmp_path).trials.values())
    run(tmp_path)
    state = fold(tmp_path)
    assert sorted(state.trials) == [0, 1, 2, 3, 4]
    assert all(t.ended for t in state.trials.values())


@pytest.mark.parametrize(
    "pruning",
    [{"rule": "halving", "reduction_factor": 2}, {"rule": "median", "startup_trials": 2}],
    ids=lambda pruning: pruning["rule"],
)
def test_in_reproducible_order_deaths_of_workers_and_coordinator_change_nothing(tmp_path, pruning):
    changes = {
        "budget__trials": 12,
        "run": {"workers": 2, "order": "reproducible", "checkpoint_seconds": 1e-6},
        "search": {"pruning": pruning},
        "train__max_epochs": 5,
    }
    run(tmp_path / "calm", **changes)
    wild = tmp_path / "wild"
    for polls in (5, 11, 14):
        with pytest.raises(MemoryError):
            run(wild, Interrupted(polls), **changes)
    run(wild, Clumsy(every=7), **changes)
    assert numbers(wild) == numbers(tmp_path / "calm")
    states = {t[0] for t in numbers(wild).values()}
    assert states == {Standing.COMPLETE, Standing.PRUNED}


def test_another_configuration_is_refused_and_nothing_is_written(tmp_path):
    run(tmp_path, budget__trials=2)
    size = fold(tmp_path).seq
    with pytest.raises(ConfigMismatch, match=r"search\.seed: 0 → 9"):
        run(tmp_path, search__seed=9)
    with pytest.raises(ConfigMismatch, match=r"data\.length"):
        run(tmp_path, data={**ADDING, "length": 9})
    assert fold(tmp_path).seq == size


def test_data_that_changed_under_the_same_name_are_refused(tmp_path):
    source = tmp_path / "source.py"
    text = """
import numpy as np
def load():
    x = np.random.default_rng({seed}).normal(size=(40, 5, 1)).astype("float32")
    part = {{"inputs": x, "targets": x}}
    return {{"train": part, "validation": part, "task": "regression"}}
"""
    source.write_text(text.format(seed=1))
    data = {"source": f"{source}:load"}
    run(tmp_path, data=data, budget__trials=1)
    source.write_text(text.format(seed=2))
    with pytest.raises(ConfigMismatch, match="needs the data it began with"):
        run(tmp_path, data=data, budget__trials=2)


def test_a_second_coordinator_is_refused(tmp_path):
    run(tmp_path, budget__trials=1)
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    with Lease.acquire(log, tmp_path / "s"), pytest.raises(LeaseHeld, match="runs it now"):
        run(tmp_path, budget__trials=2)
    log.close()


def test_a_time_budget_pauses_the_sweep_and_more_time_resumes_it(tmp_path):
    outcome = run(tmp_path, budget={"trials": 500, "hours": 2 / 3600})
    state = fold(tmp_path)
    assert outcome.reason == "budget"
    assert 0 < len(state.trials) < 500
    assert not any(t.state is Standing.RUNNING for t in state.trials.values())
    assert {n for n, t in state.trials.items() if t.test} == set(outcome.finalists)
    assert len(outcome.finalists) == 2
    run(tmp_path, budget={"trials": len(state.trials), "hours": 1.0})
    assert all(t.ended for t in fold(tmp_path).trials.values())


def test_several_objectives_and_constraints(tmp_path):
    objectives = [{"metric": "rmse"}, {"metric": "parameters", "direction": "minimize"}]
    run(
        tmp_path,
        search={"objectives": objectives, "constraints": [{"metric": "parameters", "max": 40}]},
        budget__trials=6,
    )
    state = fold(tmp_path)
    assert all(len(t.values) == 2 for t in state.trials.values())
    assert {t.values[1] for t in state.trials.values()} <= {41.0, 37.0, 133.0}
    frame = load_results(tmp_path / "s")
    assert frame["pareto"].any()
    assert not frame["pareto"].all()


def test_known_configurations_run_first(tmp_path):
    run(tmp_path, search={"enqueue": [{"learning_rate": 0.05, "cell": "lstm"}]})
    first = fold(tmp_path).trials[0]
    assert (first.params["learning_rate"], first.params["cell"]) == (0.05, "lstm")
    assert first.source == "enqueued"


def test_an_earlier_sweep_warms_the_search(tmp_path):
    run(tmp_path, budget__trials=4)
    run(tmp_path, name="t", search={"warm_start": ["s"]}, budget__trials=1)
    warmed = fold(tmp_path, "t").warmed
    assert len(warmed) == 4
    assert warmed[0].origin == "s"
    with pytest.raises(ConfigProblem, match="there is none in"):
        run(tmp_path, name="u", search={"warm_start": ["absent"]})
    assert not (tmp_path / "u" / "sweep.db").exists()


def test_a_grid_ends_the_sweep_when_it_is_exhausted(tmp_path):
    space = {"base": None, "parameters": {"cell": ["lstm", "gru"], "num_layers": [1, 2]}}
    run(tmp_path, space=space, search={"sampler": "grid"}, budget__trials=50)
    tried = {(t.params["cell"], t.params["num_layers"]) for t in fold(tmp_path).trials.values()}
    assert (len(tried), len(fold(tmp_path).trials)) == (4, 4)


def test_a_diverging_trial_is_failed_and_the_sweep_goes_on(tmp_path):
    space = {"base": None, "parameters": {"learning_rate": [1e-2, 1e30], "cell": ["rnn_relu"]}}
    run(tmp_path, space=space, search={"sampler": "grid"})
    by_rate = {t.params["learning_rate"]: t for t in fold(tmp_path).trials.values()}
    assert by_rate[1e-2].state is Standing.COMPLETE
    assert by_rate[1e30].diverged


def test_an_impossible_draw_of_a_function_space_is_one_failed_trial(tmp_path):
    source = tmp_path / "space.py"
    source.write_text(
        "def space(trial):\n"
        "    cell = trial.suggest_categorical('cell', ['gru', 'lstm'])\n"
        "    return {'cell': cell, 'forget_bias': 1.0 if trial.number % 2 else None}\n"
    )
    known = [{"cell": "lstm"}, {"cell": "gru"}, {"cell": "gru"}]
    run(
        tmp_path,
        space={"base": f"{source}:space"},
        search={"enqueue": known},
        budget__trials=3,
    )
    trials = fold(tmp_path).trials
    assert [t.state.value for t in trials.values()] == ["complete", "failed", "complete"]
    assert trials[1].reason == "invalid"
    assert "forget_bias needs a cell with a forget gate" in trials[1].message


def test_progress_counts_every_trial_and_ends_with_the_best(tmp_path):
    seen = []
    run(tmp_path, progress=seen.append)
    assert seen[0].phase == "starting"
    assert seen[-1].counts == {"complete": 5}
    assert sum(len(p.ended) for p in seen) == 5
    best = min(fold(tmp_path).trials.values(), key=lambda t: t.values[0])
    assert seen[-1].best.number == best.number


def test_only_the_best_checkpoints_stay(tmp_path):
    run(tmp_path, retention={"checkpoints": 2})
    kept = sorted(p.name for p in (tmp_path / "s" / "checkpoints").iterdir())
    best = sorted(fold(tmp_path).trials.values(), key=lambda t: t.values[0])[:2]
    assert [int(name[6:11]) for name in kept] == sorted(t.number for t in best)


def test_a_trial_that_was_torn_by_deaths_replays_bit_for_bit(tmp_path):
    changes = {"run": {"workers": 2, "checkpoint_seconds": 1e-6}, "train__max_epochs": 4}
    with pytest.raises(MemoryError):
        run(tmp_path, Interrupted(polls=9), **changes)
    run(tmp_path, Clumsy(every=5), **changes)
    torn = next(t for t in fold(tmp_path).trials.values() if t.attempt > 1)
    certificate = replay(tmp_path, "s", torn.number)
    assert certificate.epochs == 4
    assert len(certificate.compared) == 4 * 2 * 5
    assert certificate.bit_equal


def test_a_replay_shows_a_number_that_is_not_what_training_gives(tmp_path):
    run(tmp_path, budget__trials=1)
    database = sqlite3.connect(tmp_path / "s" / "sweep.db")
    text = database.execute("select payload from events where kind='reported'").fetchone()[0]
    payload = json.loads(text)
    payload["validation"]["mse"] *= 2
    query = "update events set payload = ? where kind = 'reported' and epoch = 1"
    database.execute(query, (json.dumps(payload),)).connection.commit()
    certificate = replay(tmp_path, "s", 0)
    assert not certificate.bit_equal
    assert (certificate.worst.epoch, certificate.worst.metric) == (1, "val/mse")
    assert certificate.worst.distance == pytest.approx(0.5)


def test_a_replay_of_an_unknown_trial_is_one_clear_line(tmp_path):
    run(tmp_path, budget__trials=1)
    with pytest.raises(UserError, match="must be one of 0 … 0, but got 7"):
        replay(tmp_path, "s", 7)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"tbptt_forward_steps": None}, "a stream needs truncated BPTT"),
        ({"readout": "last"}, "needs readout=every"),
        ({"loss": "mse"}, "loss must be cross_entropy"),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused_before_anything_is_written(
    tmp_path, train, message
):
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be, that is the question. " * 40)
    with pytest.raises(ConfigProblem, match=message):
        run(tmp_path, data={"source": "text", "path": str(text)}, train=train)
    assert not (tmp_path / "s").exists()


def test_an_objective_that_the_data_do_not_have_is_refused(tmp_path):
    with pytest.raises(ConfigProblem, match=r"objectives metric 'accuracy' can't be measured here"):
        run(tmp_path, search__objectives=[{"metric": "accuracy"}])
