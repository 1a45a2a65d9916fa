"""Whole sweeps that bring paused and pruned trials to their end, to have finalists enough."""

from collections import Counter

import pytest

from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.log.kinds import Pruned, Recalled, Reported, Started
from sweep.results.results import open_results
from sweep.work.executors import InProcessExecutor
from tests.sweep.session_runs import Clumsy, Interrupted, fold, numbers, run

EIGHT = {
    "budget__trials": 8,
    "train__max_epochs": 9,
    "search": {"pruning": {"rule": "halving"}},
    "finalists": {"count": 3},
    "run": {"workers": 2, "checkpoint_seconds": 1e-6},
}
MEDIAN = {
    **EIGHT,
    "search": {"pruning": {"rule": "median", "startup_trials": 1}},
    "finalists": {"count": 6},
    "run": {"workers": 2},
}


class DiesInFinals(InProcessExecutor):
    """Dies like a coordinator would, so many polls after the first trial was recalled."""

    def __init__(self, folder, polls):
        super().__init__()
        self.folder, self.left = folder, polls

    def poll(self, timeout_seconds):
        if events(self.folder, Recalled):
            self.left -= 1
        if self.left < 0:
            raise MemoryError("the coordinator dies here")
        return super().poll(timeout_seconds)


def events(tmp_path, kind):
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    try:
        return [e for e in log.read() if isinstance(e.what, kind)]
    finally:
        log.close()


def test_eight_trials_under_halving_have_three_finalists(tmp_path):
    outcome = run(tmp_path, **EIGHT)
    trials = fold(tmp_path).trials
    recalled = {e.trial for e in events(tmp_path, Recalled)}
    assert len(recalled) == 2
    assert len(outcome.finalists) == 3
    assert recalled < set(outcome.finalists)
    assert {n for n, t in trials.items() if t.epoch == 9} == set(outcome.finalists)
    assert all(trials[n].test for n in outcome.finalists)
    assert outcome.finalists_missing == 0


def test_a_recalled_trial_goes_on_from_where_it_was_paused(tmp_path):
    run(tmp_path, **EIGHT)
    stood = {e.trial: e.epoch for e in events(tmp_path, Recalled)}
    last = {e.trial: e.what.from_epoch for e in events(tmp_path, Started)}
    assert {n: last[n] for n in stood} == stood
    epochs = Counter((e.trial, e.epoch) for e in events(tmp_path, Reported))
    assert set(epochs.values()) == {1}


def test_the_best_by_validation_are_recalled(tmp_path):
    run(tmp_path, **EIGHT)
    trials = fold(tmp_path).trials.values()
    stood = {e.trial: e.epoch for e in events(tmp_path, Recalled)}

    def shown(trial, epoch):
        return min(trial.reports[e].validation["rmse"] for e in range(1, epoch + 1))

    worst = max(shown(t, stood[t.number]) for t in trials if t.number in stood)
    left = [shown(t, t.epoch) for t in trials if t.state is Standing.PRUNED]
    assert worst < min(left)


@pytest.mark.parametrize(
    "rule", [{"rule": "halving"}, {"rule": "hyperband"}, {"rule": "median", "startup_trials": 1}]
)
def test_finals_are_the_same_whoever_dies_in_reproducible_order(tmp_path, rule):
    changes = {
        **EIGHT,
        "finalists": {"count": 8},
        "run": {**EIGHT["run"], "order": "reproducible"},
        "search": {"pruning": rule},
    }
    run(tmp_path / "calm", **changes)
    wild = tmp_path / "wild"
    for polls in (0, 2):
        with pytest.raises(MemoryError):
            run(wild, DiesInFinals(wild, polls), **changes)
    run(wild, Clumsy(every=6), **changes)
    assert numbers(wild) == numbers(tmp_path / "calm")
    assert [e.trial for e in events(wild, Recalled)] == [
        e.trial for e in events(tmp_path / "calm", Recalled)
    ]


def test_a_trial_that_a_rung_stopped_for_good_is_trained_again_to_the_same_numbers(tmp_path):
    outcome = run(tmp_path, **MEDIAN)
    pruned = {e.trial for e in events(tmp_path, Pruned)}
    assert pruned
    assert len(outcome.finalists) == 6
    assert {e.trial for e in events(tmp_path, Recalled)} <= pruned
    trained = [(e.trial, e.epoch, e.what.validation["rmse"]) for e in events(tmp_path, Reported)]
    twice = Counter(place for *place, _ in map(list, trained) for place in [tuple(place)])
    assert max(twice.values()) == 2
    values = {}
    for number, epoch, value in trained:
        assert values.setdefault((number, epoch), value) == value


def test_a_trial_that_was_stopped_goes_on_from_a_checkpoint_where_it_has_one(tmp_path):
    run(tmp_path, **{**MEDIAN, "run": {"workers": 2, "checkpoint_seconds": 1e-6}})
    last = {e.trial: e.what.from_epoch for e in events(tmp_path, Started)}
    assert any(last[e.trial] > 0 for e in events(tmp_path, Recalled))
    complete = {n for n, t in fold(tmp_path).trials.items() if t.state is Standing.COMPLETE}
    assert {int(p.name[6:11]) for p in (tmp_path / "s" / "checkpoints").iterdir()} <= complete


def test_a_budget_that_is_spent_leaves_finalists_out_and_says_how_many(tmp_path):
    spent = {**EIGHT, "budget": {"trials": 8, "hours": 1e-9}}
    outcome = run(tmp_path, **spent)
    assert (outcome.reason, outcome.finalists_missing) == ("budget", 0)
    with pytest.raises(MemoryError):
        run(tmp_path, Interrupted(30), **EIGHT)
    outcome = run(tmp_path, **spent)
    assert outcome.reason == "budget"
    assert outcome.finalists_missing > 0
    assert len(run(tmp_path, **EIGHT).finalists) == 3


def test_time_and_counts_are_told_of_recalled_trials_once(tmp_path):
    shown = []
    run(tmp_path, progress=shown.append, **MEDIAN)
    results = open_results(tmp_path / "s")
    assert shown[-1].counts == {k: v for k, v in results.standings().items() if v}
    assert results.ledger.lost >= 0
    assert results.ledger.complete > 0


def test_audits_leave_out_who_was_recalled(tmp_path):
    run(tmp_path, **{**EIGHT, "search": {"pruning": {"rule": "halving", "audit": 2}}})
    recalled = {e.trial for e in events(tmp_path, Recalled)}
    audited = {t.of for t in fold(tmp_path).trials.values() if t.source == "audit"}
    assert len(audited) == 2
    assert not audited & recalled
