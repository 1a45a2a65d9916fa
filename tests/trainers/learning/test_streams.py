"""Streams: lanes, carried state, resets, evaluation, restarts."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    Network,
    admitted,
    finish,
    regression_set,
    slot_weights,
    without_time,
    wrap,
)
from trainers.config.cells import CELLS
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.errors import ConfigError
from trainers.learning.lanes import StreamPart
from trainers.packs.pack import Pack

CONFIG = TrainConfig(
    cell="lstm", hidden_size=4, batch_size=3, readout="every", tbptt_forward_steps=5,
    dtype="float64", max_epochs=3, learning_rate=0.02,
)  # fmt: skip


def stream_set(steps, *, seed=0, documents=(), series=1):
    part = regression_set(series, steps // series, seed=seed, dtype=np.float64)
    resets = np.zeros(part.inputs.shape[:2], dtype=bool)
    resets.reshape(-1)[list(documents)] = True
    return replace(part, resets=resets if documents else None)


def stream(part, validation=None, **fields):
    return wrap(part, validation, walk="stream", **fields)


def counting(steps, series=1):
    """A stream whose inputs say which step they are."""
    numbers = np.arange(steps, dtype=np.float64).reshape(series, -1, 1)
    return SequenceSet(numbers, numbers)


@pytest.mark.parametrize(
    ("steps", "lanes", "expected"),
    [
        (10, 3, [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]),
        (6, 2, [[0, 1, 2], [3, 4, 5]]),
        (2, 5, [[0], [1]]),
    ],
)
def test_lanes_share_out_every_step(steps, lanes, expected):
    source = StreamPart(counting(steps), CONFIG.structure()).lanes(lanes)
    seen = [[] for _ in expected]
    for start in range(0, source.time_steps, 2):
        stop = min(start + 2, source.time_steps)
        window = source.window(start, stop)
        assert window.offset == start
        for lane, ends in enumerate(window.ends):
            seen[lane] += window.inputs[lane, : max(min(ends, stop) - start, 0), 0].tolist()
    assert seen == expected
    assert source.time_steps == max(map(len, expected))


def test_a_lane_that_is_a_step_shorter_has_no_target_there():
    window = StreamPart(counting(10), CONFIG.structure()).lanes(3).window(2, 4)
    assert window.target_mask.tolist() == [[True, False], [True, False], [True, True]]
    assert window.target_counts.tolist() == [3, 3, 4]


def test_series_of_a_stream_follow_each_other_with_a_reset_between():
    source = StreamPart(counting(12, series=3), CONFIG.structure()).lanes(2)
    window = source.window(0, 6)
    assert window.inputs[..., 0].tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert np.argwhere(window.resets).tolist() == [[0, 4], [1, 2]]


def test_memory_is_that_of_a_window_however_long_the_stream():
    ids = np.zeros((1, 4_000_000), dtype=np.uint8)
    part = SequenceSet(ids, np.broadcast_to(np.zeros(1, dtype=np.int64), ids.shape))
    tracemalloc.start()
    try:
        source = StreamPart(part, CONFIG.structure()).lanes(32)
        source.window(0, 100), source.window(100_000, 100_100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(("k1", "k2"), [(4, None), (5, 2), (3, 8)])
def test_a_stream_learns_what_its_lanes_as_rows_learn(k1, k2):
    """10 steps in 3 lanes: as ragged rows of one batch, the sequence walk is the same walk."""
    part = stream_set(31)
    bounds = [(0, 10), (10, 20), (20, 31)]
    inputs, targets = np.zeros((3, 11, 3)), np.zeros((3, 11, 1))
    mask = np.zeros((3, 11), dtype=bool)
    for row, (a, b) in enumerate(bounds):
        inputs[row, : b - a], targets[row, : b - a] = part.inputs[0, a:b], part.targets[0, a:b]
        mask[row, : b - a] = True
    rows = wrap(SequenceSet(inputs, targets, mask))
    config = replace(CONFIG, tbptt_forward_steps=k1, tbptt_backward_steps=k2, num_layers=2)
    as_stream, as_rows = admitted(config, stream(part)), admitted(config, rows)
    for mine, theirs in zip(finish(as_stream), finish(as_rows), strict=True):
        assert mine.optimizer_steps == theirs.optimizer_steps
        assert mine.train == pytest.approx(theirs.train, rel=1e-9)
    torch.testing.assert_close(
        slot_weights(as_stream), slot_weights(as_rows), rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_state_is_carried_to_the_epochs_end_and_no_further(cell):
    """One lane at rate 0: the training epoch is one full pass, and the next epoch the same."""
    config = replace(CONFIG, cell=cell, batch_size=1, learning_rate=0.0)
    pack = admitted(config, stream(stream_set(43, documents=(0, 7, 8, 30))))
    first, second = pack.train(0), pack.train(0)
    assert first.optimizer_steps == 9
    assert first.train == pytest.approx(first.validation, rel=1e-10)
    assert second.train == pytest.approx(first.train, rel=1e-10)


def test_evaluation_does_not_depend_on_batch_size_or_k1():
    part = stream_set(43, documents=(0, 20))
    seen = [
        admitted(replace(CONFIG, batch_size=b, tbptt_forward_steps=k), stream(part)).evaluate(
            0, "validation"
        )
        for b, k in ((1, 5), (7, 3), (43, 50))
    ]
    assert seen[0] == pytest.approx(seen[1], rel=1e-12)
    assert seen[0] == pytest.approx(seen[2], rel=1e-12)


def test_evaluation_gives_documents_what_they_give_alone():
    bounds = [(0, 9), (9, 10), (10, 24)]
    part = stream_set(24, documents=[a for a, _ in bounds])
    mask = np.zeros((3, 14), dtype=bool)
    inputs, targets = np.zeros((3, 14, 3)), np.zeros((3, 14, 1))
    for row, (a, b) in enumerate(bounds):
        inputs[row, : b - a], targets[row, : b - a] = part.inputs[0, a:b], part.targets[0, a:b]
        mask[row, : b - a] = True
    alone = wrap(SequenceSet(inputs, targets, mask))
    mine = admitted(CONFIG, stream(part)).evaluate(0, "validation")
    assert mine == pytest.approx(admitted(CONFIG, alone).evaluate(0, "validation"), rel=1e-10)


def resets_and_masks(rows=3, steps=8):
    flags = st.lists(st.booleans(), min_size=steps, max_size=steps)
    return st.tuples(
        st.lists(flags, min_size=rows, max_size=rows).map(np.array),
        st.lists(flags.filter(any), min_size=rows, max_size=rows).map(np.array),
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(["rnn_tanh", "gru", "lstm", "lstm_layernorm", "minlstm"]),
    stem=st.sampled_from(["none", "conv"]),
    backend=st.sampled_from(["auto", "native", "stepwise"]),
    bidirectional=st.booleans(),
    k1=st.integers(1, 8),
    arrays=resets_and_masks(),
    gaps=st.booleans(),
)
def test_a_row_with_resets_equals_separate_sequences(
    cell, stem, backend, bidirectional, k1, arrays, gaps
):
    """SEMANTICS' test (e): outputs of all segments, and for one segment the gradient."""
    resets, mask = arrays
    mask = mask if gaps else np.ones_like(mask)
    data = replace(regression_set(3, 8, mask=mask, dtype=np.float64), resets=resets)
    config = TrainConfig(
        cell=cell, readout="every", dtype="float64", hidden_size=3, num_layers=2,
        bidirectional=bidirectional, loss_reduction="sequence_sum", stem=stem, stem_size=3,
    )  # fmt: skip
    if CELLS[cell].torch is None and backend == "native":
        backend = "stepwise"
    network = Network.of(config.structure(), data, 1, backend=backend)
    borders = [[0, *(np.flatnonzero(row[1:]) + 1), 8] for row in resets]
    singles = {}
    for row in range(3):
        for a, b in zip(borders[row], borders[row][1:], strict=False):
            exists = mask[row, a:b]
            if exists.any():
                inputs = data.inputs[row : row + 1, a:b][:, exists]
                targets = data.targets[row : row + 1, a:b][:, exists]
                singles[row, a] = network.walk(SequenceSet(inputs, targets))[0]
    expected = torch.cat([single[1] for single in singles.values()]).flatten()
    gradient = sum(single[3] for single in singles.values())

    ((_, outputs, loss, mine),) = network.walk(data)
    assert sorted(outputs.flatten().tolist()) == pytest.approx(sorted(expected.tolist()), rel=1e-9)
    assert 3 * loss == pytest.approx(sum(single[2] for single in singles.values()), rel=1e-9)
    torch.testing.assert_close(mine * 3, gradient, rtol=1e-8, atol=1e-10)
    if not bidirectional:
        parts = network.walk(data, tbptt_forward_steps=k1)
        carried = [value for part in parts for value in part[1].flatten().tolist()]
        assert sorted(carried) == pytest.approx(sorted(expected.tolist()), rel=1e-9)


