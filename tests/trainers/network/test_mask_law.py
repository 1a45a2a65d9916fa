"""Masked = alone, and nothing that padding holds can be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers.factory import Network, classes_set, prefix_mask, regression_set, wrap
from trainers.config.cells import CELLS
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.packs.pack import Pack

READOUTS = ("every", "last", "mean", "max", "all_states")
STEPS = 7


def alone(data, row):
    """One sequence at its true length, without a mask."""
    steps = data.input_mask[row]
    return SequenceSet(data.inputs[row : row + 1, steps], data.targets[row : row + 1, steps])


def masks():
    """Rows with gaps and late starts, each with at least one existing step."""
    row = st.lists(st.booleans(), min_size=STEPS, max_size=STEPS).filter(any)
    return st.lists(row, min_size=2, max_size=4).map(np.array)


def structure(cell, readout="every", **fields):
    fields = {"hidden_size": 3, "num_layers": 2, "loss_reduction": "sequence_sum"} | fields
    return TrainConfig(cell=cell, readout=readout, dtype="float64", **fields).structure()


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(list(CELLS)),
    readout=st.sampled_from(READOUTS),
    merge=st.sampled_from([None, "concat", "sum"]),
    stem=st.sampled_from(["none", "dense", "conv"]),
    backend=st.sampled_from(["auto", "stepwise"]),
    reduction=st.sampled_from(["sequence_sum", "sequence_mean"]),
    mask=masks(),
)
def test_a_masked_row_gives_what_it_gives_alone(
    cell, readout, merge, stem, backend, reduction, mask
):
    data = regression_set(len(mask), STEPS, mask=mask, outputs=2, dtype=np.float64)
    shape = structure(
        cell, readout, bidirectional=merge is not None, bidirectional_merge=merge or "concat",
        stem=stem, stem_size=4, loss_reduction=reduction, hidden_size=(3, 2), head_sizes=(3,),
    )  # fmt: skip
    network = Network.of(shape, data, 2, backend=backend)
    ((_, outputs, loss, gradient),) = network.walk(data)
    singles = [network.walk(alone(data, row))[0] for row in range(len(mask))]

    torch.testing.assert_close(outputs, torch.cat([s[1] for s in singles]), rtol=1e-9, atol=1e-11)
    assert loss * len(mask) == pytest.approx(sum(s[2] for s in singles), rel=1e-9)
    torch.testing.assert_close(
        gradient * len(mask), sum(s[3] for s in singles), rtol=1e-8, atol=1e-10
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(list(CELLS)),
    readout=st.sampled_from(READOUTS),
    stem=st.sampled_from(["none", "conv"]),
    k1=st.integers(1, STEPS),
    mask=masks(),
)
def test_state_carried_over_gaps_is_the_state_of_the_row_alone(cell, readout, stem, k1, mask):
    """Segments are cut in the batch's time; gaps at their borders must not touch the state."""
    data = regression_set(len(mask), STEPS, mask=mask, dtype=np.float64)
    network = Network.of(structure(cell, readout, stem=stem, stem_size=4), data, 1)
    steps = network.walk(data, tbptt_forward_steps=k1)
    carried = sorted(value for step in steps for value in step[1].flatten().tolist())
    singles = [network.walk(alone(data, row))[0][1] for row in range(len(mask))]
    assert carried == pytest.approx(sorted(torch.cat(singles).flatten().tolist()), rel=1e-9)


