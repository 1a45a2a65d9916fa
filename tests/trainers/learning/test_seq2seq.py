"""Encoder–decoder: the state is handed over, and sequences are learned to be reversed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import prefix_mask
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError, DataError
from trainers.learning import optim
from trainers.learning.seq2seq import EncoderDecoder, Pairs

SYMBOLS = 4
CONFIG = TrainConfig(
    cell="gru", hidden_size=32, readout="every", loss="cross_entropy", learning_rate=0.01,
    batch_size=32, max_epochs=30, clip_norm=1.0,
)  # fmt: skip
TINY = replace(CONFIG, hidden_size=5, num_layers=2, dtype="float64", cell="lstm")


def reversals(rows, seed, longest=5):
    """Ids of 2 to `longest` steps; the answer is the source from its end to its beginning."""
    random = np.random.default_rng(seed)
    lengths = random.integers(2, longest + 1, size=rows)
    mask = prefix_mask(lengths, longest)
    sources = random.integers(0, SYMBOLS, size=(rows, longest))
    answers = np.zeros_like(sources)
    for row, length in enumerate(lengths):
        answers[row, :length] = sources[row, :length][::-1]
    return Pairs(sources, answers, mask, mask)


def accuracy(outputs, pairs):
    return (outputs.argmax(-1).numpy() == pairs.answers)[pairs.answer_mask].mean()


@pytest.mark.parametrize("fields", [{}, {"embedding_size": 8, "cell": "lstm"}], ids=["gru", "lstm"])
def test_reversing_sequences_is_learned_with_a_teacher_and_answered_without(fields):
    network = EncoderDecoder(replace(CONFIG, **fields), SYMBOLS, SYMBOLS)
    curve = list(network.fit(reversals(1024, seed=0)))
    assert curve[-1] < 0.2 * curve[0]
    unseen = reversals(200, seed=1)
    assert accuracy(network.free_running(unseen, steps=5), unseen) > 0.9  # chance: 0.25


def test_numbers_are_answered_too():
    """The answer continues a decay: y_t = 0.8^t · x, from the mean of what was read."""
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, size=(512, 3, 1)).astype(np.float32)
    answers = (x.mean(axis=1, keepdims=True) * 0.8 ** np.arange(1, 5)[:, None]).astype(np.float32)
    network = EncoderDecoder(replace(CONFIG, loss="mse", hidden_size=16), 1, 1)
    list(network.fit(Pairs(x, answers)))
    error = network.free_running(Pairs(x, answers), steps=4).numpy() - answers
    assert np.square(error).mean() < 0.05 * answers.var()


def test_the_decoder_begins_with_the_encoders_state_of_every_layer():
    pairs = reversals(6, seed=2)
    network = EncoderDecoder(TINY, SYMBOLS, SYMBOLS)
    state = network.encode(pairs)
    assert [len(layer) for layer in state] == [2, 2]
    module = torch.nn.LSTM(SYMBOLS, 5, 2, batch_first=True).double()
    views = network._encoder.layout.views(network.flat[:, : network._encoder.layout.size])
    module.load_state_dict({n: v[0] for n, v in views.items() if not n.startswith("head")})
    for row in range(6):
        alone = pairs.sources[row, pairs.source_mask[row]]
        _, (h, c) = module(torch.eye(SYMBOLS, dtype=torch.float64)[alone][None])
        for layer in range(2):
            torch.testing.assert_close(state[layer][0][0, row], h[layer, 0])
            torch.testing.assert_close(state[layer][1][0, row], c[layer, 0])


def test_free_running_is_teacher_forcing_with_its_own_answers():
    pairs = reversals(6, seed=3)
    network = EncoderDecoder(TINY, SYMBOLS, SYMBOLS)
    free = network.free_running(pairs, steps=5)
    own = replace(pairs, answers=free.argmax(-1).numpy(), answer_mask=None)
    torch.testing.assert_close(network.teacher_forced(own, None).detach(), free)


def test_answers_that_do_not_exist_are_never_seen():
    clean = reversals(6, seed=4)
    dirty = replace(clean, sources=clean.sources.copy(), answers=clean.answers.copy())
    dirty.sources[~clean.source_mask] = 3
    dirty.answers[~clean.answer_mask] = -99
    results = []
    for pairs in (clean, dirty):
        network = EncoderDecoder(replace(TINY, max_epochs=2), SYMBOLS, SYMBOLS)
        results.append((list(network.fit(pairs)), network.flat.clone()))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_gradients_reach_the_encoder_through_the_state():
    network = EncoderDecoder(TINY, SYMBOLS, SYMBOLS)
    pairs = reversals(6, seed=5)
    loss, steps = network.loss(pairs, network.teacher_forced(pairs, None))
    loss.backward()
    assert steps == pairs.answer_mask.sum()
    assert network._weights[0].layers[0][0].input.grad.abs().max() > 0


@pytest.mark.parametrize(
    "fields", [{"bidirectional": True}, {"readout": "last"}, {"tbptt_forward_steps": 3}], ids=str
)
def test_what_cannot_hand_its_state_over_is_refused(fields):
    with pytest.raises(ConfigError, match="encoder-decoder needs"):
        EncoderDecoder(replace(CONFIG, **fields), SYMBOLS, SYMBOLS)


def test_the_learning_rate_decays_by_epochs_where_asked(monkeypatch):
    """Three epochs of two batches: 0.01, halved after each epoch."""
    used = []
    original = optim.step

    def noting(weights, gradient, moments, configs, steps_done, rates):
        used.extend(rates)
        original(weights, gradient, moments, configs, steps_done, rates)

    monkeypatch.setattr(optim, "step", noting)
    config = replace(
        TINY, max_epochs=3, batch_size=4, lr_decay_unit="epoch", lr_decay_steps=1, lr_decay_rate=0.5
    )
    list(EncoderDecoder(config, SYMBOLS, SYMBOLS).fit(reversals(8, seed=7)))
    assert used == [0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025]


def test_a_plateau_needs_a_validation_that_there_is_not():
    config = replace(CONFIG, lr_decay="plateau", lr_decay_rate=0.5)
    with pytest.raises(ConfigError, match="lr_decay=plateau waits for a validation metric"):
        EncoderDecoder(config, SYMBOLS, SYMBOLS)


def test_losses_and_rows_must_fit_the_answers():
    pairs = reversals(4, seed=6)
    with pytest.raises(ConfigError, match="class ids"):
        next(EncoderDecoder(replace(CONFIG, loss="mse"), SYMBOLS, SYMBOLS).fit(pairs))
    with pytest.raises(DataError, match="every source needs its answer"):
        Pairs(pairs.sources, pairs.answers[:2])
