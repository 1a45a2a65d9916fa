"""Where the workers' time went: sums that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sweep.history.ledger import Ledger, LedgerFold, ledger_of
from sweep.log.event import Event
from sweep.log.kinds import Closed, Lost, Opened, Pruned
from tests.sweep.events_factory import asked, changed, completed, reported, run_of, some, started


def at(event: Event, time: float) -> Event:
    return replace(event, time=time)


def opened(time: float, workers: int = 2) -> Event:
    return Event(some(Opened, workers=workers), time=time)


def closed(time: float, busy: float) -> Event:
    return Event(some(Closed, busy_seconds=busy), time=time)


def pruned(trial: int, epoch: int) -> Event:
    return Event(some(Pruned, values=(1.0,)), trial, 1, epoch)


def moved(events: list[Event], time: float) -> list[Event]:
    return [at(event, time) for event in events]


def test_a_sweep_without_trouble():
    # Two workers for 10 s; training begins after 1 s; 3 s of it complete, 2 s pruned.
    events = [
        opened(100.0),
        *moved(run_of(0, 0.5, 0.4, 0.3), 101.0),
        at(completed(0, 0.3, epoch=3), 104.0),
        *moved(run_of(1, 0.9, 0.8), 105.0),
        at(pruned(1, 2), 106.0),
        closed(110.0, busy=6.5),
    ]
    ledger = ledger_of(events)
    assert ledger == Ledger(
        available=20.0, complete=3.0, pruned=2.0, other=1.5, starting=2.0, idle=11.5
    )
    assert ledger.busy == pytest.approx(6.5)
    assert ledger.busy_fraction == pytest.approx(6.5 / 18.0)


def test_epochs_trained_again_after_a_death_are_lost_once():
    events = [
        opened(0.0, workers=1),
        *moved(run_of(0, 0.5, 0.4, 0.3), 1.0),
        at(Event(Lost("killed"), 0, 1, 3), 4.0),
        at(started(0, attempt=2, from_epoch=1), 5.0),
        at(reported(0, 2, 0.4, attempt=2), 6.0),
        at(reported(0, 3, 0.3, attempt=2), 7.0),
        at(completed(0, 0.3, attempt=2, epoch=3), 7.0),
        closed(8.0, busy=5.0),
    ]
    ledger = ledger_of(events)
    assert (ledger.complete, ledger.lost, ledger.other) == (3.0, 2.0, 0.0)
    assert ledger.idle == pytest.approx(8.0 - 1.0 - 5.0)


def test_a_killed_session_ends_with_its_last_event_and_the_next_one_counts_from_its_own_start():
    events = [
        opened(0.0, workers=1),
        *moved(run_of(0), 1.0),
        at(reported(0, 1, 0.5), 2.0),
        opened(100.0, workers=1),
        at(started(0, attempt=2, from_epoch=1), 101.0),
        at(reported(0, 2, 0.4, attempt=2), 102.0),
        at(completed(0, 0.4, attempt=2, epoch=2), 102.0),
        closed(103.0, busy=1.25),
    ]
    ledger = ledger_of(events)
    assert ledger.available == pytest.approx(2.0 + 3.0)
    assert ledger.starting == pytest.approx(1.0 + 1.0)
    assert (ledger.complete, ledger.other) == (2.0, 0.25)


def test_a_running_sweep_has_a_ledger_too():
    events = [opened(0.0, workers=1), *moved(run_of(0, 0.5), 1.0), at(reported(0, 2, 0.4), 3.0)]
    ledger = ledger_of(events)
    assert (ledger.available, ledger.unfinished, ledger.idle) == (3.0, 2.0, 0.0)


@pytest.mark.parametrize(("source", "entry"), [("audit", "audits"), ("replicate", "replicates")])
def test_repetitions_have_entries_of_their_own(source: str, entry: str):
    again = changed(asked(1), source=source, of=0)
    events = [opened(0.0), again, *run_of(1, 0.5)[1:], completed(1, 0.5, epoch=1)]
    assert getattr(ledger_of(moved(events, 5.0)), entry) == 1.0


def test_the_entries_add_up_even_when_clocks_disagree():
    # A worker whose clock is fast trains 30 s in a session of 10.
    slow: dict[str, Any] = {"seconds": 30.0}
    events = [opened(0.0, workers=1), asked(0), at(started(0), 1.0), reported(0, 1, 0.5, **slow)]
    ledger = ledger_of([*[at(e, min(e.time, 1.0)) for e in events], closed(10.0, busy=30.0)])
    assert sum(ledger.entries().values()) == pytest.approx(ledger.available)
    assert ledger.idle == 0.0


def test_a_report_told_twice_and_one_of_a_given_up_attempt_count_once():
    events = [opened(0.0, workers=1), *moved(run_of(0, 0.5), 1.0), at(reported(0, 1, 0.5), 2.0)]
    events += [at(started(0, attempt=2, from_epoch=1), 3.0), at(reported(0, 2, 0.4), 4.0)]
    assert ledger_of(events).unfinished == 1.0


def test_a_log_without_a_session_has_an_empty_ledger():
    assert LedgerFold().ledger() == Ledger()
    assert LedgerFold().ledger().busy_fraction == 0.0
