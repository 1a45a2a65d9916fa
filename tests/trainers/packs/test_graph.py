"""The program that a CUDA graph captures, run eagerly on the CPU, against the same trials alone.

What holds here holds of a capture too: a capture replays these very operations.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    finish,
    regression_data,
    slot_weights,
    without_time,
)
from tests.trainers.fused_cases import (
    BASE,
    CASES,
    DROPOUTS,
    apart,
    assert_equal_to_solo,
    assert_reports_agree,
    classes_data,
    data_of,
    different,
    finish_all,
    masked,
    packed,
    stream_data,
    trials,
    with_resets,
)
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.learning.lanes import part_of
from trainers.learning.optim import MOMENTS
from trainers.learning.trial import Buffers
from trainers.network.dropout import DropoutKey, sites_of, word, words
from trainers.network.model import Model
from trainers.network.parameters import Layout
from trainers.network.recurrence import choose_backend
from trainers.packs.graph import Graph, fits_graph
from trainers.packs.judging import Judge
from trainers.packs.pack import Pack

GAPLESS = [name for name in CASES if "stream" not in name and "k2" not in name]


@pytest.mark.parametrize("pattern", ["none", "prefix"])
@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "gru", "lstm", "lstm_layernorm"])
def test_every_cell_equals_the_trial_alone(cell, pattern):
    pack = assert_equal_to_solo(
        different(replace(BASE, cell=cell, max_epochs=2), 2), data_of(pattern), backend="eager"
    )
    assert isinstance(pack._fused, Graph)
    assert pack._judge is not None  # validated by the program for all slots as well


def gapless(name):
    """A case's data, with padding on the right where it has gaps; and its objective."""
    made = CASES[name][2]()
    if made.task == "regression":
        return (made if made.train.input_mask is None else data_of("prefix")), RMSE
    if made.train.input_mask is not None:
        made = classes_data(pattern="prefix", class_weights=made.class_weights)
    return made, ACCURACY


@pytest.mark.parametrize("name", [n for n in GAPLESS if n != "resets"])
def test_every_feature_equals_the_trial_alone(name):
    """The cases of the fused packs; where those have gaps, padding on the right instead."""
    common, each, _ = CASES[name]
    made, objective = gapless(name)
    pack = assert_equal_to_solo(trials(common, each), made, objective, backend="eager")
    assert isinstance(pack._fused, Graph)


def test_full_batches_of_whole_rows_need_no_lengths():
    base = replace(BASE, batch_size=5, tbptt_forward_steps=4)
    pack = assert_equal_to_solo(different(base, 2), data_of("none"), backend="eager")
    assert pack._fused._part._is_whole(4)


def test_single_precision_gradients_of_one_segment():
    configs = [
        replace(BASE, cell="lstm", dtype="float32", recurrent_dropout=0.3, seed=seed)
        for seed in range(3)
    ]
    data = regression_data(20, 12, mask=masked("prefix"))
    pack = packed(configs, data, backend="eager")
    pack.advance([0, 1, 2], 0.0)
    for slot, config in enumerate(configs):
        alone = admitted(config, data)
        alone.train(0, 0.0)
        assert apart(pack._buffers.gradient[slot], alone._buffers.gradient[0]) <= 1e-5


class Watched(TorchDispatchMode):
    """Fails on what a capture forbids: reading a number back, shapes that depend on numbers."""

    FORBIDDEN = ("_local_scalar_dense", "nonzero", "lift_fresh", "bincount", "masked_select",
                 "is_nonzero", "equal.default", "unique", "repeat_interleave")  # fmt: skip

    def __init__(self):
        super().__init__()
        self.seen = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen += 1
        assert not any(name in str(func) for name in self.FORBIDDEN), func
        if "index" in str(func) and len(args) > 1 and isinstance(args[1], list | tuple):
            assert all(i is None or i.dtype is not torch.bool for i in args[1]), func
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "name",
    ["step dropout", "regularisation", "class weights", "embedded words", "max", "rmsprop",
     "convolution", "labels", "masked elements, last"],
)  # fmt: skip
def test_a_step_does_nothing_that_a_capture_forbids(name):
    """On torch's meta device: it holds no numbers that a step could read, and tensors of the host
    do not mix with its own.
    """
    common, each, _ = CASES[name]
    made, _ = gapless(name)
    configs = trials(common, each)
    structure = configs[0].structure()
    layout = Layout.of(structure, made.input_size, made.output_size)
    model = Model(structure, layout, choose_backend("eager", structure.cell, 3, "cpu"))
    like = torch.empty(0, dtype=torch.float64, device="meta")
    buffers = Buffers.zeros(3, layout.size, MOMENTS[structure.optimizer], like)
    graph = Graph(model, buffers, part_of(made, made.train, structure), made)
    graph._require(configs)
    judge = Judge(model, buffers, part_of(made, made.validation, structure), made, None)
    with Watched() as watched:
        graph._program._run()
        judge._step()
    assert watched.seen > 100


