from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainers.factory import (
    RMSE,
    admitted,
    finish,
    prefix_mask,
    regression_data,
    slot_weights,
    without_time,
)
from trainers.config.train_config import TrainConfig
from trainers.errors import CheckpointError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.pack import Pack, evaluate_checkpoint

CONFIG = TrainConfig(
    cell="lstm", hidden_size=4, num_layers=2, batch_size=6, max_epochs=4, readout="every",
    tbptt_forward_steps=3, learning_rate=0.02, input_dropout=0.2, layer_dropout=0.3,
    output_dropout=0.1, clip_norm=0.5, lr_decay_rate=0.9, lr_decay_steps=5, weight_decay=0.01,
    patience=3, seed=5,
)  # fmt: skip


def data(digest="digest"):
    mask = prefix_mask(np.arange(20) % 9 + 4, 12)
    mask[3, 1:3] = False
    return regression_data(20, 12, mask=mask, digest=digest)


def train_slices(pack, count):
    """Make `count` segments; return the reports on the way."""
    return [r for r in (pack.train(0, seconds=0.0) for _ in range(count)) if r is not None]


@pytest.mark.parametrize("cut_after", [1, 3, 4, 17, 22, 38])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"optimizer": "sgd", "momentum": 0.9, "cell": "gru", "readout": "last"},
        {
            "recurrent_dropout": 0.3,
            "weight_drop": 0.2,
            "zoneout_hidden": 0.1,
            "zoneout_cell": 0.4,
            "optimizer": "rmsprop",
            "momentum": 0.5,
            "lr_decay": "plateau",
            "lr_decay_rate": 0.5,
            "lr_plateau_patience": 0,
            "learning_rate": 0.1,
            "temporal_activation_regularisation": 0.1,
            "stem": "conv",
            "readout": "mean",
            "dropout_kind": "step",
        },
        {"cell": "gru", "weight_drop": 0.3},
        {"cell": "rnn_relu", "weight_drop": 0.3},
    ],
    ids=["adam", "sgd", "noise", "gru", "rnn"],
)
def test_a_restored_trial_goes_on_bit_equal_from_the_middle_of_an_epoch(
    tmp_path, cut_after, fields
):
    config = replace(CONFIG, **fields)
    undisturbed = admitted(config, data())
    expected = [without_time(r) for r in finish(undisturbed)]

    killed = admitted(config, data())
    before = train_slices(killed, cut_after)
    killed.save(0, tmp_path / "trial.safetensors")
    restored = Pack(config.structure(), data(), RMSE, slots=3)
    restored.admit(2, config, tmp_path / "trial.safetensors")
    reports = [without_time(r) for r in [*before, *finish(restored, slot=2)]]

    assert reports == expected
    assert torch.equal(slot_weights(restored, 2), slot_weights(undisturbed))
    assert restored.evaluate(2, "validation") == undisturbed.evaluate(0, "validation")


def test_a_saved_trials_best_weights_can_be_evaluated_from_the_file(tmp_path):
    pack = admitted(replace(CONFIG, learning_rate=0.3), data())
    finish(pack)
    pack.save(0, tmp_path / "end")
    metrics = evaluate_checkpoint(tmp_path / "end", data(), "validation", RMSE)
    assert metrics == pack.evaluate_finalist(0, "validation")


def test_the_header_says_what_was_saved_without_reading_tensors(tmp_path):
    pack = admitted(CONFIG, data())
    pack.train(0)
    pack.save(0, tmp_path / "x")
    header = read_checkpoint(tmp_path / "x", tensors=False)
    assert header.config == CONFIG
    assert (header.data_digest, header.progress["epoch"], header.tensors) == ("digest", 1, {})
    assert header.layout[0] == ("weight_ih_l0", [16, 3], 0)


@pytest.mark.parametrize("breaks", ["fsync", "replace", "write"])
def test_a_crash_while_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch, breaks):
    path = tmp_path / "trial"
    pack = admitted(CONFIG, data())
    pack.save(0, path)
    old = path.read_bytes()
    pack.train(0)

    def crash(*_args, **_kwargs):
        raise OSError("no space left on device")

    target = {"fsync": (os, "fsync"), "replace": (Path, "replace"), "write": (Path, "open")}
    monkeypatch.setattr(*target[breaks], crash)
    with pytest.raises(OSError, match="no space"):
        pack.save(0, path)
    monkeypatch.undo()
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def damaged(content, how):
    return {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "flipped": content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
        "foreign": b"PK\x03\x04" + content,
        "format": content.replace(b'\\"format\\": 1', b'\\"format\\": 9'),
        "header": content.replace(b'\\"progress\\"', b'\\"progresz\\"'),
    }[how]


@pytest.mark.parametrize("how", ["cut", "empty", "flipped", "foreign", "format", "header"])
def test_a_damaged_file_is_refused(tmp_path, how):
    pack = admitted(CONFIG, data())
    pack.save(0, tmp_path / "good")
    bad = damaged((tmp_path / "good").read_bytes(), how)
    assert bad != (tmp_path / "good").read_bytes()
    (tmp_path / "bad").write_bytes(bad)
    with pytest.raises(CheckpointError):
        pack.admit(0, CONFIG, tmp_path / "bad")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        read_checkpoint(tmp_path / "nowhere")


def test_a_checkpoint_of_other_data_or_settings_is_refused(tmp_path):
    path = tmp_path / "trial"
    admitted(CONFIG, data()).save(0, path)
    other = replace(CONFIG, learning_rate=0.5)
    with pytest.raises(CheckpointError, match=r"learning_rate: 0\.02 → 0\.5"):
        Pack(other.structure(), data(), RMSE).admit(0, other, path)
    with pytest.raises(CheckpointError, match="own data"):
        Pack(CONFIG.structure(), data("other"), RMSE).admit(0, CONFIG, path)
    with pytest.raises(CheckpointError, match="own data"):
        evaluate_checkpoint(path, data("other"), "validation", RMSE)


def test_a_diverged_trial_can_be_saved(tmp_path):
    wild = replace(CONFIG, cell="rnn_relu", optimizer="sgd", learning_rate=1e30)
    pack = admitted(wild, data())
    assert finish(pack)[-1].outcome == "diverged"
    pack.save(0, tmp_path / "x")
    assert read_checkpoint(tmp_path / "x").progress["outcome"] == "diverged"
