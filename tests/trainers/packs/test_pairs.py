"""Pairs of sequences: the answer has its own length, and is given step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.trainers.factory import ACCURACY, RMSE, Network, admitted, finish, without_time
from tests.trainers.fused_cases import ALONE, STACKED, different
from tests.trainers.pairs_factory import (
    END,
    SYMBOLS,
    answering,
    decay_data,
    reversal_data,
    reversals,
)
from trainers.config.train_config import TrainConfig
from trainers.data.validate import checked
from trainers.errors import ConfigError, DataError
from trainers.learning.batches import Part
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.dropout import Counted, DropoutKey, happens
from trainers.network.parameters import weights_of
from trainers.network.sites import TEACHER
from trainers.packs.pack import Pack, pack_of_checkpoint

NOISE = {
    "input_dropout": 0.2, "layer_dropout": 0.2, "output_dropout": 0.2, "recurrent_dropout": 0.2,
    "weight_drop": 0.2, "zoneout_hidden": 0.1, "head_sizes": (5,), "head_dropout": 0.2,
    "activation_regularisation": 0.1, "temporal_activation_regularisation": 0.1,
}  # fmt: skip
KINDS = {
    "ids": (reversal_data, {}),
    "embedded": (reversal_data, {"embedding_size": 3, "embedding_dropout": 0.2}),
    "numbers": (decay_data, {}),
}


def objective_of(data):
    return RMSE if data.task == "regression" else ACCURACY


@pytest.mark.parametrize("fields", [{}, {"embedding_size": 8, "cell": "lstm"}], ids=["gru", "lstm"])
def test_reversing_sequences_is_learned_with_a_teacher_and_answered_without(fields):
    data = reversal_data(1024)
    config = answering(
        data, hidden_size=32, num_layers=1, batch_size=32, max_epochs=30, learning_rate=0.01,
        clip_norm=1.0, dtype="float32", **fields,
    )  # fmt: skip
    unseen = replace(data, validation=reversals(200, seed=1))
    reports = finish(admitted(config, unseen, ACCURACY))
    assert reports[-1].train["loss"] < 0.2 * reports[0].train["loss"]
    assert reports[-1].validation["accuracy"] > 0.9  # chance: 0.25


def test_numbers_are_answered_too():
    data = decay_data(512)
    config = answering(data, hidden_size=16, batch_size=32, max_epochs=20, learning_rate=0.01)
    (*_, last) = finish(admitted(config, data))
    assert last.validation["r2"] > 0.9


def run(data, config, keys=None):
    """Run all training rows as one batch: the segment, outputs `(wanted, ·)`, the network."""
    structure = config.structure()
    network = Network.of(structure, data.train, data.output_size, input_size=data.input_size)
    batch = Part(data.train, structure).batch(np.arange(len(data.train)))
    segment = cut(batch, Span(0, batch.time_steps), structure, data.input_size)
    weights = weights_of(network.model.layout, network.flat)
    outputs, _ = network.model.forward(weights, segment, None, keys)
    return segment, outputs[0], network


@pytest.mark.parametrize("forcing", [0.0, 0.5, 1.0])
def test_answers_are_those_of_a_loop_written_out(forcing):
    """Each row alone: torch's LSTM, the likeliest id or the true one fed back, one-hot."""
    data = reversal_data(8)
    config = answering(data, cell="lstm", teacher_forcing=forcing)
    key = DropoutKey(config, 3)
    _, outputs, network = run(data, config, [key])
    named = network.named(network.flat[0])
    encoder = torch.nn.LSTM(SYMBOLS, 4, 2, batch_first=True).double()
    decoder = torch.nn.LSTM(SYMBOLS + 2, 4, 2, batch_first=True).double()
    encoder.load_state_dict({n: named[n] for n in encoder.state_dict()})
    decoder.load_state_dict({n: named[f"decoder.{n}"] for n in decoder.state_dict()})
    part, expected = data.train, {}
    steps = int(part.target_mask.sum(axis=1).max())
    like = torch.zeros(1, dtype=torch.float64)
    told = happens([key], TEACHER, (steps - 1, 8, 1), like, Counted())
    for row in range(8):
        source = torch.from_numpy(part.inputs[row][part.input_mask[row]])
        _, state = encoder(F.one_hot(source, SYMBOLS).double()[None])
        fed = torch.tensor(SYMBOLS + 1)  # the start symbol
        for step in range(int(part.target_mask[row].sum())):
            y, state = decoder(F.one_hot(fed, SYMBOLS + 2).double()[None, None], state)
            logits = F.linear(y[0, 0], named["head.weight"], named["head.bias"])
            expected[step, row] = logits
            fed = logits.argmax()
            if told is not None and step + 1 < steps and told[0, step, row, 0]:
                fed = torch.tensor(part.targets[row, step])
    in_order = [expected[place] for place in sorted(expected)]
    torch.testing.assert_close(outputs, torch.stack(in_order))


def told_differently(base):
    configs = zip(different(base, 3), (1.0, 0.5, 0.0), strict=True)
    return [replace(config, teacher_forcing=forcing) for config, forcing in configs]


