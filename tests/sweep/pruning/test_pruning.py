import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.history.rungs import RungRecord, value_at
from sweep.log.event import Event
from sweep.log.kinds import Continued, Paused
from sweep.pruning.halving import HalvingRule
from sweep.pruning.hyperband import HyperbandRule
from sweep.pruning.median import MedianRule
from sweep.pruning.none import NoPruning
from sweep.pruning.verdicts import Decision, Horizon, Rung, closing_verdicts, judge, waits_at
from tests.sweep.events_factory import completed, continued, folded, reported, run_of, some

values = st.floats(min_value=-1e6, max_value=1e6)


def test_halving_rungs_grow_by_the_reduction_factor_below_the_last_epoch():
    assert HalvingRule(1, 3).rungs(27, 0) == (1, 3, 9)
    assert HalvingRule(2, 4).rungs(9, 0) == (2, 8)
    assert HalvingRule(5, 3).rungs(5, 0) == ()
    assert HalvingRule().rungs(27, 0) == (3, 9)
    assert HalvingRule().rungs(5, 0) == (1, 3)


def rung(candidates, complete=()):
    return Rung(1, candidates, list(complete))


def reached(candidates, seen):
    """A rung where others (numbered from 100) were paused before, and who waits there now."""
    events = []
    for number, value in enumerate(seen, start=100):
        events += [*run_of(number, value), paused(number, 1, value)]
    for number, value in candidates.items():
        events += run_of(number, value)
    return folded(*events)


def ranked(candidates, seen=(), factor=3, target=1000):
    state = reached(candidates, seen)
    found = judge(state, HalvingRule(1, factor), sorted(candidates), Horizon(), target)
    return {v.trial for v in found if v.goes_on}


def test_halving_keeps_the_best_third_of_all_that_reached_the_rung():
    candidates = {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5, 5: 0.6}
    assert ranked(candidates) == {0, 1}
    assert ranked({9: 0.15}, [0.2, 0.3]) == {9}
    assert ranked({9: 0.25}, [0.2, 0.3]) == {100}


def test_a_rung_lets_nobody_go_on_before_a_third_is_a_whole_trial():
    assert ranked({0: 0.1, 1: 0.2}) == set()


def test_a_trial_without_a_finite_value_is_the_worst():
    assert ranked({0: math.inf, 1: 0.5}, factor=2) == {1}
    assert ranked({0: math.inf, 1: math.inf}, factor=2) == set()
    assert MedianRule(startup_trials=1).kept(rung({0: math.nan}, [0.5])) == set()


def test_the_median_rule_waits_for_enough_complete_trials():
    rule = MedianRule(startup_trials=3)
    assert rule.kept(rung({7: 9.0}, [1.0, 2.0])) == {7}
    assert rule.kept(rung({7: 9.0, 8: 2.0}, [1.0, 2.0, 3.0])) == {8}


def test_the_median_rule_has_a_rung_at_every_interval():
    assert MedianRule(2, 3).rungs(9, 0) == (2, 5, 8)
    assert NoPruning().rungs(9, 0) == ()


@given(st.dictionaries(st.integers(0, 50), values, min_size=1), st.lists(values), st.randoms())
def test_permuting_the_trials_of_a_round_changes_nothing(candidates, seen, random):
    shuffled = list(candidates.items())
    random.shuffle(shuffled)
    assert ranked(dict(shuffled), seen) == ranked(candidates, seen)
    before = MedianRule(startup_trials=1).kept(rung(candidates, seen))
    mixed = random.sample(seen, len(seen))
    assert MedianRule(startup_trials=1).kept(rung(dict(shuffled), mixed)) == before


