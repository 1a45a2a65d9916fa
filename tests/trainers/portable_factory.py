"""Trials of every kind of data, trained for two epochs, and their portable models."""

import numpy as np

from tests.trainers.factory import ACCURACY, RMSE, admitted, classes_set, prefix_mask, wrap
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.data.interface import Interface
from trainers.data.padding import one_label_set
from trainers.data.reading import TextReading
from trainers.use.portable import PortableModel

LENGTHS = [6, 3, 5, 1]
RAW = np.random.default_rng(0).normal(50, 20, size=(4, 6, 2))
MASK = prefix_mask(LENGTHS, 6)
SCALE, SHIFT = np.array([20.0, 10.0]), np.array([50.0, 45.0])


def regression(one_target=False, mask=MASK):
    """Two raw features, one target of mean 300 and deviation 100."""
    inputs = ((RAW - SHIFT) / SCALE).astype(np.float32)
    targets = np.cumsum(inputs[..., :1], axis=1) / 3
    part = SequenceSet(inputs, targets.astype(np.float32), mask, mask)
    if one_target:
        last = targets[np.arange(4), np.array(LENGTHS) - 1]
        part = one_label_set(inputs, mask, last.astype(np.float32))
    return wrap(
        part,
        one_target=one_target,
        target_scale=np.array([100.0]),
        target_shift=np.array([300.0]),
        target_names=("load",),
        input_scale=SCALE,
        input_shift=SHIFT,
        input_names=("load", "price"),
    )


def trained(tmp_path, data, objective=RMSE, **fields):
    config = TrainConfig(**{"hidden_size": 3, "max_epochs": 2, "learning_rate": 0.05, **fields})
    pack = admitted(config, data, objective)
    pack.train(0)
    pack.train(0)
    pack.save(0, tmp_path / "trial")
    return pack, PortableModel.from_checkpoint(tmp_path / "trial", Interface.of(data))


def raw_records():
    return [{"steps": RAW[row, :length].tolist()} for row, length in enumerate(LENGTHS)]


def named_classes(mask=MASK):
    labels = classes_set(4, 6, mask=mask)
    return wrap(labels, task="classification", target_names=("ann", "bob", "cy"))


def characters(tmp_path):
    ids = np.array([[1, 2, 1, 3, 1, 2]] * 4)
    part = SequenceSet(ids[:, :-1], ids[:, 1:])
    data = wrap(
        part,
        task="classification",
        classes=4,
        input_size=4,
        vocabulary_size=4,
        tokens=("<unk>", "a", "b", "c"),
        target_names=("<unk>", "a", "b", "c"),
        reading=TextReading("character", lowercase=True),
    )
    fields = {"readout": "every", "loss": "cross_entropy", "embedding_size": 2}
    return (data, *trained(tmp_path, data, ACCURACY, **fields))