@pytest.mark.parametrize("way", [ALONE, STACKED], ids=str)
@pytest.mark.parametrize("noise", [{}, NOISE], ids=["plain", "noise"])
@pytest.mark.parametrize("kind", KINDS)
def test_trials_of_a_pack_equal_the_trials_alone(kind, noise, way):
    make, fields = KINDS[kind]
    data = make()
    base = answering(data, **{**fields, **noise})
    way.assert_equal_to_solo(told_differently(base), data, objective_of(data))


@pytest.mark.parametrize("way", [ALONE, STACKED], ids=str)
def test_answers_with_gaps_are_never_told_what_is_missing(way):
    data = decay_data(gaps=True)
    way.assert_equal_to_solo(told_differently(answering(data, **NOISE)), data)
    dirty = replace(data.train, targets=np.where(data.train.target_mask[..., None],
                                                 data.train.targets, -7.0))  # fmt: skip
    keys = [DropoutKey(answering(data), 0)]
    outputs = [run(replace(data, train=p), answering(data), keys)[1] for p in (data.train, dirty)]
    assert torch.equal(*outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_told_all_answers_at_once_or_one_by_one_is_the_same(kind, monkeypatch):
    make, fields = KINDS[kind]
    data = make()
    config = answering(data, **{**fields, **NOISE})
    keys = [DropoutKey(config, 2)]
    _, at_once, _ = run(data, config, keys)
    monkeypatch.setattr("trainers.network.draws.Draws.certain", lambda *_: False)
    torch.testing.assert_close(run(data, config, keys)[1], at_once)


def test_what_does_not_exist_is_never_seen():
    clean = reversal_data()
    part = clean.train
    zeros = replace(
        part,
        inputs=np.where(part.input_mask, part.inputs, 0),
        targets=np.where(part.target_mask, part.targets, 0),
    )
    found = [
        [without_time(r) for r in finish(admitted(answering(clean), data, ACCURACY))]
        for data in (clean, replace(clean, train=zeros))
    ]
    assert found[0] == found[1]


def test_a_trial_goes_on_from_its_file_to_the_same_bits(tmp_path):
    data = reversal_data()
    config = answering(data, teacher_forcing=0.6, teacher_forcing_decay=0.5, **NOISE)
    undisturbed, broken = admitted(config, data, ACCURACY), admitted(config, data, ACCURACY)
    finish(undisturbed)
    for _ in range(5):
        broken.advance([0], 0.0)
    broken.save(0, tmp_path / "trial")
    again = pack_of_checkpoint(tmp_path / "trial", data, ACCURACY)
    finish(again)
    assert torch.equal(again._buffers.weights, undisturbed._buffers.weights)


def test_kept_answers_stand_at_their_own_steps_and_run_free():
    data = reversal_data()
    pack = admitted(answering(data), data, ACCURACY)
    finish(pack)
    answers, part = pack.answers(0, "validation"), data.validation
    rows, steps = np.nonzero(part.target_mask)
    np.testing.assert_array_equal(answers.rows, rows)
    np.testing.assert_array_equal(answers.steps, steps)
    np.testing.assert_array_equal(answers.targets, part.targets[rows, steps])
    right = (answers.outputs.argmax(axis=1) == answers.targets).mean()
    assert pack.evaluate(0, "validation")["accuracy"] == pytest.approx(right)


def test_gradients_reach_the_encoder_through_the_state():
    data = reversal_data()
    config = answering(data, cell="lstm")
    pack = admitted(config, data, ACCURACY)
    pack.advance([0], 0.0)
    named = pack._model.layout.views(pack._buffers.gradient)
    assert all(named[name].abs().max() > 0 for name in ("weight_ih_l0", "decoder.weight_hh_l1"))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"architecture": "plain"}, "set architecture to encoder_decoder"),
        ({"readout": "last"}, "needs readout=every"),
        ({"horizon": 3}, "horizon=6"),
        ({"pairs": False}, "pairs=True"),
        ({"loss": "mse"}, "loss must be cross_entropy"),
    ],
    ids=str,
)
def test_a_structure_that_does_not_fit_pairs_is_refused(fields, says):
    data = reversal_data()
    with pytest.raises(ConfigError, match=says):
        Pack(answering(data, **fields).structure(), data, ACCURACY)


def test_pairs_are_checked_as_pairs():
    """A target needs no input step, but one that exists must be a class."""
    data = reversal_data()
    assert checked(data).digest != checked(replace(data, train=reversals(20, seed=3))).digest
    wrong = data.train.targets.copy()
    wrong[2, 0] = END + 1
    with pytest.raises(DataError, match="sequence 2, step 0"):
        checked(replace(data, train=replace(data.train, targets=wrong)))
    with pytest.raises(DataError, match="pairs are sequences with an answer each"):
        checked(replace(data, horizon=5))


def test_a_plateau_waits_for_the_validation_that_pairs_have():
    data = reversal_data()
    config = answering(data, lr_decay="plateau", lr_decay_rate=0.5, lr_plateau_patience=0)
    assert isinstance(config, TrainConfig)
    assert finish(admitted(config, data, ACCURACY))
