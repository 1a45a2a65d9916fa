import dataclasses

from sweep.log.event import Event
from sweep.log.kinds import Continued, Lost, Paused
from sweep.pruning.halving import HalvingRule
from sweep.pruning.none import NoPruning
from sweep.running.scheduler import (
    Decisions,
    Scheduling,
    decide,
    known_generation,
    may_ask,
    next_stop_seconds,
)
from sweep.running.telling import TrialOutcome, due
from tests.sweep.events_factory import asked, completed, folded, reported, run_of, some, started

FREE = Scheduling("free", target=100, rule=NoPruning(), look_ahead=6, cohort=2)
REPRODUCIBLE = dataclasses.replace(FREE, order="reproducible")
HALVING = dataclasses.replace(FREE, rule=HalvingRule(1, 3))


def test_an_idle_worker_makes_the_sweep_ask():
    assert decide(folded(), {"w0": []}, FREE) == Decisions(ask=True)


def test_without_a_living_worker_nothing_is_asked():
    assert decide(folded(), {}, FREE) == Decisions()


def test_a_waiting_trial_goes_to_the_least_loaded_worker():
    state = folded(*run_of(0), asked(1))
    assert decide(state, {"w0": [0], "w1": []}, FREE).assignments == ((1, "w1"),)


def test_a_busy_worker_gets_a_standby_only_when_its_trial_may_soon_end():
    soon = folded(*run_of(0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5))  # one epoch of 1 s is left
    assert decide(soon, {"w0": [0]}, FREE).ask
    late = folded(*run_of(0, 0.5))  # eight epochs of 1 s are left
    assert not decide(late, {"w0": [0]}, FREE).ask


def test_a_trial_may_end_at_its_next_rung_or_by_patience():
    trial = folded(*run_of(0, 0.5)).trials[0]
    assert next_stop_seconds(trial, (3,)) == 2.0
    trial.config["patience"] = 1
    assert next_stop_seconds(trial, ()) == 1.0
    assert next_stop_seconds(folded(*run_of(0)).trials[0], ()) is None


def test_the_sweep_is_finished_when_the_budget_is_spent_and_nothing_is_active():
    rules = dataclasses.replace(FREE, target=1)
    assert not decide(folded(*run_of(0, 0.5)), {"w0": [0]}, rules).finished
    assert decide(folded(*run_of(0, 0.5), completed(0, 0.5)), {"w0": []}, rules).finished


def test_a_trial_that_killed_three_workers_in_a_row_is_given_up():
    died = Event(Lost("x", worker_died=True), 0, 1, 0)
    lost = [event for a in (1, 2, 3) for event in (started(0, attempt=a), died)]
    state = folded(asked(0), *lost)
    assert decide(state, {"w0": []}, FREE).given_up == (0,)
    assert decide(folded(asked(0), *lost[:4]), {"w0": []}, FREE).assignments == ((0, "w0"),)


def test_of_the_trials_that_may_have_killed_a_worker_no_two_train_together_again():
    events = [event for n in range(3) for event in (asked(n), started(n))]
    lost = Lost("x", worker_died=True, suspects=3)
    events += [Event(lost, n, 1, 0) for n in range(3)]
    state = folded(*events, asked(3))
    assert [t.deaths for t in state.trials.values()] == [0, 0, 0, 0]
    rules = dataclasses.replace(FREE, pack=4)
    assert decide(state, {"w0": []}, rules).assignments == ((0, "w0"), (3, "w0"))
    assert decide(state, {"w0": [], "w1": []}, rules).assignments == (
        (0, "w0"), (1, "w1"), (3, "w0")
    )  # fmt: skip
    state.apply(started(0, attempt=2))
    state.apply(reported(0, 1, 0.5, attempt=2))
    assert not state.trials[0].suspect


def test_no_more_trials_than_allowed_train_at_once():
    rules = dataclasses.replace(FREE, most_at_once=2, pack=4)
    state = folded(*run_of(0), asked(1), asked(2))
    assert decide(state, {"w0": [0], "w1": []}, rules).assignments == ((1, "w1"),)
    state = folded(*run_of(0), *run_of(1, worker="w1"))
    assert decide(state, {"w0": [0], "w1": [1]}, rules) == Decisions()


def test_a_trial_that_gets_on_between_deaths_is_not_given_up():
    died = Event(Lost("x", worker_died=True), 0, 1, 0)
    events = [asked(0)]
    for attempt in range(1, 7):
        events += [started(0, attempt=attempt), reported(0, attempt, 0.5, attempt=attempt), died]
    assert decide(folded(*events), {"w0": []}, FREE).assignments == ((0, "w0"),)


