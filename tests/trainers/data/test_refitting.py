"""Train and validation as one part."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.trainers.factory import RMSE, admitted, wrap
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.data.refitting import joined


def part(rows, steps, **more):
    inputs = np.arange(rows * steps, dtype=np.float32).reshape(rows, steps, 1)
    return SequenceSet(inputs, inputs + 1, **more)


def data_of(train, validation, **more):
    return dataclasses.replace(wrap(train, **more), validation=validation)


def test_validation_follows_training():
    data = data_of(part(3, 2, origins=np.arange(3)), part(2, 2, origins=np.array([7, 8])))
    found = joined(data)
    assert found.train.inputs[:, 0, 0].tolist() == [0, 2, 4, 0, 2]
    assert found.train.origins.tolist() == [0, 1, 2, 7, 8]
    assert found.train.input_mask is None
    assert found.validation is data.validation
    assert found.test is data.test
    assert found.digest != data.digest


def test_shorter_sequences_are_padded_under_their_masks():
    mask = np.array([[True, False, False]])
    found = joined(data_of(part(2, 2), part(1, 3, input_mask=mask, target_mask=mask))).train
    assert found.inputs.shape == (3, 3, 1)
    assert found.input_mask.tolist() == [[True, True, False]] * 2 + [[True, False, False]]
    assert found.target_mask.tolist() == found.input_mask.tolist()


def test_masks_of_single_outputs_and_of_steps_are_joined():
    whole = np.ones((1, 2, 1), bool)
    whole[0, 1] = False
    found = joined(data_of(part(1, 2), part(1, 2, target_mask=whole))).train
    assert found.target_mask[..., 0].tolist() == [[True, True], [True, False]]


def test_a_stream_goes_on_with_a_reset_between_its_parts():
    data = data_of(part(1, 3), part(1, 2), walk="stream")
    found = joined(data).train
    assert found.inputs[0, :, 0].tolist() == [0, 1, 2, 0, 1]
    assert found.resets.tolist() == [[False, False, False, True, False]]


def test_it_is_trained_on_as_any_other():
    data = joined(data_of(part(3, 2), part(2, 4)))
    pack = admitted(TrainConfig(hidden_size=2, readout="every", batch_size=5), data, RMSE)
    assert pack.train(0).optimizer_steps == 1
