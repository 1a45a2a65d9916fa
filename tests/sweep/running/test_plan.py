"""What `rnn-sweep plan` says before anything is spent."""

from __future__ import annotations

from sweep.running import plan as module
from sweep.running.plan import plan_sweep
from tests.sweep.session_runs import config


def test_parameters_are_counted_without_the_padding_between_them(tmp_path):
    """Hidden 5 over 2 inputs, and a head of 6: LSTM 4 · (10 + 25 + 5 + 5), RNN a quarter of it."""
    train = {"hidden_size": 5, "batch_size": 16, "max_epochs": 1}
    plan = plan_sweep(config(train=train), tmp_path)
    counted = {(example.params["cell"], example.parameters) for example in plan.examples}
    assert counted == {("lstm", 186), ("rnn_tanh", 51)}


def test_naive_forecasts_are_computed_where_data_are_small(tmp_path, monkeypatch):
    naive = plan_sweep(config(), tmp_path).naive
    assert set(naive.metrics) == {"mean", "ridge"}
    monkeypatch.setattr(module, "_MOST_NUMBERS", 100)
    assert plan_sweep(config(), tmp_path).naive == "computed while the first trials train"


def test_naive_forecasts_that_fail_end_no_plan(tmp_path, monkeypatch):
    def fail(prepared):
        raise MemoryError("no\nroom")

    monkeypatch.setattr(module, "naive_work", fail)
    assert plan_sweep(config(), tmp_path).naive == "left out: MemoryError: no room"


PANEL = """
import numpy as np
from trainers.data.contract import Category, SequenceData, SequenceSet

def panel():
    inputs = np.ones((40, 6, 2), np.float32)
    part = SequenceSet(inputs, inputs[..., :1])
    shop = Category(0, "shop", ("north", "south", "west"), 4)
    return SequenceData("panel", "regression", part, part, None, 2, 1, "", categories=(shop,))
"""


def test_tables_of_the_datas_categories_are_laid_out_where_the_file_leaves_them_open(
    tmp_path, monkeypatch
):
    """4 · 4 of the table, LSTM of 5 over 1 + 4: 4 · (25 + 25 + 5 + 5), a head of 6."""
    (tmp_path / "own.py").write_text(PANEL)
    monkeypatch.chdir(tmp_path)
    fixed = {"hidden_size": 5, "batch_size": 16, "cell": "lstm"}
    drawn = {"base": None, "parameters": {"learning_rate": {"low": 0.001, "high": 0.1}}}
    made = config(data={"source": "own.py:panel"}, space=drawn, train=fixed)
    plan = plan_sweep(made, tmp_path)
    assert {example.parameters for example in plan.examples} == {16 + 240 + 6}
    assert plan.prepared.train_config(0, {}).category_embeddings == ((0, 4, 4),)
