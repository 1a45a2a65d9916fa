"""Whole sweeps that pause, promote, prune, audit and replicate, over the in-process executor."""

from collections import Counter

import pytest

from sweep.errors import ConfigProblem
from sweep.history.goal import searched
from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.log.kinds import Continued, Reported, Started
from tests.sweep.session_runs import Clumsy, Interrupted, fold, numbers, run

HALVING = {
    "budget__trials": 12,
    "train__max_epochs": 9,
    "search": {"pruning": {"rule": "halving"}},
    "run": {"workers": 2, "checkpoint_seconds": 1e-6},
}


def events(tmp_path, kind):
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    try:
        return [e for e in log.read() if isinstance(e.what, kind)]
    finally:
        log.close()


def test_halving_pauses_promotes_and_trains_something_to_its_end(tmp_path):
    run(tmp_path, **HALVING)
    trials = fold(tmp_path).trials.values()
    assert Counter(t.epoch for t in trials)[9] >= 1
    assert {t.state for t in trials} == {Standing.COMPLETE, Standing.PRUNED}
    promoted = [e.trial for e in events(tmp_path, Continued) if e.what.promoted]
    started = Counter(e.trial for e in events(tmp_path, Started))
    assert promoted
    assert all(started[number] >= 2 for number in promoted)


def test_a_promoted_trial_goes_on_from_the_rung_where_it_was_paused(tmp_path):
    run(tmp_path, **HALVING)
    promotions = {e.trial: e.epoch for e in events(tmp_path, Continued) if e.what.promoted}
    last = {e.trial: e.what.from_epoch for e in events(tmp_path, Started)}
    assert {n: last[n] for n in promotions} == promotions
    epochs = Counter((e.trial, e.epoch) for e in events(tmp_path, Reported))
    assert set(epochs.values()) == {1}


def test_paused_trials_leave_no_checkpoint_behind(tmp_path):
    run(tmp_path, **HALVING, retention={"checkpoints": 2})
    kept = {int(p.name[6:11]) for p in (tmp_path / "s" / "checkpoints").iterdir()}
    complete = {n for n, t in fold(tmp_path).trials.items() if t.state is Standing.COMPLETE}
    assert kept <= complete


@pytest.mark.parametrize("rule", ["halving", "hyperband"])
def test_promotions_are_the_same_whoever_dies_in_reproducible_order(tmp_path, rule):
    changes = {
        **HALVING,
        "budget__trials": 16,
        "run": {**HALVING["run"], "order": "reproducible"},
        "search": {"pruning": {"rule": rule}},
    }
    run(tmp_path / "calm", **changes)
    wild = tmp_path / "wild"
    for polls in (7, 13, 20):
        with pytest.raises(MemoryError):
            run(wild, Interrupted(polls), **changes)
    run(wild, Clumsy(every=6), **changes)
    assert numbers(wild) == numbers(tmp_path / "calm")
    assert any(e.what.promoted for e in events(wild, Continued))


@pytest.mark.parametrize(
    ("pruner", "options"),
    [
        ("MedianPruner", {"n_startup_trials": 2}),
        ("SuccessiveHalvingPruner", {"bootstrap_count": 0}),
        ("PercentilePruner", {"percentile": 25.0, "n_startup_trials": 2}),
    ],
)
def test_optunas_pruners_stop_trials(tmp_path, pruner, options):
    pruning = {"rule": "optuna", "pruner": pruner, "options": options}
    changes = {
        "budget__trials": 10,
        "train__max_epochs": 4,
        "search": {"pruning": pruning},
        "run": {"workers": 1, "pack": 1},
    }
    with pytest.raises(MemoryError):
        run(tmp_path, Interrupted(9), **changes)
    run(tmp_path, **changes)
    states = Counter(t.state for t in fold(tmp_path).trials.values())
    assert states[Standing.PRUNED] >= 1
    assert states[Standing.COMPLETE] >= 1


@pytest.mark.parametrize(
    ("pruning", "run_section", "message"),
    [
        ({"rule": "optuna", "pruner": "MedianPruner"}, {"pack": 4}, "needs run.pack=1"),
        ({"rule": "optuna", "pruner": "Median"}, {"pack": 1}, "must be one of .*MedianPruner"),
        (
            {"rule": "optuna", "pruner": "MedianPruner", "options": {"x": 1}},
            {"pack": 1},
            "must be arguments of optuna.pruners.MedianPruner",
        ),
    ],
)
def test_a_pruner_that_can_not_be_is_one_clear_line(tmp_path, pruning, run_section, message):
    with pytest.raises(ConfigProblem, match=message):
        run(tmp_path, search={"pruning": pruning}, run=run_section)
    assert not (tmp_path / "s").exists()


def test_an_audit_trains_pruned_trials_to_their_end(tmp_path):
    changes = {**HALVING, "search": {"pruning": {"rule": "halving", "audit": 2}}}
    with pytest.raises(MemoryError):
        run(tmp_path, Interrupted(25), **changes)
    run(tmp_path, **changes)
    trials = fold(tmp_path).trials
    audits = [t for t in trials.values() if t.source == "audit"]
    assert len(audits) == 2
    for audit in audits:
        pruned = trials[audit.of]
        assert pruned.state is Standing.PRUNED
        assert (audit.state, audit.epoch) == (Standing.COMPLETE, 9)
        assert (audit.params, audit.seed) == (pruned.params, pruned.seed)
        for epoch, report in pruned.reports.items():
            assert audit.reports[epoch].validation == report.validation
    run(tmp_path, **changes)
    assert len(fold(tmp_path).trials) == 14


def test_finalists_are_trained_again_on_shared_seeds_and_tested(tmp_path):
    outcome = run(tmp_path, finalists={"count": 2, "replicates": 3})
    trials = fold(tmp_path).trials
    again = [t for t in trials.values() if t.source == "replicate"]
    assert sorted(t.of for t in again) == sorted([*outcome.finalists] * 2)
    first, second = ({t.seed for t in again if t.of == n} for n in outcome.finalists)
    assert first == second
    assert len(first) == 2
    assert all(t.test and t.params == trials[t.of].params for t in again)
    assert len(searched(trials.values())) == 5
    assert outcome.best in outcome.finalists
    more = run(tmp_path, finalists={"count": 2, "replicates": 4})
    assert len(fold(tmp_path).trials) == 5 + 2 * 3
    assert more.finalists == outcome.finalists
