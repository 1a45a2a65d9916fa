"""Packs that train as one program on CUDA, against trials alone; needs trainers' libraries only."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    finish,
    regression_data,
    slot_weights,
)
from tests.trainers.forecast_factory import decoding, forecast_data
from tests.trainers.fused_cases import (
    BASE,
    CASES,
    ON_THE_DEVICE,
    apart,
    assert_as_solo,
    data_of,
    different,
    finish_all,
    masked,
    packed,
    trials,
    without_gaps,
)
from tests.trainers.pairs_factory import answering, reversal_data
from trainers.errors import OutOfMemory
from trainers.packs.choice import choose_pack
from trainers.packs.pack import Pack

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

DEVICE = "cuda"
CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm", "lstm_layernorm", "mingru", "minlstm")
ON_THE_HOST = ["resets", "stream", "stream with gaps", "k2 < k1", "k2 > k1"]


def assert_as_on_the_cpu(configs, data, objective=RMSE, *, backend):
    pack = packed(configs, data, objective, backend=backend, device=DEVICE)
    together = finish_all(pack)
    for slot, config in enumerate(configs):
        assert_as_solo(pack, slot, together[slot], config, data, objective)
    return pack


@pytest.mark.parametrize("backend", ["graph", "eager", "stepwise"])
@pytest.mark.parametrize("pattern", ["none", "prefix"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_equals_the_trial_alone(cell, pattern, backend):
    configs = different(replace(BASE, cell=cell), 3)
    pack = assert_as_on_the_cpu(configs, data_of(pattern), backend=backend)
    names = {"graph": "captured", "eager": "resident", "stepwise": "stacked"}
    assert pack.stepper == names[backend]
    if backend == "graph":
        assert pack._stepper._program._replay.__name__ == "replay"


@pytest.mark.parametrize("name", ON_THE_DEVICE)
def test_every_feature_can_be_captured(name):
    common, each, _ = CASES[name]
    assert_as_on_the_cpu(trials(common, each), *without_gaps(name), backend="graph")


@pytest.mark.parametrize("missing", [False, True], ids=["whole", "missing"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_decoder_can_be_captured(cell, missing):
    data = forecast_data("prefix", missing=missing)
    base = decoding(data, cell=cell, input_dropout=0.2, recurrent_dropout=0.2)
    configs = zip(different(base, 3), (1.0, 0.5, 0.0), strict=True)
    told = [replace(config, teacher_forcing=forcing) for config, forcing in configs]
    assert_as_on_the_cpu(told, data, backend="graph")


def test_pairs_are_stacked_on_the_host():
    data = reversal_data()
    configs = different(answering(data, teacher_forcing=0.5), 3)
    assert_as_on_the_cpu(configs, data, ACCURACY, backend="graph")


@pytest.mark.parametrize("name", ON_THE_HOST)
def test_what_cannot_be_captured_is_stacked_on_the_host(name):
    common, each, data = CASES[name]
    assert_as_on_the_cpu(trials(common, each), data(), backend="graph")


@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_the_number_of_trials_changes_nothing(count):
    base = replace(BASE, num_layers=1, hidden_size=3, max_epochs=2)
    assert_as_on_the_cpu(different(base, count), data_of("prefix"), backend="graph")


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu", "gru", "lstm"])
def test_gradients_of_cudnn_are_those_of_the_reference(cell):
    config = replace(BASE, cell=cell, dtype="float32")
    data = regression_data(20, 12, mask=masked("prefix"))
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    gradients = []
    for backend in ("native", "stepwise", "graph"):
        pack = admitted(config, data, device=DEVICE, backend=backend)
        pack.train(0, 0.0)
        gradients.append(pack._buffers.gradient[0].clone())
    assert apart(gradients[0], gradients[1]) <= 1e-5
    assert apart(gradients[2], gradients[1]) <= 1e-5


def test_trials_come_and_go_under_a_capture(tmp_path):
    """A refill replays the same capture; a trial with new dropout is captured anew."""
    base, data = replace(BASE, cell="lstm"), data_of("prefix")
    configs = [*different(base, 4), replace(base, seed=9, recurrent_dropout=0.3)]
    pack = packed(configs[:2], data, backend="graph", device=DEVICE)
    pack.advance([0, 1], 0.0)
    program = pack._stepper._program
    pack.save(0, tmp_path / "first")
    pack.drop(0)
    pack.admit(0, configs[2])
    pack.advance([0, 1], 0.0)
    assert pack._stepper._program is program
    while pack.advance([0])[0].outcome == "training":
        pass
    weights = {2: slot_weights(pack, 0)}
    pack.drop(0)
    pack.admit(0, configs[4])
    while pack.advance([0])[0].outcome == "training":
        pass
    assert pack._stepper._program is not program
    weights[4] = slot_weights(pack, 0)
    pack.admit(0, configs[0], tmp_path / "first")
    finish_all(pack)
    weights |= {0: slot_weights(pack, 0), 1: slot_weights(pack, 1)}
    for number, mine in weights.items():
        alone = admitted(configs[number], data)
        finish(alone)
        assert apart(mine.cpu(), slot_weights(alone)) <= 1e-9


def test_a_diverging_trial_is_quarantined_under_a_capture():
    base = replace(BASE, cell="rnn_relu", optimizer="sgd", learning_rate=0.01)
    data = data_of("prefix")
    configs = [base, replace(base, learning_rate=1e200, seed=8), replace(base, seed=3)]
    pack = packed(configs, data, backend="graph", device=DEVICE)
    reports = finish_all(pack)
    assert [r.outcome for r in reports[1]] == ["diverged"]
    assert all(math.isfinite(v) for v in reports[1][0].train.values())
    for slot in (0, 2):
        alone = admitted(configs[slot], data)
        finish(alone)
        assert apart(slot_weights(pack, slot).cpu(), slot_weights(alone)) <= 1e-9


@pytest.mark.parametrize("backend", ["graph", "stepwise"])
def test_a_pack_that_does_not_fit_says_so_and_half_of_it_goes_on(tmp_path, backend):
    """Memory is limited to what one giant and a bit need; trials are saved and go on elsewhere."""
    base = replace(BASE, dtype="float32", hidden_size=1024, tbptt_forward_steps=None, batch_size=20)
    data = regression_data(20, 100)
    total = torch.cuda.mem_get_info()[1]
    slots = 1 << 20
    with pytest.raises(OutOfMemory, match="slots on cuda"):
        Pack(base.structure(), data, RMSE, slots=slots, device=DEVICE, backend=backend)
    torch.cuda.set_per_process_memory_fraction(min(3 * (1 << 30) / total, 1.0))
    try:
        configs = different(base, 16)
        pack = packed(configs, data, backend=backend, device=DEVICE)
        with pytest.raises(OutOfMemory):
            pack.advance(list(range(16)), 0.0)
        pack.save(0, tmp_path / "trial")
        del pack
        torch.cuda.empty_cache()
        smaller = Pack(base.structure(), data, RMSE, slots=1, device=DEVICE)
        smaller.admit(0, configs[0], tmp_path / "trial")
        smaller.train(0, 0.0)
        assert smaller.segments == 1
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_the_choice_is_measured_and_never_takes_a_slower_way():
    structure = replace(BASE, dtype="float32", hidden_size=32).structure()
    data = regression_data(256, 50)
    choice = choose_pack(structure, data, RMSE, DEVICE, 64)
    alone = next(way for way in choice.measured if way.slots == 1)
    chosen = [w for w in choice.measured if (w.backend, w.slots) == (choice.backend, choice.slots)]
    assert chosen[0].seconds <= alone.seconds
    assert {way.backend for way in choice.measured} == {"auto", "graph", "stepwise"}