def test_gradients_do_not_cross_a_reset_within_a_replay():
    part = stream_set(12, documents=(6,))
    config = replace(CONFIG, batch_size=1, tbptt_forward_steps=3, tbptt_backward_steps=9)
    network = Network.of(config.structure(), part, 1)
    source = StreamPart(part, config.structure()).lanes(1)
    steps = network.walk(part, source=source, tbptt_forward_steps=3, tbptt_backward_steps=9)
    # Steps 6-8 begin a document: their gradient is that of the document's first steps alone.
    alone = SequenceSet(part.inputs[:, 6:9], part.targets[:, 6:9])
    ((_, _, loss, gradient),) = network.walk(
        alone, tbptt_forward_steps=None, tbptt_backward_steps=None
    )
    assert steps[2][2] == pytest.approx(loss, rel=1e-10)
    torch.testing.assert_close(steps[2][3], gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("after", [1, 2, 5, 9])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tbptt_backward_steps": 2, "cell": "gru", "input_dropout": 0.3},
        {"tbptt_backward_steps": 11, "output_dropout": 0.2},
        {"tbptt_random_lengths": True, "tbptt_forward_steps": 7},
    ],
    ids=["k1", "k2<k1", "k2>k1", "random"],
)
def test_a_stream_goes_on_bit_equal_from_the_middle_of_an_epoch(tmp_path, after, fields):
    config = replace(CONFIG, dtype="float32", **fields)
    data = stream(stream_set(90, documents=(0, 17, 18, 44)), stream_set(20, seed=1))
    undisturbed = admitted(config, data)
    expected = [without_time(r) for r in finish(undisturbed)]
    killed = admitted(config, data)
    before = [r for r in (killed.train(0, seconds=0.0) for _ in range(after)) if r is not None]
    killed.save(0, tmp_path / "trial")
    restored = Pack(config.structure(), data, RMSE, slots=2)
    restored.admit(1, config, tmp_path / "trial")
    reports = [without_time(r) for r in [*before, *finish(restored, slot=1)]]
    assert reports == expected
    assert torch.equal(slot_weights(restored, 1), slot_weights(undisturbed))


