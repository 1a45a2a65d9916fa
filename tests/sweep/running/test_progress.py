"""What a session says of itself: busy shares, counts, the time left; numbers to check by hand."""

import math

import pytest

from sweep.history.state import Standing
from sweep.pruning.none import NoPruning
from sweep.results.results import open_results
from sweep.running.clock import Clock, Moment
from sweep.running.fleet import Fleet
from sweep.running.tally import Tally
from sweep.running.time_left import Countdown, EpochMean, seconds_left
from sweep.work.executors import InProcessExecutor
from sweep.work.protocol import Reply
from tests.sweep.events_factory import asked, changed, completed, folded, run_of
from tests.sweep.session_runs import config, run

FIRST, LAST = Moment(100.0, 2.0, 10.0), Moment(110.0, 17.0, 34.0)


@pytest.mark.parametrize(
    ("workers", "share"),
    [(2, 0.75), (None, 0.625), (1, 1.0)],  # 15 s of 2 x 10; of 24 that they were there; of 10
)
def test_the_busy_share_is_that_of_the_span_from_first_to_last(workers, share):
    assert Clock(first=FIRST).busy_fraction(LAST, workers) == share


def test_there_is_no_busy_share_without_a_span():
    assert Clock().busy_fraction(LAST, 2) is None
    assert Clock(first=FIRST).busy_fraction(FIRST, 2) is None


@pytest.mark.parametrize(
    ("epochs", "workers", "together", "seconds"),
    [
        ([10, 10, 10, 10], 2, 1.0, 40.0),  # 40 epochs of 2 s, by two workers
        ([30, 2], 2, 1.0, 60.0),  # the longest trial alone
        ([10] * 8, 1, 8.0, 160.0),  # one pack: all end at once
        ([10], 4, 0.25, 20.0),  # three workers idle
        ([], 2, 1.0, 0.0),
    ],
)
def test_the_time_left_is_that_of_all_work_or_of_the_longest_trial(
    epochs, workers, together, seconds
):
    assert seconds_left(epochs, 2.0, workers, together) == seconds


def test_a_trial_is_expected_to_be_as_long_as_those_that_ended():
    mean = EpochMean()
    assert mean.left(3, 20) == 17
    for epochs in (4, 8):
        mean.add(epochs)
    assert mean.left(0, 20) == 6
    assert mean.left(4, 20) == 2
    assert mean.left(9, 20) == 1  # beyond the mean: one more at least
    assert mean.left(5, 5) == 0


def test_the_time_left_counts_down_until_there_is_news():
    now, asked_for = [0.0], []

    def estimate():
        asked_for.append(now[0])
        return 60.0

    countdown = Countdown(lambda: now[0])
    left = []
    for second, news in ((0, 1), (20, 1), (50, 1), (70, 1), (71, 2)):
        now[0] = float(second)
        left.append(countdown.left(news, estimate))
    assert left == [60.0, 40.0, 10.0, None, 60.0]
    assert asked_for == [0.0, 71.0]
    assert countdown.left(3, lambda: None) is None


def repeat(number, of, source):
    return changed(asked(number), of=of, source=source)


def test_trials_that_repeat_others_are_counted_apart():
    state = folded(
        *run_of(0, 0.5), completed(0, 0.5, epoch=4), *run_of(1, 0.4), *run_of(2, 0.3),
        asked(3), repeat(4, 0, "audit"), completed(4, 0.5), repeat(5, 0, "replicate"),
    )  # fmt: skip
    tally = Tally()
    for number in (0, 4):
        tally.add(state.trials[number])
    # Trial 2 was given to a worker that trains trial 1: it stands by.
    assert tally.searched(state, {1}) == {"complete": 1, "running": 1, "waiting": 2}
    assert tally.repeats(state) == {"audit": (1, 1), "replicate": (0, 1)}
    assert (tally.lengths.count, tally.lengths.mean) == (1, 1.0)


def test_who_stands_by_at_a_worker_does_not_train():
    state = folded(*run_of(0, 0.5), *run_of(1), *run_of(2))
    fleet = Fleet(InProcessExecutor(), state, NoPruning(), 60.0, lambda room: 2)
    for worker, trials in (("a", [0, 1]), ("b", [2])):
        fleet.note(Reply(worker))
        for number in trials:
            fleet.give(number, worker)
    assert fleet.training(1) == [0, 2]
    assert fleet.training(2) == [0, 1, 2]


def test_a_session_that_only_replicates_is_busy_and_the_best_is_never_a_replicate(tmp_path):
    run(tmp_path)
    told = []
    finalists = {"count": 2, "replicates": 3}
    outcome = run(tmp_path, progress=told.append, finalists=finalists)
    last = told[-1]
    assert last.budget_trials == config().budget.trials == 5
    assert sum(last.counts.values()) == 5
    assert last.repeats == {"replicate": (4, 4)}
    assert 0 < outcome.busy_fraction <= 1
    assert not outcome.nothing_left
    results = open_results(tmp_path / "s")
    assert {progress.best.number for progress in told} == {results.best().number}
    assert results.standings() == {"complete": 5}
    assert results.repeats() == {"replicate": (4, 4)}
    again = run(tmp_path, finalists=finalists)
    assert again.nothing_left
    assert again.busy_fraction is None


def test_progress_speaks_of_a_grids_trials_and_of_the_time_left(tmp_path):
    told = []
    space = {"base": None, "parameters": {"cell": ["lstm", "gru", "rnn_tanh"]}}
    run(tmp_path, progress=told.append, space=space, search={"sampler": "grid"})
    assert {progress.budget_trials for progress in told} == {3}
    assert told[0].busy_fraction is None
    assert told[0].eta_seconds is None
    left = [p.eta_seconds for p in told if p.eta_seconds is not None]
    assert all(0 < seconds < math.inf for seconds in left)
    assert told[-1].counts == {Standing.COMPLETE.value: 3}
