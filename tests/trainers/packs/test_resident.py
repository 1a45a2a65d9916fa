"""What is the resident stepper's own: its program, and what a capture of it forbids.

That its trials equal those alone stands in `test_steppers.py`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.trainers.factory import RMSE
from tests.trainers.forecast_factory import decoding, forecast_data
from tests.trainers.fused_cases import (
    BASE,
    CASES,
    RESIDENT,
    assert_as_solo,
    data_of,
    different,
    finish_all,
    packed,
    trials,
    without_gaps,
)
from trainers.config.optimizers import OPTIMIZERS
from trainers.config.train_config import TrainConfig
from trainers.learning.buffers import Buffers
from trainers.learning.lanes import part_of
from trainers.network.dropout import DropoutKey, word, words
from trainers.network.model import Model
from trainers.network.parameters import Layout
from trainers.network.recurrence import choose_backend
from trainers.network.sites import sites_of
from trainers.packs.device_part import DevicePart, Picked
from trainers.packs.device_validation import DeviceValidation
from trainers.packs.pack import Pack
from trainers.packs.parts import Parts
from trainers.packs.program import Program, Signature, ground_of
from trainers.packs.step_inputs import signature_with


def test_full_batches_of_whole_rows_need_no_lengths():
    base, data = replace(BASE, batch_size=5, tbptt_forward_steps=4), data_of("none")
    RESIDENT.assert_equal_to_solo(different(base, 2), data)
    structure = base.structure()
    part = DevicePart(part_of(data, data.train, structure), structure, 3, torch.device("cpu"))
    rows = torch.zeros(1, 5, dtype=torch.int64)
    segment, _, _ = part.segment(Picked(rows, torch.tensor([5]), torch.tensor([0])), 4)
    assert (segment.lengths, segment.hold) == (None, False)


def test_all_slots_are_validated_at_once_where_that_pays(monkeypatch):
    """A quarter of them is enough; fewer, and those with zoneout, go by the host's pass."""
    asked = []
    original = DeviceValidation.metrics
    monkeypatch.setattr(
        DeviceValidation, "metrics", lambda self: asked.append(self) or original(self)
    )
    data = data_of("prefix")
    pack = RESIDENT.packed(different(BASE, 5), data)
    pack.advance([0])
    assert not asked
    pack.advance([1, 2])
    pack.advance([3, 4])
    assert len(asked) == 2
    assert asked[0] is asked[1]
    RESIDENT.packed([replace(c, zoneout_hidden=0.3) for c in different(BASE, 2)], data).advance([0])
    assert len(asked) == 2


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
     "convolution", "labels", "categories", "scales of sequences",
     "masked elements, last", "minGRU"],
)  # fmt: skip
def test_a_step_does_nothing_that_a_capture_forbids(name):
    common, each, _ = CASES[name]
    assert_may_be_captured(trials(common, each), without_gaps(name)[0])


def test_a_step_of_a_decoder_does_nothing_that_a_capture_forbids():
    """Told by draws, of answers some of which are missing, under every kind of dropout."""
    data = forecast_data("prefix", missing=True)
    base = decoding(
        data, teacher_forcing=0.5, input_dropout=0.2, layer_dropout=0.2, recurrent_dropout=0.2,
        weight_drop=0.2, zoneout_hidden=0.1, activation_regularisation=0.1,
    )  # fmt: skip
    assert_may_be_captured([replace(base, seed=seed) for seed in range(3)], data)


def assert_may_be_captured(configs, made):
    """On torch's meta device: it holds no numbers that a step could read, and tensors of the host
    do not mix with its own.
    """
    structure = configs[0].structure()
    layout = Layout.of(structure, made.input_size, made.output_size)
    model = Model(structure, layout, choose_backend("eager", structure.cell, 3, "cpu"))
    like = torch.empty(0, dtype=torch.float64, device="meta")
    buffers = Buffers.zeros(3, layout.size, OPTIMIZERS[structure.optimizer].moments, like)
    parts = Parts(made, structure)
    ground = ground_of(model, buffers, parts, capture=False)
    program = Program(ground, signature_with(Signature((), ()), configs, structure), None)
    validation = DeviceValidation(model, buffers, parts, capture=False)
    with Watched() as watched:
        program._run()
        validation._step()
    assert watched.seen > 100


def test_a_step_of_nobody_changes_nothing():
    """A capture warms up so."""
    configs, data = different(replace(BASE, cell="lstm"), 2), data_of("prefix")
    pack = packed(configs, data, backend="eager")
    pack.advance([0, 1], 0.0)
    program, rows = pack._stepper._program, pack._buffers
    kept = [t.clone() for t in (rows.weights, rows.moments, *(p for s in program.state for p in s))]
    totals = pack._stepper._ground.totals
    program.step(torch.zeros_like(program._integers), torch.zeros_like(program._floats))
    now = [rows.weights, rows.moments, *(p for s in program.state for p in s)]
    assert all(torch.equal(a, b) for a, b in zip(kept, now, strict=True))
    assert totals.alive.all()
    assert not totals.numbers.any()


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
    before = pack._stepper._program
    pack.admit(2, noisy)
    reports = finish_all(pack)
    assert pack._stepper._program is not before
    for slot, config in enumerate((*plain, noisy)):
        assert_as_solo(pack, slot, reports[slot], config, data)


def test_words_of_many_trials_are_those_of_each():
    settings = TrainConfig(num_layers=2, bidirectional=True, head_sizes=(2,))
    sites = sites_of(settings.structure())
    assert len(set(sites)) == len(sites) == 3 + 1 + 1 + 4 * 4
    keys = [DropoutKey(replace(settings, seed=s), n) for s, n in ((0, 0), (2**31, 77), (5, 2**20))]
    low, high = words(keys, sites)
    expected = np.array([[word(key, site) for site in sites] for key in keys])
    np.testing.assert_array_equal(np.stack([low, high], axis=2), expected)
