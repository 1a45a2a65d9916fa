"""Who is recalled when the search is over: worked out by hand."""

from dataclasses import replace

from sweep.history.goal import Constraint, Goal
from sweep.history.state import Standing
from sweep.log.event import Event
from sweep.log.kinds import Paused, Pruned, Recalled
from sweep.pruning.finals import Finals
from sweep.pruning.halving import HalvingRule
from sweep.pruning.verdicts import Decision, Horizon, judge, rungs_of
from sweep.running.scheduler import Scheduling, decide
from sweep.running.telling import TrialOutcome, news, outcomes
from tests.sweep.events_factory import completed, continued, folded, run_of, some
from trainers.config.objective import Objective

GOAL = Goal((Objective("loss"),))


def put_aside(kind, trial, loss, epoch=1, parameters=7):
    best = {"loss": loss}
    what = some(kind, best=best, best_epoch=epoch, values=(loss,), parameters=parameters)
    return Event(what, trial, 1, epoch)


def stopped(kind, trial, loss):
    return [*run_of(trial, loss), put_aside(kind, trial, loss)]


def recalled(state, count, goal=GOAL):
    return [(v.trial, v.decision) for v in Finals(count, goal).verdicts(state)]


def test_the_best_that_were_put_aside_fill_up_what_is_missing():
    events = [*run_of(0, 0.5), completed(0, 0.5), *stopped(Paused, 1, 0.9)]
    state = folded(*events, *stopped(Paused, 2, 0.7), *stopped(Paused, 3, 0.8))
    assert recalled(state, 3) == [(2, Decision.RECALL), (3, Decision.RECALL)]
    assert recalled(state, 1) == []
    assert len(recalled(state, 9)) == 3
    assert Finals(9, GOAL).missing(state) == 3


def test_those_with_a_checkpoint_come_before_better_ones_that_begin_anew():
    state = folded(*stopped(Pruned, 0, 0.1), *stopped(Paused, 1, 0.7), *stopped(Pruned, 2, 0.2))
    assert recalled(state, 2) == [(1, Decision.RECALL), (0, Decision.RECALL)]


def test_a_trial_that_breaks_a_constraint_or_was_audited_is_not_recalled():
    bounded = replace(GOAL, constraints=(Constraint("loss", min=0.5),))
    state = folded(*stopped(Paused, 0, 0.1), *stopped(Paused, 1, 0.7), *stopped(Pruned, 2, 0.8))
    assert recalled(state, 3, bounded) == [(1, Decision.RECALL), (2, Decision.RECALL)]
    audit = [*run_of(3, 0.8), completed(3, 0.6)]
    state = folded(*stopped(Pruned, 2, 0.8), *audit)
    state.trials[3].of, state.trials[3].source = 2, "audit"
    assert recalled(state, 3) == []


def test_a_recalled_trial_meets_no_rung_and_waits_for_a_worker():
    config = {"max_epochs": 9, "patience": None}
    state = folded(*stopped(Pruned, 0, 0.7), Event(Recalled(4, config), 0, 1, 1))
    trial = state.trials[0]
    assert (trial.state, trial.config, trial.generation) == (Standing.WAITING, config, 4)
    assert (state.active, state.paused, trial.ended_at) == ({0: trial}, {}, None)
    assert rungs_of(HalvingRule(1, 3), trial) == ()


def test_the_search_is_told_once_more_when_a_recalled_trial_is_complete():
    state = folded(*stopped(Pruned, 0, 0.7), Event(Recalled(4, {}), 0, 1, 1))
    assert list(outcomes(state.trials[0])) == [TrialOutcome(0)]
    end = replace(completed(0, 0.4), seq=99)
    state.apply(end)
    assert news(end, state.trials[0]) == {TrialOutcome(0, again=True)}
    assert state.trials[0].first_pause.values == (0.7,)


def test_the_search_is_over_only_when_there_are_finalists_enough():
    rules = Scheduling("free", 2, HalvingRule(1, 3), 6, 2, finals=Finals(2, GOAL))
    first = [*run_of(0, 0.5), continued(0, 1), completed(0, 0.5)]
    state = folded(*first, *stopped(Paused, 1, 0.9))
    decided = decide(state, {"w0": []}, rules)
    assert [v.decision for v in decided.verdicts] == [Decision.RECALL]
    state.apply(Event(Recalled(1, {}), 1, 1, 1, seq=98))
    assert decide(state, {"w0": []}, rules).assignments == ((1, "w0"),)
    state.apply(replace(completed(1, 0.8, attempt=2), seq=99))
    assert decide(state, {"w0": []}, rules).finished


def test_who_may_still_be_a_finalist_is_paused_and_not_stopped():
    state = folded(*(event for n in range(4) for event in run_of(n, (n + 1) / 10)))
    rule = HalvingRule(1, 3)

    def ended(finalists):
        verdicts = judge(state, rule, [0, 1, 2, 3], Horizon(), 4, finalists)
        return {v.trial for v in verdicts if v.decision is Decision.STOP}

    assert ended(0) == {1, 2, 3}
    assert ended(3) == {3}
