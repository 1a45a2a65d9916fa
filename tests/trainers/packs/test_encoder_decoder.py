"""Encoder-decoders in packs, restarted, judged and refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.trainers.factory import RMSE, admitted, finish, without_time
from tests.trainers.forecast_factory import HORIZON, TARGETS, decoding, forecast_data
from tests.trainers.fused_cases import ALONE, RESIDENT, STACKED, different, every_way
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.packs.choice import choose_pack
from trainers.packs.pack import Pack, pack_of_checkpoint

NOISE = {
    "input_dropout": 0.2, "layer_dropout": 0.2, "output_dropout": 0.2, "recurrent_dropout": 0.2,
    "weight_drop": 0.2, "zoneout_hidden": 0.1, "head_sizes": (5,), "head_dropout": 0.2,
    "activation_regularisation": 0.1, "temporal_activation_regularisation": 0.1,
}  # fmt: skip
FORCINGS = (1.0, 0.5, 0.0)


def told_differently(base):
    """Trials that are told all, some and no true answers."""
    return [
        replace(config, teacher_forcing=forcing, teacher_forcing_decay=0.7)
        for config, forcing in zip(different(base, 3), FORCINGS, strict=True)
    ]


WAYS = [(way, pattern) for way in (ALONE, STACKED) for pattern in ("none", "prefix", "gaps")]
WAYS += [(RESIDENT, "none"), (RESIDENT, "prefix")]  # gaps are stacked on the host


@pytest.mark.parametrize(("way", "pattern"), WAYS, ids=str)
@pytest.mark.parametrize("missing", [False, True], ids=["whole", "missing"])
def test_trials_of_a_pack_equal_the_trials_alone(pattern, missing, way):
    data = forecast_data(pattern, missing=missing)
    way.assert_equal_to_solo(told_differently(decoding(data)), data)


@pytest.mark.parametrize("kind", ["locked", "step"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
@every_way
def test_what_is_dropped_does_not_depend_on_the_pack(kind, cell, way):
    data = forecast_data("prefix")
    base = decoding(data, cell=cell, dropout_kind=kind, **NOISE)
    way.assert_equal_to_solo(told_differently(base), data)


@pytest.mark.parametrize("way", [STACKED, RESIDENT], ids=str)
def test_trials_at_different_batches_are_told_as_if_alone(way):
    """One has begun before the other came: batches of different sizes run as one."""
    data = forecast_data("prefix", missing=True)
    configs = told_differently(decoding(data, **NOISE))[1:]
    pack = way.packed(configs, data)
    pack.admit(1, configs[1])
    for _ in range(3):
        pack.advance([0], 0.0)
    found = {0: [], 1: []}
    while len(found[0]) < 3 or len(found[1]) < 3:
        going = [slot for slot in found if len(found[slot]) < 3]
        for report in pack.advance(going, 0.0):
            found[report.slot].append(report)
    for slot, config in enumerate(configs):
        alone = [without_time(r) for r in finish(admitted(config, data))]
        assert [r.validation["rmse"] for r in found[slot]] == pytest.approx(
            [r.validation["rmse"] for r in alone], rel=1e-9
        )


@pytest.mark.parametrize("steps", [1, 5])
def test_a_trial_goes_on_from_its_file_to_the_same_bits(tmp_path, steps):
    """Also inside an epoch, and where teacher forcing has decayed."""
    data = forecast_data("gaps")
    config = decoding(data, teacher_forcing=0.6, teacher_forcing_decay=0.5, **NOISE)
    undisturbed, broken = admitted(config, data), admitted(config, data)
    expected = [without_time(report) for report in finish(undisturbed)]
    found = []
    for _ in range(steps):
        found += broken.advance([0], 0.0)
    broken.save(0, tmp_path / "trial")
    again = pack_of_checkpoint(tmp_path / "trial", data, RMSE)
    found += finish(again)
    assert [without_time(report) for report in found] == expected
    assert torch.equal(again._buffers.weights, undisturbed._buffers.weights)


def test_evaluation_and_kept_answers_agree_and_run_free():
    data = forecast_data("prefix", missing=True)
    pack = admitted(decoding(data, teacher_forcing=1.0), data)
    finish(pack)
    answers, metrics = pack.answers(0, "validation"), pack.evaluate(0, "validation")
    assert answers.outputs.shape == (8, HORIZON * TARGETS)  # one row has no target
    error = np.square(answers.outputs - answers.targets)[answers.mask].mean()
    assert metrics["mse"] == pytest.approx(error, rel=1e-9)
    free = pack_like(pack, data, teacher_forcing=0.0)
    assert free.evaluate(0, "validation") == metrics


def pack_like(pack, data, **fields):
    """A pack with the same weights under other settings."""
    other = admitted(replace(pack._trials[0].config, **fields), data)
    other._trials[0].rows.weights.copy_(pack._trials[0].rows.best)
    return other


def test_it_learns_what_a_last_step_alone_can_not_tell():
    """The answers move with what is known ahead, which the plain network never sees."""
    data = forecast_data(rows=200)
    base = decoding(
        data, cell="lstm", hidden_size=16, num_layers=1, batch_size=32, max_epochs=25,
        learning_rate=0.02, teacher_forcing=0.5,
    )  # fmt: skip
    found = {}
    for architecture in ("plain", "encoder_decoder"):
        reports = finish(admitted(replace(base, architecture=architecture), data))
        found[architecture] = min(report.validation["rmse"] for report in reports)
    assert found["encoder_decoder"] < 0.6 * found["plain"]


def test_how_many_train_together_is_chosen_for_it_too():
    data = forecast_data()
    structure = decoding(data).structure()
    choice = choose_pack(structure, data, RMSE, most_slots=4, measure=True)
    assert choice.slots in (1, 4)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"readout": "mean"}, "needs readout=last"),
        ({"horizon": 2}, "horizon=4"),
        ({"ahead_size": 0}, "ahead_size=3"),
        ({"past_targets": ()}, r"past_targets=\[0, 1\]"),
    ],
    ids=str,
)
def test_a_structure_that_does_not_know_its_data_is_refused(fields, says):
    data = forecast_data()
    with pytest.raises(ConfigError, match=says):
        Pack(decoding(data, **fields).structure(), data, RMSE)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"bidirectional": True}, "set bidirectional to false"),
        ({"tbptt_forward_steps": 5}, "set tbptt_forward_steps to null"),
        ({"teacher_forcing": 1.5}, "0 <= teacher_forcing <= 1"),
    ],
    ids=str,
)
def test_settings_that_exclude_a_decoder_are_refused(fields, says):
    with pytest.raises(ConfigError, match=says):
        TrainConfig(architecture="encoder_decoder", **fields)


def test_data_without_a_horizon_are_refused():
    data = replace(forecast_data(), horizon=1)
    with pytest.raises(ConfigError, match=r"set data\.output_steps to 2 or more"):
        Pack(decoding(data).structure(), data, RMSE)