def test_a_step_of_nobody_changes_nothing():
    """A capture warms up so."""
    configs, data = different(replace(BASE, cell="lstm"), 2), data_of("prefix")
    pack = packed(configs, data, backend="eager")
    pack.advance([0, 1], 0.0)
    program, rows = pack._fused._program, pack._buffers
    kept = [t.clone() for t in (rows.weights, rows.moments, *(p for s in program.state for p in s))]
    totals = pack._fused._totals
    program.step(torch.zeros_like(program._integers), torch.zeros_like(program._floats))
    now = [rows.weights, rows.moments, *(p for s in program.state for p in s)]
    assert all(torch.equal(a, b) for a, b in zip(kept, now, strict=True))
    assert totals.alive.all()
    assert not totals.numbers.any()


@pytest.mark.parametrize("wild_slot", [0, 2])
def test_a_diverging_trial_is_found_at_the_next_reading_and_changes_no_neighbour(wild_slot):
    base = replace(BASE, cell="rnn_relu", optimizer="sgd", learning_rate=0.01)
    data, wild = data_of("prefix"), replace(base, learning_rate=1e200, seed=8)
    configs = [replace(base, seed=seed) for seed in range(3)]
    configs[wild_slot] = wild
    pack = packed(configs, data, backend="eager")
    reports = finish_all(pack)
    for slot, config in enumerate(configs):
        alone = admitted(config, data)
        expected = [without_time(r) for r in finish(alone)]
        assert [r.outcome for r in reports[slot]] == [r.outcome for r in expected]
        assert reports[slot][0].optimizer_steps == expected[0].optimizer_steps
        assert all(math.isfinite(v) for v in reports[slot][0].train.values())
        if slot != wild_slot:
            assert apart(slot_weights(pack, slot), slot_weights(alone)) <= 1e-9
            assert_reports_agree(reports[slot], expected)


def test_a_trial_with_new_dropout_joins_a_running_program():
    """The program is made anew with one more place to drop at; survivors do not notice."""
    data = data_of("prefix")
    plain = different(replace(BASE, cell="lstm"), 2)
    noisy = replace(plain[0], seed=9, recurrent_dropout=0.3, clip_value=0.01, head_l2=0.0)
    pack = Pack(plain[0].structure(), data, RMSE, slots=3, backend="eager")
    for slot, config in enumerate(plain):
        pack.admit(slot, config)
    for _ in range(4):
        pack.advance([0, 1], 0.0)
    before = pack._fused._program
    pack.admit(2, noisy)
    finish_all(pack)
    assert pack._fused._program is not before
    for slot, config in enumerate((*plain, noisy)):
        alone = admitted(config, data)
        finish(alone)
        assert apart(slot_weights(pack, slot), slot_weights(alone)) <= 1e-9


def test_what_cannot_lie_on_the_device_is_stacked_on_the_host():
    structure = BASE.structure()
    assert fits_graph(structure, data_of("prefix"))
    assert not fits_graph(structure, data_of("gaps"))
    assert not fits_graph(structure, stream_data())
    assert not fits_graph(structure, with_resets(data_of()))
    assert not fits_graph(replace(structure, tbptt_backward_steps=3), data_of())
    pack = packed(different(BASE, 2), data_of("gaps"), backend="eager")
    assert not isinstance(pack._fused, Graph)


def test_graph_is_refused_without_cuda():
    with pytest.raises(ConfigError, match="captures CUDA graphs, but got device='cpu'"):
        Pack(BASE.structure(), data_of(), RMSE, slots=2, backend="graph")
    assert choose_backend("graph", "gru", 1, "cuda:1") == "together"


def test_words_of_many_trials_are_those_of_each():
    settings = TrainConfig(num_layers=2, bidirectional=True, head_sizes=(2,))
    sites = sites_of(settings.structure())
    assert len(set(sites)) == len(sites) == 3 + 1 + 1 + 4 * 4
    keys = [DropoutKey(replace(settings, seed=s), n) for s, n in ((0, 0), (2**31, 77), (5, 2**20))]
    low, high = words(keys, sites)
    expected = np.array([[word(key, site) for site in sites] for key in keys])
    np.testing.assert_array_equal(np.stack([low, high], axis=2), expected)
    assert len(DROPOUTS) == 4
