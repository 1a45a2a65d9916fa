"""Whole small sweeps over the in-process executor, and executors that die in mid-sweep."""

from sweep.config.sweep_config import validate
from sweep.history.state import load_state
from sweep.log.event_log import EventLog
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor

ADDING = {
    "source": "adding",
    "length": 8,
    "train_sequences": 64,
    "validation_sequences": 32,
    "test_sequences": 32,
}


def config(**changes):
    values = {
        "name": "s",
        "data": ADDING,
        "space": {
            "base": None,
            "parameters": {
                "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
                "cell": ["lstm", "rnn_tanh"],
            },
        },
        "train": {"hidden_size": 4, "batch_size": 16, "max_epochs": 3},
        "budget": {"trials": 5},
        "run": {"workers": 2},
        "finalists": {"count": 2},
        "tracking": {"enabled": False},
    }
    for dotted, value in changes.items():
        section, _, key = dotted.partition("__")
        if key:
            values[section] = {**values.get(section, {}), key: value}
        else:
            values[section] = value
    return validate(values)


def run(tmp_path, executor=None, progress=None, **changes):
    return run_sweep(config(**changes), tmp_path, progress, executor or InProcessExecutor())


def fold(tmp_path, name="s"):
    log = EventLog.open(tmp_path / name / "sweep.db", name)
    try:
        return load_state(log)
    finally:
        log.close()


def numbers(tmp_path, name="s"):
    """Everything of the trials that may not depend on timing."""
    return numbers_of(fold(tmp_path, name))


def numbers_of(state):
    return {
        t.number: (t.state, t.epoch, t.values, t.params, t.seed, t.best, t.test)
        for t in state.trials.values()
    }


class Clumsy(InProcessExecutor):
    """Loses a worker at every n-th poll."""

    def __init__(self, every):
        super().__init__()
        self.every, self.polls = every, 0

    def poll(self, timeout_seconds):
        self.polls += 1
        if self.polls % self.every == 0:
            self.kill(self.workers()[self.polls // self.every % 2])
        return super().poll(timeout_seconds)


class Interrupted(InProcessExecutor):
    """Dies like a coordinator would, after so many polls."""

    def __init__(self, polls):
        super().__init__()
        self.left = polls

    def poll(self, timeout_seconds):
        self.left -= 1
        if self.left < 0:
            raise MemoryError("the coordinator dies here")
        return super().poll(timeout_seconds)
