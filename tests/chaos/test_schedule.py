"""The strikes are a function of the seed."""

from collections import Counter

import pytest

from tests.chaos.schedule import SHARES, schedule

KINDS = tuple(SHARES)


def test_the_same_seed_gives_the_same_strikes_and_another_seed_others():
    assert schedule(50, 10.0, KINDS, seed=4) == schedule(50, 10.0, KINDS, seed=4)
    assert schedule(50, 10.0, KINDS, seed=4) != schedule(50, 10.0, KINDS, seed=5)


def test_a_hundred_strikes_are_shared_out_as_the_shares_say():
    assert Counter(s.kind for s in schedule(100, 10.0, KINDS, seed=0)) == SHARES


@pytest.mark.parametrize("kills", [11, 12, 13, 40])
def test_every_kind_strikes_at_least_once_where_there_are_enough_strikes(kills):
    strikes = schedule(kills, 10.0, KINDS, seed=1)
    assert len(strikes) == kills
    assert {strike.kind for strike in strikes} == set(KINDS)


def test_only_the_kinds_that_are_asked_for_strike():
    strikes = schedule(12, 10.0, ("worker", "head"), seed=1)
    assert {strike.kind for strike in strikes} == {"worker", "head"}


def test_waiting_times_have_the_mean_that_is_asked_for():
    waits = [strike.wait_seconds for strike in schedule(4000, 10.0, KINDS, seed=2)]
    assert 9.0 < sum(waits) / len(waits) < 11.0