def test_trials_at_a_rung_are_judged_as_one_set():
    state = folded(*run_of(0, 0.3), *run_of(1, 0.1), *run_of(2, 0.2))
    verdicts = decide(state, {"w0": [0], "w1": [1, 2]}, HALVING).verdicts
    assert {v.trial: v.goes_on for v in verdicts} == {0: False, 1: True, 2: False}


def test_a_worker_whose_trials_all_wait_at_rungs_gets_another():
    rules = dataclasses.replace(HALVING, order="reproducible", cohort=2)
    state = folded(*run_of(0, 0.3))
    assert decide(state, {"w0": [0]}, rules) == Decisions(ask=True)


def test_in_reproducible_order_a_rung_waits_for_its_whole_cohort():
    rules = dataclasses.replace(HALVING, order="reproducible", cohort=2)
    half = folded(*run_of(0, 0.3), *run_of(1, worker="w1"))
    assert decide(half, {"w0": [0], "w1": [1]}, rules).verdicts == ()
    whole = folded(*run_of(0, 0.3), *run_of(1, 0.1, worker="w1"))
    rules = dataclasses.replace(rules, rule=HalvingRule(1, 2))
    verdicts = decide(whole, {"w0": [0], "w1": [1]}, rules).verdicts
    assert {v.trial: v.goes_on for v in verdicts} == {0: False, 1: True}


def test_in_reproducible_order_a_cohort_waits_for_the_ones_before():
    rules = dataclasses.replace(HALVING, order="reproducible", cohort=1)
    state = folded(*run_of(0), *run_of(1, 0.1, worker="w1"))
    assert decide(state, {"w0": [0], "w1": [1]}, rules).verdicts == ()


def test_in_reproducible_order_the_last_cohort_may_be_short():
    rules = dataclasses.replace(HALVING, order="reproducible", cohort=4, target=1)
    assert [v.trial for v in decide(folded(*run_of(0, 0.3)), {"w0": [0]}, rules).verdicts] == [0]


def test_in_reproducible_order_trial_n_waits_for_trial_n_minus_look_ahead():
    six = [event for n in range(6) for event in run_of(n, 0.5)]
    assert not may_ask(folded(*six), REPRODUCIBLE)
    assert may_ask(folded(*six, completed(0, 0.5)), REPRODUCIBLE)
    assert not may_ask(folded(*six, completed(1, 0.5)), REPRODUCIBLE)
    assert may_ask(folded(*six), FREE)


def test_in_reproducible_order_an_ask_waits_for_promotions_that_it_must_know():
    """With a look-ahead of 6 and cohorts of 2, the ask of index 8 knows what cohort 0 decided."""
    ended = [event for n in range(1, 8) for event in (asked(n), completed(n, 0.5))]
    pause = some(Paused, best={"loss": 0.3}, best_epoch=1, values=(0.3,))
    again = [*run_of(0, 0.3), Event(pause, 0, 1, 1)]

    def state(generation):
        promoted = Event(Continued(True, generation), 0, 1, 1)
        return folded(*again, promoted, *ended)

    assert known_generation(8, REPRODUCIBLE) == 0
    assert not may_ask(state(0), REPRODUCIBLE)
    assert may_ask(state(1), REPRODUCIBLE)
    first, second = TrialOutcome(0), TrialOutcome(0, again=True)
    done = state(1)
    done.apply(dataclasses.replace(completed(0, 0.2), seq=99))
    assert due(done, REPRODUCIBLE, 8, {first, second}) == [first]
    assert due(done, REPRODUCIBLE, 10, {first, second}) == [first, second]


def test_in_reproducible_order_an_ask_knows_exactly_the_trials_it_must():
    state = folded(*(event for n in range(8) for event in (asked(n), completed(n, 0.5))))
    untold = {TrialOutcome(n) for n in range(8)}
    assert [o.number for o in due(state, REPRODUCIBLE, 8, untold)] == [0, 1, 2]
    assert [o.number for o in due(state, REPRODUCIBLE, 8, {TrialOutcome(7)})] == []
    assert [o.number for o in due(state, FREE, 8, untold)] == list(range(8))


def test_a_decision_is_the_same_whatever_the_order_of_reports():
    trials = [run_of(n, loss) for n, loss in enumerate((0.3, 0.1, 0.2, 0.4))]
    fleet = {"w0": [0, 1, 2, 3]}
    flat = [event for trial in trials for event in trial]
    starts = [event for trial in trials for event in trial[:2]]
    shuffled = [
        *starts,
        *(reported(n, 1, loss) for n, loss in ((2, 0.2), (0, 0.3), (3, 0.4), (1, 0.1))),
    ]
    assert decide(folded(*flat), fleet, HALVING) == decide(folded(*shuffled), fleet, HALVING)
