"""What is added to the loss, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import admitted, prefix_mask, regression_data, regression_set, wrap
from trainers.config.train_config import TrainConfig
from trainers.network.parameters import Weights
from trainers.network.regularisation import activation_sums, penalty

NOTHING = Weights((), torch.zeros(1), torch.zeros(1))


def series():
    """Two rows of 3 steps with one unit; the second row has 2 steps, then rubbish."""
    return torch.tensor([[1.0, 3.0, 0.0], [2.0, 2.5, 1e6]]).reshape(1, 2, 3, 1)


def config(**fields):
    return TrainConfig(hidden_size=4, readout="every", **fields)


def test_activations_and_their_steps_are_averaged_over_what_exists():
    h = series()
    sums = activation_sums(h * 2, h, torch.tensor([[3, 2]]))
    assert sums.flatten().tolist() == [4 * (1 + 9 + 0 + 4 + 6.25), 5.0, 4 + 9 + 0.25, 3.0]
    alpha = config(activation_regularisation=2.0)
    beta = config(temporal_activation_regularisation=3.0)
    assert penalty(NOTHING, [sums], [alpha]).item() == pytest.approx(2 * 81 / 5)
    assert penalty(NOTHING, [sums], [beta]).item() == pytest.approx(3 * 13.25 / 3)


def test_without_padding_every_step_and_pair_counts():
    h = series()[:, :1]
    assert activation_sums(h, h, None).flatten().tolist() == [10.0, 3.0, 4.0 + 9.0, 2.0]


def test_spans_of_a_segment_are_averaged_together():
    h = series()[:, :1]
    parts = [activation_sums(h[:, :, :2], h[:, :, :2], None), activation_sums(h, h, None)]
    both = penalty(NOTHING, parts, [config(activation_regularisation=1.0)])
    assert both.item() == pytest.approx(20 / 5)


def test_trials_are_regularised_each_by_itself_and_nothing_is_added_without():
    h = torch.ones(2, 1, 2, 1)
    sums = activation_sums(h, h, None)
    both = penalty(NOTHING, [sums], [config(activation_regularisation=0.5), config()])
    assert both.tolist() == [0.5, 0.0]
    assert penalty(NOTHING, (), [config()]) is None


def test_one_step_has_no_pair():
    h = torch.ones(1, 2, 1, 1)
    one = config(temporal_activation_regularisation=5.0)
    assert penalty(NOTHING, [activation_sums(h, h, None)], [one]).item() == 0.0


@pytest.mark.parametrize(
    "field", ["activation_regularisation", "temporal_activation_regularisation"]
)
def test_regularised_activations_become_smaller_and_padding_is_never_seen(field):
    mask = prefix_mask([8, 5, 6, 3], 8)
    data = regression_set(4, 8, mask=mask)
    settings = config(learning_rate=0.05, batch_size=4, optimizer="sgd", max_epochs=9)
    strong = replace(settings, **{field: 10.0})
    plain, pulled = (admitted(c, wrap(data)) for c in (settings, strong))
    assert plain.train(0).train == pulled.train(0).train  # no part of the loss reported
    dirty = replace(data, inputs=data.inputs.copy())
    dirty.inputs[~mask] = float("nan")
    other = admitted(strong, wrap(dirty))
    assert other.train(0).outcome == "training"
    assert torch.equal(other._buffers.weights, pulled._buffers.weights)
    assert not torch.equal(plain._buffers.weights, pulled._buffers.weights)


def test_a_pack_member_is_regularised_as_alone():
    data = regression_data()
    settings = config(activation_regularisation=0.3, tbptt_forward_steps=5)
    alone = admitted(settings, data)
    pack = admitted(replace(settings, activation_regularisation=0.0, seed=4), data, slots=2)
    pack.admit(1, settings)
    pack.train_epoch(), alone.train(0)
    assert torch.equal(pack._buffers.weights[1], alone._buffers.weights[0])