@pytest.mark.parametrize("filling", [np.nan, 1e9, -np.inf])
@pytest.mark.parametrize("k1", [None, 3])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("kind", ["prefix", "gaps"])
def test_what_padding_holds_is_never_seen(filling, k1, readout, kind):
    mask = prefix_mask([7, 4, 2, 6], STEPS)
    if kind == "gaps":
        mask[0, 2], mask[1, 0], mask[3, :3] = False, False, False
    clean = regression_set(4, STEPS, mask=mask)
    dirty = replace(clean, inputs=clean.inputs.copy(), targets=clean.targets.copy())
    dirty.inputs[~mask] = filling
    dirty.targets[~mask] = filling

    def learned(data):
        config = TrainConfig(
            hidden_size=4, readout=readout, tbptt_forward_steps=k1, batch_size=3, max_epochs=2,
            stem="conv", stem_size=4,
        )  # fmt: skip
        pack = Pack(config.structure(), wrap(data), Objective("loss", "minimize"))
        pack.admit(0, config)
        reports = [pack.train(0), pack.train(0)]
        return pack._buffers.weights.clone(), reports[-1].train, reports[-1].validation

    seen, unseen = learned(clean), learned(dirty)
    assert torch.equal(seen[0], unseen[0])
    assert seen[1:] == unseen[1:]
    assert np.isfinite(seen[1]["rmse"])


def test_single_masked_outputs_carry_no_loss_and_may_hold_nan():
    data = regression_set(3, STEPS, outputs=2, dtype=np.float64)
    mask = np.ones(data.targets.shape, dtype=bool)
    mask[:, :, 1] = False
    targets = data.targets.copy()
    targets[~mask] = np.nan
    shape = structure("gru", loss_reduction="valid_step")
    network = Network.of(shape, data, 2)
    ((_, outputs, loss, gradient),) = network.walk(replace(data, targets=targets, target_mask=mask))
    error = outputs.reshape(3, STEPS, 2)[:, :, 0].numpy() - data.targets[:, :, 0]
    assert loss == pytest.approx(float((error**2).mean()))
    assert torch.isfinite(gradient).all()


def test_batches_are_trimmed_to_their_longest_row():
    mask = prefix_mask([3, 2, 7], STEPS)
    data = regression_set(3, STEPS, mask=mask, dtype=np.float64)
    network = Network.of(structure("lstm"), data, 1)
    ((segment, *_),) = network.walk(data, rows=[0, 1])
    assert segment.inputs.shape == (1, 2, 3, 3)


@pytest.mark.parametrize("reduction", ["valid_step", "sequence_sum", "sequence_mean"])
def test_loss_reductions_divide_by_what_they_say(reduction):
    mask = prefix_mask([4, 1], 4)
    data = regression_set(2, 4, mask=mask, dtype=np.float64)
    network = Network.of(structure("gru", loss_reduction=reduction), data, 1)
    ((_, outputs, loss, _),) = network.walk(data)
    squares = ((outputs.numpy() - data.targets[mask]) ** 2).flatten()
    expected = {
        "valid_step": squares.sum() / 5,
        "sequence_sum": squares.sum() / 2,
        "sequence_mean": (squares[:4].mean() + squares[4]) / 2,
    }[reduction]
    assert loss == pytest.approx(expected)


@pytest.mark.parametrize("reduction", ["sequence_sum", "sequence_mean"])
def test_segments_of_sequence_losses_add_up_to_the_whole(reduction):
    mask = prefix_mask([7, 3, 5], STEPS)
    data = regression_set(3, STEPS, mask=mask, dtype=np.float64)
    network = Network.of(structure("gru", loss_reduction=reduction), data, 1)
    (whole,) = network.walk(data)
    parts = network.walk(data, tbptt_forward_steps=2)
    assert sum(p[2] for p in parts) == pytest.approx(whole[2])
    assert sum(p[0].count for p in parts) == whole[0].count == 3


def test_token_ids_are_one_hot_and_masked_ids_may_be_anything():
    mask = prefix_mask([3, 2], 3)
    ids = np.array([[0, 2, 1], [1, 0, -7]])
    floats = np.eye(3)[np.where(mask, ids, 0)]
    labels = classes_set(2, 3, mask=mask)
    shape = structure("lstm", loss="cross_entropy", loss_reduction="valid_step")
    network = Network.of(shape, SequenceSet(floats, labels.targets), 3)
    ((_, from_ids, *_),) = network.walk(replace(labels, inputs=ids))
    ((_, from_floats, *_),) = network.walk(replace(labels, inputs=floats))
    assert torch.equal(from_ids, from_floats)
