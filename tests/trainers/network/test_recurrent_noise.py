"""Dropout inside the recurrence, against loops written out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import admitted, regression_data
from trainers.config.cells import CELLS
from trainers.config.train_config import TrainConfig
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.affine import AffineWeights
from trainers.network.cells.interface import initial_state
from trainers.network.dropout import (
    Counted,
    DropoutKey,
    evaluation_keys,
    locked_mask,
    recurrent_noise,
    step_mask,
)
from trainers.network.recurrence import run_layer
from trainers.network.sites import INPUT, recurrent

BATCH, STEPS, HIDDEN = 3, 6, 4


def config(**fields):
    return TrainConfig(**{"cell": "lstm", "hidden_size": HIDDEN} | fields)


def layer(cell, trials=1):
    torch.manual_seed(trials)
    gates = len(CELLS[cell].gates) * HIDDEN
    shapes = ((gates, 3), (gates, HIDDEN), (gates,), (gates,))
    weights = AffineWeights(*(torch.randn(trials, *s, dtype=torch.float64) for s in shapes))
    x = torch.randn(trials, BATCH, STEPS, 3, dtype=torch.float64)
    state = initial_state(cell, trials, BATCH, HIDDEN, x)
    return weights, x, tuple(torch.randn_like(part) for part in state)


def noise_of(settings, state, segment=0):
    return recurrent_noise([DropoutKey(settings, segment)], (0, 0), state, STEPS)


@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "lstm"])
def test_recurrent_dropout_masks_h_on_its_way_into_the_gates_only(cell):
    """By hand: torch's cell sees a W_hh whose columns are scaled, row by row; c is untouched."""
    settings = config(cell=cell, recurrent_dropout=0.5)
    weights, x, state = layer(cell)
    noise = noise_of(settings, state)
    outputs, after = run_layer("native", LayerRun(cell, weights, x, state, None, False, noise))
    kinds = {"rnn_tanh": torch.rnn_tanh_cell, "gru": torch.gru_cell, "lstm": torch.lstm_cell}
    assert (noise.hidden == 0).any()
    for row in range(BATCH):
        masked = weights.hidden[0] * noise.hidden[0, row]
        own = [weights.input[0], masked, weights.input_bias[0], weights.hidden_bias[0]]
        current = tuple(part[0, row : row + 1] for part in state)
        for time in range(STEPS):
            h = current if cell == "lstm" else current[0]
            new = kinds[cell](x[0, row : row + 1, time], h, *own)
            current = new if cell == "lstm" else (new,)
            torch.testing.assert_close(outputs[0, row : row + 1, time], current[0])
        for mine, theirs in zip(after, current, strict=True):
            torch.testing.assert_close(mine[0, row : row + 1], theirs)


def test_zoneout_keeps_old_values_exactly_and_others_are_the_cells():
    """Krueger et al. 2017: h is made from the new c, before zoneout of c."""
    settings = config(zoneout_hidden=0.4, zoneout_cell=0.6)
    weights, x, state = layer("lstm")
    noise = noise_of(settings, state)
    outputs, _ = run_layer("native", LayerRun("lstm", weights, x, state, None, False, noise))
    own = [tensor[0] for tensor in weights]
    h, c = state[0][0], state[1][0]
    for time in range(STEPS):
        new_h, new_c = torch.lstm_cell(x[0, :, time], (h, c), *own)
        keep_h, keep_c = (keep[0, :, time].bool() for keep in noise.keep)
        h, c = torch.where(keep_h, h, new_h), torch.where(keep_c, c, new_c)
        torch.testing.assert_close(outputs[0, :, time], h)
    assert 0.2 < noise.keep[0].mean() < 0.6
    assert 0.4 < noise.keep[1].mean() < 0.8


