"""Segments, replays and random lengths: arithmetic, checked by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.learning.spans import Span, Walk, random_ends


def walk(time_steps, k1, k2=None):
    return Walk(time_steps, k1, k2)


def test_without_k2_a_segment_is_one_span_and_its_end_is_carried():
    plan = walk(10, 4)
    assert [plan.spans(i) for i in range(len(plan))] == [
        (Span(0, 4),),
        (Span(4, 8),),
        (Span(8, 10),),
    ]
    assert [plan.carried_after(i) for i in range(3)] == [1, 1, 1]


def test_k2_below_k1_leaves_the_first_steps_of_a_segment_without_gradient():
    plan = walk(10, 4, 3)
    assert plan.spans(0) == (Span(0, 1, gradient=False), Span(1, 4))
    assert plan.spans(1) == (Span(4, 5, gradient=False), Span(5, 8))
    assert plan.spans(2) == (Span(8, 10),), "a last segment of L <= k2 has full gradient"


def test_k2_above_k1_replays_unscored_from_where_the_state_was_left():
    plan = walk(7, 2, 5)
    replayed, scored = {"scored": False}, {}
    assert [plan.bounds(i) for i in range(4)] == [(0, 2), (2, 4), (4, 6), (6, 7)]
    assert plan.spans(0) == (Span(0, 2, **scored),)
    assert plan.spans(1) == (Span(0, 1, **replayed), Span(1, 2, **replayed), Span(2, 4))
    assert plan.spans(2) == (Span(1, 2, **replayed), Span(2, 4, **replayed), Span(4, 6))
    assert plan.spans(3) == (Span(2, 6, **replayed), Span(6, 7))
    assert [plan.carry_at(i) for i in range(4)] == [0, 1, 2, 7]
    assert [plan.carried_after(i) for i in range(4)] == [0, 1, 1, 2]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 30), st.booleans())
def test_every_step_is_scored_once_and_every_segment_begins_at_the_carried_state(t, k1, k2, drawn):
    plan = Walk(t, k1, k2, random_ends(k1, t, 0, 0) if drawn else None)
    scored, carried = [], 0
    for index in range(len(plan)):
        spans = plan.spans(index)
        assert spans[0].start == carried
        assert all(a.stop == b.start for a, b in itertools.pairwise(spans))
        scored += [step for s in spans if s.scored for step in range(s.start, s.stop)]
        with_gradient = sum(s.stop - s.start for s in spans if s.gradient)
        assert with_gradient <= k2
        assert all(b.gradient >= a.gradient for a, b in itertools.pairwise(spans))
        run = plan.carried_after(index)
        carried = plan.carry_at(index)
        assert carried == (spans[run - 1].stop if run else spans[0].start)
    assert scored == list(range(t))


def test_random_lengths_are_about_k1_never_below_5_and_repeat_by_seed_and_epoch():
    ends = random_ends(40, 200_000, seed=3, epoch=2)
    lengths = np.diff(ends, prepend=0)[:-1]
    assert ends[-1] == 200_000
    assert lengths.min() >= 5
    assert lengths.mean() == pytest.approx(0.95 * 40 + 0.05 * 20, abs=0.5)
    assert 0.03 < (lengths < 27).mean() < 0.07
    assert np.array_equal(ends, random_ends(40, 200_000, seed=3, epoch=2))
    assert not np.array_equal(ends, random_ends(40, 200_000, seed=3, epoch=3))
    assert random_ends(2, 1000, 0, 0).tolist()[:1] >= [5]


def test_the_learning_rate_scales_with_a_random_length():
    plan = Walk(30, 10, None, np.array([8, 23, 30]))
    assert [plan.rate_factor(i) for i in range(3)] == [0.8, 1.5, 0.7]
    assert walk(30, 10).rate_factor(0) == 1.0


@pytest.mark.parametrize(
    "fields", [{"tbptt_backward_steps": 3}, {"tbptt_random_lengths": True}], ids=str
)
def test_k2_and_random_lengths_need_k1(fields):
    with pytest.raises(ConfigError, match="needs tbptt_forward_steps"):
        TrainConfig(**fields)


def test_k2_is_at_least_1():
    with pytest.raises(ConfigError, match="tbptt_backward_steps >= 1"):
        TrainConfig(tbptt_forward_steps=4, tbptt_backward_steps=0)
