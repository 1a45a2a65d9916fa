"""The loss curves of a trial, folded from events, and the diagnosis that is shown of them."""

from __future__ import annotations

import pytest

from sweep.history.curves import LossCurves
from sweep.log.event import Event
from sweep.log.kinds import Completed, Pruned, Reported, Started
from sweep.results.rows import load_results
from tests.sweep.events_factory import changed, some
from tests.sweep.sink_record import record
from tests.sweep.sweep_factory import asked, ended, write_sweep

BALANCED = [(1.0, 1.0), (0.6, 0.65), (0.4, 0.45), (0.3, 0.35), (0.29, 0.34), (0.29, 0.34)]
OVERFITTING = [(1.0, 1.0), (0.6, 0.6), (0.4, 0.5), (0.3, 0.6), (0.2, 0.7)]


def started(attempt=1, from_epoch=0):
    return Event(Started("w0", from_epoch, None), 0, attempt)


def reported(losses, trial=0, attempt=1, first=1):
    best = {"best": {"rmse": 0.3}, "best_epoch": 3}
    contents = [
        some(Reported, train={"loss": t}, validation={"loss": v}, **best) for t, v in losses
    ]
    return [Event(what, trial, attempt, epoch) for epoch, what in enumerate(contents, start=first)]


def judged(*events):
    curves = LossCurves()
    for event in events:
        curves.apply(event)
    return curves.judge()


def test_curves_are_judged_by_the_losses_of_every_epoch():
    assert judged(started(), *reported(BALANCED)) == "balanced"
    assert judged(started(), *reported(OVERFITTING)) == "overfitting"
    assert judged(started(), *reported(BALANCED[:3])) is None


def test_a_new_attempt_takes_back_what_came_after_its_checkpoint():
    events = [
        started(), *reported(OVERFITTING),
        started(attempt=2, from_epoch=2), *reported(BALANCED[2:], attempt=2, first=3),
    ]  # fmt: skip
    assert judged(*events) == "balanced"


def test_an_epoch_told_twice_counts_once():
    events = [started(), *reported(BALANCED), *reported(BALANCED[-1:], first=6)]
    curves = LossCurves()
    for event in events:
        curves.apply(event)
    assert len(curves.train) == len(curves.validation) == 6


def test_curves_with_holes_are_not_judged():
    events = reported(BALANCED)
    events[2] = changed(events[2], validation={})
    assert judged(started(), *events) is None


@pytest.mark.parametrize(("kind", "shown"), [(Completed, "overfitting"), (Pruned, None)])
def test_the_results_table_shows_the_diagnosis_of_complete_trials(tmp_path, kind, shown):
    end = ended(kind, 0, 5, {"rmse": 0.3}, values=(0.3,))
    folder = write_sweep(tmp_path, asked(0), started(), *reported(OVERFITTING), end)
    (diagnosis,) = load_results(folder)["diagnosis"]
    assert (diagnosis or None) == shown


def tags_of(kind):
    end = ended(kind, 0, 5, {"rmse": 0.3}, values=(0.3,))
    return record([asked(0), started(), *reported(OVERFITTING), end]).tags["digits-0"]


def test_the_diagnosis_is_a_tag_of_a_complete_trials_run():
    assert tags_of(Completed)["sweep.diagnosis"] == "overfitting"
    assert "sweep.diagnosis" not in tags_of(Pruned)