def test_evaluation_takes_zoneouts_expectation_and_nothing_else():
    settings = config(
        zoneout_hidden=0.25, zoneout_cell=0.5, recurrent_dropout=0.5, input_dropout=0.5
    )
    weights, x, state = layer("lstm")
    keys = evaluation_keys(settings)
    assert locked_mask(keys, INPUT, BATCH, x) is None
    noise = recurrent_noise(keys, (0, 0), state, STEPS)
    assert noise.hidden is None
    outputs, _ = run_layer("native", LayerRun("lstm", weights, x, state, None, False, noise))
    h, c = state[0][0], state[1][0]
    for time in range(STEPS):
        new_h, new_c = torch.lstm_cell(x[0, :, time], (h, c), *(tensor[0] for tensor in weights))
        h, c = 0.25 * h + 0.75 * new_h, 0.5 * c + 0.5 * new_c
        torch.testing.assert_close(outputs[0, :, time], h)
    assert evaluation_keys(config(recurrent_dropout=0.5)) is None


def test_noise_of_three_trials_is_each_trials_own():
    settings = [
        config(seed=1, recurrent_dropout=0.5),
        config(seed=2, zoneout_hidden=0.3),
        config(seed=3),
    ]
    weights, x, state = layer("lstm", trials=3)
    keys = [DropoutKey(c, 4) for c in settings]
    noise = recurrent_noise(keys, (0, 0), state, STEPS)
    together, _ = run_layer("stepwise", LayerRun("lstm", weights, x, state, None, False, noise))
    for k, key in enumerate(keys):
        one = slice(k, k + 1)
        own = tuple(part[one] for part in state)
        alone = recurrent_noise([key], (0, 0), own, STEPS)
        part = AffineWeights(*(w[one] for w in weights))
        outputs, _ = run_layer("native", LayerRun("lstm", part, x[one], own, None, False, alone))
        torch.testing.assert_close(together[one], outputs)


def test_recurrent_masks_differ_between_layers_directions_and_segments():
    state = (torch.zeros(1, 50, 40),)
    key = DropoutKey(config(recurrent_dropout=0.5), 0)
    other = DropoutKey(config(recurrent_dropout=0.5), 1)
    masks = [
        locked_mask([k], recurrent(*place), 50, state[0])
        for k, place in ((key, (0, 0)), (key, (0, 1)), (key, (1, 0)), (other, (0, 0)))
    ]
    for i in range(1, 4):
        assert (masks[0] == masks[i]).float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_step_masks_are_new_at_each_step_and_go_on_over_the_spans_of_a_segment():
    key = DropoutKey(config(input_dropout=0.5), 0)
    whole = step_mask([key], INPUT, torch.zeros(1, 30, 6, 20))
    assert whole.shape == (1, 30, 6, 20)
    same = (whole[:, :, 1:] == whole[:, :, :-1]).float().mean().item()
    assert same == pytest.approx(0.5, abs=0.03)
    spans = [
        step_mask([key], INPUT, torch.zeros(1, 30, n, 20), Counted(o)) for n, o in ((2, 0), (4, 2))
    ]
    assert torch.equal(torch.cat(spans, dim=2), whole)


@pytest.mark.parametrize("field", ["recurrent_dropout", "weight_drop", "zoneout_hidden"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_kind_changes_training(field, bidirectional):
    data = regression_data()
    base = config(
        learning_rate=0.0, readout="every", num_layers=2, bidirectional=bidirectional, batch_size=20
    )
    plain = admitted(base, data).train(0)
    noisy = admitted(replace(base, **{field: 0.5}), data).train(0)
    assert noisy.train["loss"] != plain.train["loss"]
    same = noisy.validation == plain.validation
    assert same == (field != "zoneout_hidden")  # whose expectation evaluation feels


def test_dropping_all_but_a_few_recurrent_weights_leaves_nearly_no_recurrence():
    """At rate 0.999 most of W_hh is 0: the step's output hardly depends on the step before."""
    data = regression_data()
    settings = config(cell="rnn_tanh", learning_rate=0.0, weight_drop=0.999, batch_size=20)
    pack = admitted(settings, data)
    forgetful = admitted(replace(settings, weight_drop=0.0), data)
    for name, view in forgetful._model.layout.views(forgetful._buffers.weights).items():
        if name.startswith("weight_hh"):
            view.zero_()
    assert pack.train(0).train["loss"] == pytest.approx(forgetful.train(0).train["loss"], rel=1e-6)