@given(st.dictionaries(st.integers(0, 50), values, min_size=1), st.lists(values))
def test_halving_lets_exactly_the_best_third_of_everybody_go_on(candidates, seen):
    everybody = {**candidates, **dict(enumerate(seen, start=100))}
    cut = sorted(everybody.values())[: len(everybody) // 3][-1:]
    assert ranked(candidates, seen) == {n for n, v in everybody.items() if cut and v <= cut[0]}


@given(st.lists(values, max_size=30), st.lists(values, max_size=5), st.data())
def test_a_rank_among_members_and_arrivals_is_that_of_all_sorted(members, arrivals, data):
    ordered = sorted((value, number) for number, value in enumerate(members))
    everybody = sorted([*members, *arrivals])
    if everybody:
        rank = data.draw(st.integers(1, len(everybody)))
        assert value_at(ordered, arrivals, rank) == everybody[rank - 1]


def test_a_trial_counts_once_at_a_rung_however_often_it_comes_there():
    record = RungRecord()
    record.enter(1, 0.5)
    assert record.ordered() == [(0.5, 1)]
    for number, value in ((2, 0.3), (1, 0.1), (2, 0.3)):
        record.enter(number, value)
    assert record.ordered() == [(0.3, 2), (0.5, 1)]


def test_hyperbands_brackets_begin_ever_later_and_the_last_never_stops():
    rule = HyperbandRule(1, 3)
    rungs = {rule.bracket(27, index): rule.rungs(27, index) for index in range(40)}
    assert rungs == {0: (1, 3, 9), 1: (3, 9), 2: (9,), 3: ()}


def test_hyperbands_brackets_cost_about_the_same():
    rule = HyperbandRule(1, 3)
    brackets = [rule.bracket(27, index) for index in range(1000)]
    # Trials by bracket as 27/4 : 9/3 : 3/2 : 1, as in the table of the paper (27, 12, 6, 4).
    shares = [brackets.count(b) / 1000 for b in range(4)]
    assert shares == pytest.approx([0.551, 0.245, 0.122, 0.082], abs=0.01)


def test_a_trial_is_judged_by_its_best_value_so_far():
    trial = folded(*run_of(0, 0.9, 0.2, 0.5, 0.1)).trials[0]
    assert trial.best_at(3, 1.0) == 0.2
    assert trial.best_at(3, -1.0) == -0.9
    trial.curve = array("d", [math.nan])
    assert trial.best_at(1, 1.0) == math.inf


def test_a_trial_waits_at_a_rung_until_it_is_cleared():
    trial = folded(*run_of(0, 0.9, 0.8, 0.7)).trials[0]
    assert waits_at(trial, (1, 3))
    trial.cleared = 3
    assert not waits_at(trial, (1, 3))


def paused(trial, epoch, loss):
    what = some(Paused, best={"loss": loss}, best_epoch=epoch, values=(loss,))
    return Event(what, trial, 1, epoch)


def decisions(verdicts):
    return {(v.trial, v.decision) for v in verdicts}


def three(last):
    """Trials 0 and 1 are paused at epoch 1, trial 2 has just come there."""
    first = [*run_of(0, 0.3), paused(0, 1, 0.3), *run_of(1, 0.5), paused(1, 1, 0.5)]
    return folded(*first, *run_of(2, last))


def test_a_paused_trial_is_promoted_when_others_turn_out_worse():
    found = judge(three(0.4), HalvingRule(1, 3), [2], Horizon(), 100)
    assert decisions(found) == {(0, Decision.PROMOTE), (2, Decision.PAUSE)}
    found = judge(three(0.2), HalvingRule(1, 3), [2], Horizon(), 100)
    assert decisions(found) == {(2, Decision.GO)}


def test_a_trial_that_can_not_be_promoted_any_more_is_not_kept_waiting():
    found = judge(three(0.4), HalvingRule(1, 3), [2], Horizon(), target=3)
    assert decisions(found) == {(0, Decision.PROMOTE), (1, Decision.STOP), (2, Decision.STOP)}


def test_a_promotion_needs_no_second_decision_of_the_same_rung():
    state = three(0.4)
    state.apply(Event(Continued(True, 2), 0, 1, 1, seq=99))
    assert 0 in state.active
    assert state.trials[0].generation == 2
    found = judge(state, HalvingRule(1, 3), [2], Horizon(), 100)
    assert decisions(found) == {(2, Decision.PAUSE)}


def test_when_nobody_comes_any_more_a_rung_sends_its_best_on():
    first = [*run_of(0, 0.3), paused(0, 1, 0.3), *run_of(1, 0.5), paused(1, 1, 0.5)]
    state = folded(*first)
    assert decisions(closing_verdicts(state)) == {(0, Decision.PROMOTE)}
    state.apply(Event(Continued(True), 0, 1, 1, seq=99))
    assert decisions(closing_verdicts(state)) == {(1, Decision.STOP)}


@pytest.mark.parametrize(("generation", "kept"), [(None, False), (0, False), (1, True), (2, True)])
def test_a_horizon_hides_trials_whose_fate_depends_on_timing(generation, kept):
    others = [e for n in (0, 1) for e in [*run_of(n, 0.4), paused(n, 1, 0.4)]]
    late = [*run_of(3, 0.1), paused(3, 1, 0.1)]
    state = folded(*others, *run_of(2, 0.3), *late)
    found = judge(state, HalvingRule(1, 3), [2], Horizon(generation), 100)
    assert ((2, Decision.GO) in decisions(found)) is kept


def test_the_median_is_taken_over_complete_trials_that_reached_the_epoch():
    short = [*run_of(0, 0.1), completed(0, 0.1, epoch=1)]
    longer = [*run_of(1, 0.5, 0.4), continued(1, 1), continued(1, 2), completed(1, 0.4, epoch=2)]
    state = folded(*short, *longer, *run_of(2, 0.6, 0.45))
    [verdict] = judge(state, MedianRule(startup_trials=1), [2], Horizon(), 100)
    assert (verdict.epoch, verdict.goes_on) == (2, False)
    [hidden] = judge(state, MedianRule(startup_trials=1), [2], Horizon(complete=1), 100)
    assert hidden.goes_on


def test_what_a_trial_had_reached_at_a_rung_stays_known_when_it_goes_on():
    earlier = [*run_of(0, 0.5), continued(0, 1), reported(0, 2, 0.1)]
    state = folded(*earlier, *run_of(1, 0.3))
    assert state.rungs[0, 1].values == {0: 0.5}
    [verdict] = judge(state, HalvingRule(1, 2), [1], Horizon(), 100)
    assert verdict.goes_on
