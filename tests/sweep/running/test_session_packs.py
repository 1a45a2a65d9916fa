"""Whole sweeps in packs, over the in-process executor."""

import time
from collections import Counter

import pytest

from sweep.history.state import Standing
from sweep.log.event_log import EventLog
from sweep.log.kinds import Completed, Failed, Lost, Started
from sweep.work.executors import InProcessExecutor
from tests.sweep.session_runs import Clumsy, Interrupted, fold, numbers, run
from trainers.errors import OutOfMemory
from trainers.packs.pack import Pack

SPACE = {
    "base": None,
    "parameters": {
        "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
        "cell": ["lstm", "gru", "rnn_tanh"],
        "hidden_size": [4, 8],
    },
}
PACKS = {
    "space": SPACE,
    "budget__trials": 20,
    "train": {"batch_size": 16, "max_epochs": 3},
    "run": {"workers": 1, "pack": 4},
}


class Patient(InProcessExecutor):
    """Trains only when everything is decided, as slow training would have it."""

    def poll(self, timeout_seconds):
        return super().poll(timeout_seconds) if timeout_seconds else []


def test_trials_are_asked_in_packs_that_share_a_structure(tmp_path):
    run(tmp_path, Patient(), **PACKS)
    trials = fold(tmp_path).trials
    leads = Counter(t.lead for t in trials.values())
    assert sorted(leads.values()) == [4, 8, 8]
    for trial in trials.values():
        lead = trials[trial.lead]
        assert trial.params["cell"] == lead.params["cell"]
        assert trial.params["hidden_size"] == lead.params["hidden_size"]
    assert len({t.params["learning_rate"] for t in trials.values()}) == 20


def test_a_pack_holds_its_slots_worth_of_trials_at_a_time(tmp_path):
    run(tmp_path, Patient(), **PACKS)
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    held, most = set(), 0
    for event in log.read():
        if isinstance(event.what, Started):
            held.add(event.trial)
        elif isinstance(event.what, Completed | Failed):
            held.discard(event.trial)
        most = max(most, len(held))
    log.close()
    assert most == 4


@pytest.mark.parametrize("backend", ["auto", "stepwise"])
def test_a_pack_of_eight_ends_with_the_table_of_trials_alone(tmp_path, backend):
    tried = {"learning_rate": [1e-3, 1e-2, 1e-1], "cell": ["lstm", "gru"]}
    changes = {
        "space": {"base": None, "parameters": tried},
        "search": {"sampler": "grid"},
        "train": {"hidden_size": 4, "batch_size": 16, "max_epochs": 3, "dtype": "float64"},
    }
    run(tmp_path / "alone", **changes, run={"workers": 1, "pack": 1})
    run(tmp_path / "packed", **changes, run={"workers": 1, "pack": 8, "backend": backend})
    alone, packed = fold(tmp_path / "alone").trials, fold(tmp_path / "packed").trials
    for number, trial in alone.items():
        tolerance = 0.0 if backend == "auto" else 1e-9
        curve, other = (
            [t.reports[epoch].validation["rmse"] for epoch in (1, 2, 3)]
            for t in (trial, packed[number])
        )
        assert other == pytest.approx(curve, rel=tolerance, abs=0)
        assert packed[number].best_epoch == trial.best_epoch


def test_in_reproducible_order_packs_survive_deaths_of_workers_and_coordinator(tmp_path):
    changes = {
        **PACKS,
        "train": {"batch_size": 16, "max_epochs": 5},
        "search": {"pruning": {"rule": "halving"}},
        "run": {"workers": 2, "pack": 2, "order": "reproducible", "checkpoint_seconds": 1e-6},
    }
    run(tmp_path / "calm", **changes)
    wild = tmp_path / "wild"
    for polls in (5, 11, 17):
        with pytest.raises(MemoryError):
            run(wild, Interrupted(polls), **changes)
    run(wild, Clumsy(every=6), **changes)
    assert numbers(wild) == numbers(tmp_path / "calm")


def test_a_diverging_trial_leaves_its_neighbours_as_they_are(tmp_path):
    space = {"base": None, "parameters": {"learning_rate": [1e-2, 1e30, 1e-3]}}
    changes = {"space": space, "search": {"sampler": "grid"}, "train__cell": "rnn_relu"}
    run(tmp_path / "alone", **changes, run={"workers": 1, "pack": 1})
    run(tmp_path / "packed", **changes, run={"workers": 1, "pack": 3})
    assert numbers(tmp_path / "packed") == numbers(tmp_path / "alone")
    states = Counter(t.state for t in fold(tmp_path / "packed").trials.values())
    assert states == {Standing.COMPLETE: 2, Standing.FAILED: 1}


def test_out_of_memory_halves_the_pack_and_loses_nothing(tmp_path, monkeypatch):
    advance = Pack.advance

    def cramped(self, slots, seconds=None):
        if len(slots) > 2:
            raise OutOfMemory(f"a pack must fit into memory, but {len(slots)} trials did not.")
        time.sleep(seconds)  # one epoch a call, so that others join before a trial ends
        return advance(self, slots)

    monkeypatch.setattr(Pack, "advance", cramped)
    run(tmp_path, Patient(), **{**PACKS, "budget__trials": 4})
    state = fold(tmp_path)
    assert all(t.state is Standing.COMPLETE for t in state.trials.values())
    log = EventLog.open(tmp_path / "s" / "sweep.db", "s")
    reasons = [e.what.reason for e in log.read() if isinstance(e.what, Lost)]
    log.close()
    assert len(reasons) >= 3
    assert all("at most 2 trials train together" in reason for reason in reasons)


def test_a_trial_without_memory_even_alone_is_failed_and_the_sweep_goes_on(tmp_path, monkeypatch):
    advance = Pack.advance

    def cramped(self, slots, seconds=None):
        if self.structure.hidden_size == 8:
            raise OutOfMemory("a pack must fit into memory, but 1 trial did not.")
        return advance(self, slots, seconds)

    monkeypatch.setattr(Pack, "advance", cramped)
    run(tmp_path, **{**PACKS, "run": {"workers": 1, "pack": 2}})
    trials = fold(tmp_path).trials.values()
    sizes = {
        t.state: {u.params["hidden_size"] for u in trials if u.state is t.state} for t in trials
    }
    assert sizes == {Standing.COMPLETE: {4}, Standing.FAILED: {8}}


def test_a_bug_in_one_trial_is_found_among_its_neighbours(tmp_path, monkeypatch):
    advance = Pack.advance

    def broken(self, slots, seconds=None):
        rates = [self._trials[slot].config.learning_rate for slot in slots]
        if any(rate > 0.05 for rate in rates):
            raise ArithmeticError("a bug")
        return advance(self, slots, seconds)

    monkeypatch.setattr(Pack, "advance", broken)
    run(tmp_path, InProcessExecutor(), **PACKS)
    trials = fold(tmp_path).trials.values()
    failed = {t.number for t in trials if t.state is Standing.FAILED}
    assert failed == {t.number for t in trials if t.params["learning_rate"] > 0.05}
    assert 0 < len(failed) < 20
