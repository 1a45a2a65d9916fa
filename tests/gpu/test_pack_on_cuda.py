"""A pack on a CUDA device against the same pack on the CPU; needs trainers' libraries only."""

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
from trainers.packs.pack import Pack

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

DEVICE = "cuda"
CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm")


def config(cell="lstm", **settings):
    common = {"readout": "every", "hidden_size": 16, "batch_size": 8, "dtype": "float64"}
    return TrainConfig.from_mapping({**common, "cell": cell, "max_epochs": 3, **settings})


def trained(settings, data, device):
    pack = admitted(settings, data, device=device)
    finish(pack)
    return slot_weights(pack).cpu()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("forward_steps", [None, 5])
def test_weights_after_three_epochs_equal_the_cpus(cell, forward_steps):
    lengths = np.random.default_rng(0).integers(1, 13, 20)
    data = regression_data(20, 12, mask=prefix_mask(lengths, 12), dtype=np.float64)
    settings = config(cell, tbptt_forward_steps=forward_steps)
    there, here = trained(settings, data, DEVICE), trained(settings, data, "cpu")
    assert float((there - here).norm() / here.norm()) <= 1e-9


def test_dropout_masks_are_those_of_the_cpu():
    data = regression_data(20, 12, dtype=np.float64)
    settings = config(input_dropout=0.3, output_dropout=0.3)
    there, here = trained(settings, data, DEVICE), trained(settings, data, "cpu")
    assert float((there - here).norm() / here.norm()) <= 1e-9


def test_a_checkpoint_of_the_gpu_goes_on_on_the_cpu(tmp_path):
    data = regression_data(20, 12, dtype=np.float64)
    settings = config(max_epochs=4)
    pack = admitted(settings, data, device=DEVICE)
    pack.train(0)
    pack.save(0, tmp_path / "trial.safetensors")
    moved = Pack(settings.structure(), data, RMSE)
    moved.admit(0, settings, tmp_path / "trial.safetensors")
    there, here = without_time(pack.train(0)), without_time(moved.train(0))
    assert here.epoch == there.epoch == 2
    assert here.validation["loss"] == pytest.approx(there.validation["loss"], rel=1e-9)
