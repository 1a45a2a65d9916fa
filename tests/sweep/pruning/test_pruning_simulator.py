"""The simulator of `tests/benchmarks`: sweeps over known curves, some checkable by hand."""

import pytest

from sweep.history.state import Standing
from sweep.pruning.halving import HalvingRule
from sweep.pruning.none import NoPruning
from tests.benchmarks.pruning_simulator import RULES, TASKS, compare
from tests.benchmarks.recorded_curves import load, path_of
from tests.benchmarks.simulated_sweep import simulate
from tests.sweep.session_runs import ADDING, fold, run

COMPLETE, PRUNED, FAILED = Standing.COMPLETE, Standing.PRUNED, Standing.FAILED


def level(*values, epochs=3):
    """Trials whose value never changes."""
    return [[value] * epochs for value in values]


def test_without_pruning_every_epoch_of_every_trial_is_trained():
    spent = simulate(level(0.3, 0.1, 0.2), 3, NoPruning(), workers=2)
    assert spent.ended == [(COMPLETE, 3)] * 3
    assert (spent.epochs, spent.final) == (9, 0.1)


def test_the_best_of_three_is_promoted_when_the_third_has_come():
    spent = simulate(level(0.3, 0.1, 0.2), 3, HalvingRule(1, 3), workers=1)
    assert spent.ended == [(PRUNED, 1), (COMPLETE, 3), (PRUNED, 1)]
    assert (spent.epochs, spent.final) == (5, 0.1)


def test_the_value_to_reach_counts_the_epochs_until_a_trial_has_shown_it():
    spent = simulate([[0.5, 0.4, 0.1], [0.5, 0.3, 0.3]], 3, NoPruning(), workers=1)
    assert spent.best_so_far == [0.5, 0.4, 0.1, 0.1, 0.1, 0.1]
    assert [spent.epochs_to(value) for value in (0.5, 0.3, 0.0)] == [1, 3, float("inf")]


def test_a_curve_that_breaks_off_is_a_trial_that_diverged():
    spent = simulate([[0.1, 0.1], [0.3, 0.3, 0.3]], 3, NoPruning(), workers=1)
    assert spent.ended == [(FAILED, 2), (COMPLETE, 3)]
    assert spent.final == 0.3


@pytest.mark.parametrize(("name", "rule"), RULES.items(), ids=RULES)
@pytest.mark.parametrize("task", TASKS)
def test_a_rule_trains_a_third_of_the_epochs_and_the_same_ones_again(task, name, rule):
    recording = load(path_of(task))
    curves = [[recording.sign * value for value in trial.values] for trial in recording.trials]
    first, again = (simulate(curves, recording.max_epochs, rule, workers=4) for _ in range(2))
    assert first == again
    # An order of 81 trials costs about a third; never to stop anybody would be 1.
    assert first.epochs < 0.4 * sum(map(len, curves))
    best = min(map(min, curves))
    if "epoch 1" not in name and name != "median":  # these two judge by noise on digits
        assert first.final <= best + recording.seed_deviation
    assert {standing for standing, _ in first.ended} <= {COMPLETE, PRUNED, FAILED}


def test_recorded_curves_are_whole():
    for task in TASKS:
        recording = load(path_of(task))
        assert {len(trial.values) for trial in recording.trials} == {recording.max_epochs}
        assert len({trial.seed for trial in recording.replicates}) == 5
        assert recording.seed_deviation > 0


def test_a_comparison_is_relative_to_the_same_order_unpruned():
    compared = compare(load(path_of("digits")), {"none": NoPruning()}, orders=1)["none"]
    assert [(c.spent, c.own_way, c.beyond) for c in compared] == [(1.0, 1.0, 0.0)]


def test_a_simulated_sweep_decides_as_the_product_does(tmp_path):
    same = {
        "data": {**ADDING, "train_sequences": 16},
        "train__max_epochs": 9,
        "budget__trials": 9,
        "finalists__count": 0,
        "run__order": "reproducible",
        "search__sampler": "random",
    }
    run(tmp_path / "whole", **same)
    curves = [[epoch["rmse"] for epoch in validations] for validations in shown(tmp_path / "whole")]
    run(tmp_path / "pruned", **same, search__pruning={"rule": "halving"})
    real = [(trial.state, trial.epoch) for trial in fold(tmp_path / "pruned").trials.values()]
    assert {standing for standing, _ in real} == {COMPLETE, PRUNED}
    assert simulate(curves, 9, HalvingRule(), 2, "reproducible").ended == real


def shown(folder):
    """Validation metrics by epoch of every trial."""
    for trial in fold(folder).trials.values():
        yield [trial.reports[epoch].validation for epoch in sorted(trial.reports)]