def test_random_lengths_scale_the_learning_rate_and_count_as_steps():
    config = replace(
        CONFIG,
        tbptt_forward_steps=10,
        tbptt_random_lengths=True,
        batch_size=1,
        optimizer="sgd",
        max_epochs=1,
    )
    pack = admitted(config, stream(stream_set(300)))
    report = pack.train(0)
    assert 15 <= report.optimizer_steps <= 60
    assert report.learning_rate != config.learning_rate


def test_a_character_stream_is_learned_across_segments():
    """Period 6 with k1 = 2: each symbol is followed by another according to what came earlier."""
    ids = np.tile(np.array([0, 0, 1, 0, 1, 1]), 100)[None]
    part = SequenceSet(ids[:, :-1], ids[:, 1:])
    data = stream(part, task="classification", classes=2, input_size=2)
    config = TrainConfig(
        cell="gru", hidden_size=16, batch_size=4, readout="every", tbptt_forward_steps=2,
        tbptt_backward_steps=8, loss="cross_entropy", learning_rate=0.02, max_epochs=8,
    )  # fmt: skip
    assert finish(admitted(config, data, ACCURACY))[-1].best_validation["accuracy"] > 0.95


@pytest.mark.parametrize(
    ("fields", "law"),
    [
        ({"tbptt_forward_steps": None}, "needs truncated BPTT"),
        ({"readout": "last"}, "readout=every"),
    ],
)
def test_a_stream_refuses_what_it_cannot_be(fields, law):
    config = replace(CONFIG, **fields)
    with pytest.raises(ConfigError, match=law):
        Pack(config.structure(), stream(stream_set(20)), RMSE)


def test_random_lengths_are_for_streams():
    config = replace(CONFIG, tbptt_random_lengths=True)
    with pytest.raises(ConfigError, match="needs a stream"):
        Pack(config.structure(), wrap(stream_set(20)), RMSE)
