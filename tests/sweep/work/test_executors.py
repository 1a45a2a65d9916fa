"""One conformance suite for every executor."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from sweep.errors import ExecutorError
from sweep.work.executors import Executor, InProcessExecutor, RayExecutor
from sweep.work.protocol import (
    Admit,
    Continue,
    Crashed,
    Evaluate,
    Lost,
    Reply,
    SaveAll,
    Stop,
    Unreadable,
    WorkerSettings,
)
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.choices import DataChoices

CONFIG = TrainConfig(cell="lstm", hidden_size=4, batch_size=16, max_epochs=3, loss="mse", seed=5)
DATA = {
    "length": 6,
    "train_sequences": 32,
    "validation_sequences": 16,
    "test_sequences": 16,
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(
    scope="module",
    params=["in process", pytest.param("ray", marks=pytest.mark.integration)],
)
def executor(request, checkpoints):
    settings = WorkerSettings(Objective("loss"), str(checkpoints), slice_seconds=0.2)
    made: Executor = InProcessExecutor() if request.param == "in process" else RayExecutor()
    data = DataChoices.single(load_data("adding", DATA, base_dir=Path()))
    made.start(data, settings, workers=2)
    yield made
    made.close()


def call(executor, *commands, worker=None):
    """One call, and the reply to it."""
    worker = worker or executor.workers()[0]
    executor.send(worker, commands)
    return until(executor, lambda item: item.worker == worker)


def until(executor, wanted, seconds=60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for item in executor.poll(0.5):
            if wanted(item):
                return item
    raise AssertionError("no answer in time")


def settle(executor, *, trial):
    """Let the first worker work until it no longer holds the trial; return what it said."""
    items = []
    for _ in range(100):
        reply = call(executor)
        items += reply.items
        if trial not in reply.held:
            return items
    raise AssertionError("the trial never ended")


def to_first_report(executor, *commands):
    """Let the first worker work until it reports; a busy machine may need more than one slice."""
    items = list(call(executor, *commands).items)
    while not losses(items):
        items += call(executor).items
    return items


def losses(items):
    return [(i.report.epoch, i.report.validation["loss"]) for i in items if hasattr(i, "report")]


def test_an_idle_worker_answers_that_it_did_nothing(executor):
    reply = call(executor)
    assert isinstance(reply, Reply)
    assert (reply.items, reply.held, reply.busy_seconds) == ((), (), 0.0)


def test_a_trial_trains_to_its_end_and_leaves_a_checkpoint(executor):
    first = call(executor, Admit(1, 1, CONFIG))
    rest = settle(executor, trial=1) if 1 in first.held else []
    items = [*first.items, *rest]
    assert [epoch for epoch, _ in losses(items)] == [1, 2, 3]
    assert items[-1].report.outcome == "completed"
    assert Path(items[-1].final.path).is_file()
    reply = call(executor, Evaluate(1, items[-1].final.path))
    assert reply.items[0].test["loss"] > 0


def test_a_trial_waits_at_a_rung_until_it_may_continue(executor):
    to_first_report(executor, Admit(2, 1, CONFIG, rungs=(1,)))
    waiting = call(executor)
    assert (waiting.items, waiting.held, waiting.busy_seconds) == ((), (2,), 0.0)
    first = call(executor, Continue(2, 1, 1))
    items = [*first.items, *(settle(executor, trial=2) if 2 in first.held else [])]
    assert [epoch for epoch, _ in losses(items)] == [2, 3]


def test_a_command_that_comes_twice_changes_nothing(executor):
    order = Admit(3, 1, CONFIG, rungs=(1,))
    items = to_first_report(executor, order, order)
    items += call(executor, order).items
    assert [epoch for epoch, _ in losses(items)] == [1]
    call(executor, Stop(3, 1), Stop(3, 1))
    assert call(executor).held == ()


def test_a_command_for_another_attempt_is_not_obeyed(executor):
    call(executor, Admit(4, 2, CONFIG, rungs=(1,)))
    assert call(executor, Stop(4, 1)).held == (4,)
    assert losses(call(executor, Continue(4, 1, 1)).items) == []
    assert call(executor, Stop(4, 2)).held == ()


def test_a_saved_trial_goes_on_elsewhere_bit_for_bit(executor):
    here, there = executor.workers()
    whole = call(executor, Admit(5, 1, CONFIG), worker=here)
    items = [*whole.items, *(settle(executor, trial=5) if 5 in whole.held else [])]
    to_first_report(executor, Admit(6, 1, CONFIG, rungs=(1,)))
    saved = call(executor, SaveAll(), worker=here).items[0]
    call(executor, Stop(6, 1), worker=here)
    rest = call(executor, Admit(6, 2, CONFIG, checkpoint=saved.path, cleared=1), worker=there)
    later = losses(rest.items)
    while 6 in rest.held:
        rest = call(executor, worker=there)
        later += losses(rest.items)
    assert later == losses(items)[1:]


def test_a_trial_that_raises_is_over_and_its_worker_lives(executor):
    unfit = replace(CONFIG, embedding_size=4)  # of tokens, but the data are numbers
    [crash] = call(executor, Admit(7, 1, unfit)).items
    assert (type(crash), crash.trial, crash.attempt) == (Crashed, 7, 1)
    assert "embedding" in crash.message
    assert call(executor).held == ()


def test_a_checkpoint_that_can_not_be_read_is_said_and_its_trial_not_taken(executor, tmp_path):
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"torn")
    found = call(executor, Evaluate(9, "/nowhere/absent.safetensors")).items
    found += call(executor, Admit(7, 3, CONFIG, checkpoint=str(torn))).items
    assert [(type(item), item.trial, item.attempt) for item in found] == [
        (Unreadable, 9, 0),
        (Unreadable, 7, 3),
    ]
    assert ["absent" in found[0].message, "torn" in found[1].message] == [True, True]
    assert call(executor).held == ()


def test_a_worker_that_can_not_save_is_one_clear_error_and_lives(executor, checkpoints):
    to_first_report(executor, Admit(10, 1, CONFIG, rungs=(1,)))
    checkpoints.rename(checkpoints.with_name("away"))
    try:
        with pytest.raises(ExecutorError, match=r"could not: FileNotFoundError"):
            call(executor, SaveAll())
    finally:
        checkpoints.with_name("away").rename(checkpoints)
    assert executor.in_flight(executor.workers()[0]) == 0
    call(executor, Stop(10, 1))
    assert call(executor).held == ()


def test_a_killed_worker_is_reported_once_and_replaced(executor):
    before = executor.workers()
    victim = before[0]
    executor.send(victim, [Admit(8, 1, CONFIG, rungs=(1,))])
    executor.kill(victim)
    executor_names = until(executor, lambda item: isinstance(item, Lost))
    assert executor_names.worker == victim
    after = executor.workers()
    assert victim not in after
    assert len(after) == len(before)
    new = next(name for name in after if name not in before)
    assert call(executor, worker=new).held == ()


def count_sequences(choices, factor):
    return factor * len(choices.default.train)


def refuse(choices):
    raise ValueError("nothing of the kind")


def outcome(aside, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not aside.done():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return aside.result()


def test_other_work_is_done_on_the_same_data_beside_the_workers(executor):
    workers = executor.workers()
    aside = executor.aside(partial(count_sequences, factor=2))
    assert isinstance(call(executor), Reply)  # workers answer all the while
    assert outcome(aside) == 64
    assert executor.workers() == workers


def test_work_that_fails_says_why_where_its_result_is_asked_for(executor):
    with pytest.raises(ValueError, match="nothing of the kind"):
        outcome(executor.aside(refuse))


def test_work_that_is_cancelled_leaves_the_workers_alone(executor):
    executor.aside(partial(count_sequences, factor=2)).cancel()
    assert isinstance(call(executor), Reply)
