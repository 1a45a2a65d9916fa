"""What `rnn-sweep plan` says before anything is spent."""

from __future__ import annotations

from sweep.running.plan import plan_sweep
from tests.sweep.session_runs import config


def test_parameters_are_counted_without_the_padding_between_them(tmp_path):
    """Hidden 5 over 2 inputs, and a head of 6: LSTM 4 · (10 + 25 + 5 + 5), RNN a quarter of it."""
    train = {"hidden_size": 5, "batch_size": 16, "max_epochs": 1}
    plan = plan_sweep(config(train=train), tmp_path)
    counted = {(example.params["cell"], example.parameters) for example in plan.examples}
    assert counted == {("lstm", 186), ("rnn_tanh", 51)}
