import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.pruning import HalvingRule, Horizon, MedianRule, NoPruning, judge, waits_at
from tests.sweep.events_factory import completed, continued, folded, reported, run_of

values = st.floats(min_value=-1e6, max_value=1e6)


def test_halving_rungs_grow_by_the_reduction_factor_below_the_last_epoch():
    assert HalvingRule(1, 3).rungs(27) == (1, 3, 9)
    assert HalvingRule(2, 4).rungs(9) == (2, 8)
    assert HalvingRule(5, 3).rungs(5) == ()


def test_halving_keeps_the_best_third_of_all_that_reached_the_rung():
    rule = HalvingRule(1, 3)
    candidates = {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5, 5: 0.6}
    assert rule.stopped(candidates, [], []) == {2, 3, 4, 5}
    assert rule.stopped({9: 0.15}, [0.1, 0.2, 0.3], []) == set()
    assert rule.stopped({9: 0.25}, [0.1, 0.2, 0.3], []) == {9}


def test_the_first_trial_at_a_rung_goes_on():
    assert HalvingRule(1, 3).stopped({0: 123.0}, [], []) == set()


def test_a_trial_without_a_finite_value_is_the_worst():
    assert HalvingRule(1, 2).stopped({0: math.inf, 1: 0.5}, [], []) == {0}
    assert MedianRule(startup_trials=1).stopped({0: math.nan}, [], [0.5]) == {0}


def test_the_median_rule_waits_for_enough_complete_trials():
    rule = MedianRule(startup_trials=3)
    assert rule.stopped({7: 9.0}, [], [1.0, 2.0]) == set()
    assert rule.stopped({7: 9.0, 8: 2.0}, [], [1.0, 2.0, 3.0]) == {7}


def test_the_median_rule_has_a_rung_at_every_interval():
    assert MedianRule(2, 3).rungs(9) == (2, 5, 8)
    assert NoPruning().rungs(9) == ()


@given(st.dictionaries(st.integers(0, 50), values, min_size=1), st.lists(values), st.randoms())
def test_permuting_the_trials_of_a_round_changes_nothing(candidates, seen, random):
    shuffled = list(candidates.items())
    random.shuffle(shuffled)
    mixed = random.sample(seen, len(seen))
    for rule in (HalvingRule(1, 3), MedianRule(startup_trials=1)):
        before = rule.stopped(candidates, seen, seen)
        assert rule.stopped(dict(shuffled), mixed, mixed) == before


@given(st.dictionaries(st.integers(0, 50), values, min_size=1), st.lists(values))
def test_halving_never_stops_all_when_the_best_of_all_is_a_candidate(candidates, seen):
    best = min(candidates.values())
    seen = [value for value in seen if value >= best]
    assert len(HalvingRule(1, 3).stopped(candidates, seen, [])) < len(candidates)


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


@pytest.mark.parametrize(("seen", "goes_on"), [(None, False), (0, True)])
def test_a_horizon_hides_trials_whose_fate_depends_on_timing(seen, goes_on):
    earlier = [*run_of(0, 0.1), completed(0, 0.1, epoch=1)]
    state = folded(*earlier, *run_of(1, 0.5))
    [verdict] = judge(state, HalvingRule(1, 3), [1], Horizon(seen=seen))
    assert (verdict.trial, verdict.epoch, verdict.goes_on) == (1, 1, goes_on)


def test_the_median_is_taken_over_complete_trials_that_reached_the_epoch():
    short = [*run_of(0, 0.1), completed(0, 0.1, epoch=1)]
    longer = [*run_of(1, 0.5, 0.4), continued(1, 1), continued(1, 2), completed(1, 0.4, epoch=2)]
    state = folded(*short, *longer, *run_of(2, 0.6, 0.45))
    [verdict] = judge(state, MedianRule(startup_trials=1), [2], Horizon())
    assert (verdict.epoch, verdict.goes_on) == (2, False)
    [hidden] = judge(state, MedianRule(startup_trials=1), [2], Horizon(complete=1))
    assert hidden.goes_on


def test_what_a_trial_had_reached_at_a_rung_stays_known_when_it_goes_on():
    earlier = [*run_of(0, 0.5), continued(0, 1), reported(0, 2, 0.1)]
    state = folded(*earlier, *run_of(1, 0.3))
    assert state.rungs == {1: {0: 0.5}}
    [verdict] = judge(state, HalvingRule(1, 3), [1], Horizon())
    assert verdict.goes_on
