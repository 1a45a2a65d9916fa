"""Trials and data for every stepper, and how packs are held against the same trials alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.trainers.factory import (
    ACCURACY,
    RMSE,
    admitted,
    classes_set,
    finish,
    prefix_mask,
    regression_data,
    regression_set,
    slot_weights,
    without_time,
    wrap,
)
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceSet
from trainers.packs.pack import Pack

BASE = TrainConfig(
    cell="gru", hidden_size=4, num_layers=2, batch_size=6, max_epochs=3, readout="every",
    tbptt_forward_steps=5, learning_rate=0.02, dtype="float64",
)  # fmt: skip


def masked(pattern, rows=20, time_steps=12):
    """Rows whole, padded on the right, or with gaps and late starts; the last batch is short."""
    if pattern == "none":
        return None
    mask = prefix_mask(np.arange(rows) % 9 + 4, time_steps)
    if pattern == "gaps":
        mask[3, 1:3] = mask[7, :5] = mask[11, 2] = False
    return mask


def data_of(pattern="none", **options):
    return regression_data(20, 12, mask=masked(pattern), dtype=np.float64, **options)


def with_resets(data, seed=0):
    """The same sequences, with documents that begin within them."""
    random = np.random.default_rng(seed)

    def broken(part):
        resets = random.random(part.inputs.shape[:2]) < 0.2
        return replace(part, resets=resets)

    return replace(data, train=broken(data.train), validation=broken(data.validation))


def different(base, count):
    """Trials that differ in every free setting that is cheap to differ in."""
    return [
        replace(
            base,
            seed=number,
            learning_rate=base.learning_rate * (1 + 0.3 * number),
            weight_decay=0.01 * (number % 3),
            clip_norm=(None, 0.5, 0.05)[number % 3],
            lr_decay_rate=0.9,
            lr_decay_steps=3 + number,
        )
        for number in range(count)
    ]


def packed(configs, data, objective=RMSE, *, backend="stepwise", order=None, **options):
    slots = order or range(len(configs))
    pack = Pack(
        configs[0].structure(), data, objective, slots=len(configs), backend=backend, **options
    )
    for slot, config in zip(slots, configs, strict=True):
        pack.admit(slot, config)
    return pack


def finish_all(pack):
    """Train every slot to its end; reports by slot, without times."""
    reports: dict[int, list] = {}
    while ended := pack.train_epoch():
        for report in ended:
            reports.setdefault(report.slot, []).append(without_time(report))
    return reports


def apart(one, other):
    """Distance relative to the norm."""
    return float((one - other).norm() / other.norm().clamp(min=1e-30))


def assert_reports_agree(ours, alone, tolerance=1e-9):
    if not tolerance:
        assert ours == alone
        return
    assert len(ours) == len(alone)
    for mine, reference in zip(ours, alone, strict=True):
        for name in ("epoch", "outcome", "best_epoch", "optimizer_steps"):
            assert getattr(mine, name) == getattr(reference, name), name
        for name in ("train", "validation", "best_validation"):
            one, other = getattr(mine, name), getattr(reference, name)
            assert one.keys() == other.keys()
            np.testing.assert_allclose(
                list(one.values()), list(other.values()), rtol=tolerance, atol=tolerance
            )
        np.testing.assert_allclose(mine.gradient_norm, reference.gradient_norm, rtol=1e-7)
        np.testing.assert_allclose(mine.learning_rate, reference.learning_rate, rtol=1e-12)


def solo(config, data, objective=RMSE):
    """Train one configuration by itself, on native kernels: its pack, and its reports."""
    pack = admitted(config, data, objective)
    return pack, [without_time(report) for report in finish(pack)]


def assert_as_solo(pack, slot, reports, config, data, objective=RMSE, *, tolerance=1e-9):
    """Hold a finished trial's weights and reports against the same trial alone."""
    alone, expected = solo(config, data, objective)
    assert apart(slot_weights(pack, slot).cpu(), slot_weights(alone)) <= tolerance, slot
    assert_reports_agree(reports, expected, tolerance)


@dataclass(frozen=True)
class Way:
    """One way to train a pack on a CPU.

    Attributes:
        stepper: What `Pack.stepper` says.
        backend: What is asked for.
        tolerance: Of the distance to the trial alone, in double precision; 0 is bit-equal.
    """

    stepper: str
    backend: str
    tolerance: float = 1e-9

    def __str__(self):
        return self.stepper

    def packed(self, configs, data, objective=RMSE, **options):
        pack = packed(configs, data, objective, backend=self.backend, **options)
        assert pack.stepper == self.stepper
        return pack

    def assert_equal_to_solo(self, configs, data, objective=RMSE):
        """Train the configurations as a pack and each alone."""
        pack = self.packed(configs, data, objective)
        together = finish_all(pack)
        for slot, config in enumerate(configs):
            assert_as_solo(
                pack, slot, together[slot], config, data, objective, tolerance=self.tolerance
            )
        return pack


ALONE, STACKED = Way("alone", "auto", 0.0), Way("stacked", "stepwise")
RESIDENT = Way("resident", "eager")
every_way = pytest.mark.parametrize("way", [ALONE, STACKED, RESIDENT], ids=str)


def classes_data(pattern="gaps", **fields):
    train = classes_set(20, 12, mask=masked(pattern), dtype=np.float64)
    later = classes_set(9, 12, seed=9, dtype=np.float64)
    return wrap(train, later, task="classification", **fields)


def labels_data():
    """Labels that do not exclude each other, with class weights."""

    def labelled(rows, seed):
        numbers = regression_set(rows, 12, seed=seed, dtype=np.float64)
        return replace(numbers, targets=(numbers.inputs[:, :, :2] > 0).astype(np.float64))

    weights = np.array([1.0, 3.0])
    parts = labelled(20, 0), labelled(9, 1)
    return wrap(*parts, task="classification", classes=2, class_weights=weights)


def elements_data():
    """Two outputs, single elements of which are masked."""
    train = regression_set(20, 12, outputs=2, dtype=np.float64)
    mask = np.random.default_rng(0).random(train.targets.shape) < 0.6
    mask[:, -1] = True
    later = regression_set(9, 12, outputs=2, seed=3, dtype=np.float64)
    return wrap(replace(train, target_mask=mask), later)


def sparse_data():
    """One target a row, early or late: most segments have none."""
    mask = np.zeros((20, 12), dtype=bool)
    mask[::2, 11] = mask[1::2, 2] = True
    train = regression_set(20, 12, dtype=np.float64)
    later = regression_set(9, 12, seed=3, dtype=np.float64)
    return wrap(replace(train, target_mask=mask), later)


def ids_data(task="classification"):
    """Words of a vocabulary of five; the class is their sum modulo 3, or the sum itself."""

    def part(rows, seed):
        ids = np.random.default_rng(seed).integers(0, 5, (rows, 12))
        sums = np.cumsum(ids, axis=1)
        if task == "classification":
            return SequenceSet(ids, sums % 3)
        return SequenceSet(ids, 0.01 * sums[..., None].astype(np.float64))

    return wrap(part(20, 0), part(9, 1), task=task, input_size=5, vocabulary_size=5)


def categories_data(pattern="none"):
    """Ids of two categories among the features."""

    def named(part, seed):
        random = np.random.default_rng(seed)
        inputs = part.inputs.copy()
        for feature, rows, _ in CATEGORIES["category_embeddings"]:
            inputs[..., feature] = random.integers(0, rows, inputs.shape[:2])
        return replace(part, inputs=inputs)

    data = data_of(pattern, features=4)
    return replace(data, train=named(data.train, 0), validation=named(data.validation, 1))


def rescaled_data():
    """Numbers of sequences that differ in scale; some targets are masked."""

    def scaled(part):
        by = np.random.default_rng(0).uniform(0.5, 50, (len(part), 2, 2))
        return replace(part, rescale=by)

    data = elements_data()
    return replace(data, train=scaled(data.train), validation=scaled(data.validation))


def stream_data(*, gaps=False):
    """Two series with documents that begin anywhere."""

    def part(steps, seed):
        random = np.random.default_rng(seed)
        series = regression_set(2, steps, seed=seed, dtype=np.float64)
        mask = random.random((2, steps)) < 0.8 if gaps else None
        resets = random.random((2, steps)) < 0.1
        return replace(series, resets=resets, input_mask=mask, target_mask=mask)

    return wrap(part(101, 0), part(60, 1), walk="stream")


DROPOUTS = [
    {"input_dropout": 0.4, "layer_dropout": 0.3},
    {"output_dropout": 0.3, "head_dropout": 0.2},
    {"recurrent_dropout": 0.3, "weight_drop": 0.2},
    {"zoneout_hidden": 0.3, "zoneout_cell": 0.2},
]
REGULARISED = [{"activation_regularisation": 0.1, "head_l2": 0.1}, {}]
REGULARISED[1] = {"temporal_activation_regularisation": 0.3, "weight_decay_kind": "l2"}
STEP, ONE = {"dropout_kind": "step"}, {"readout": "last"}
WORDS = {"loss": "cross_entropy"}
CATEGORIES = {"category_embeddings": ((0, 5, 3), (2, 3, 2))}
STREAM = {"batch_size": 4, **STEP}

# Name: settings of all trials, settings of each (repeated for those after), data.
CASES = {
    "locked dropout": ({}, DROPOUTS, lambda: data_of("gaps")),
    "step dropout": (STEP, DROPOUTS, lambda: data_of("gaps")),
    "k2 < k1": (STEP | {"tbptt_backward_steps": 3}, DROPOUTS[:2], lambda: data_of("prefix")),
    "k2 > k1": ({"tbptt_backward_steps": 8}, DROPOUTS[2:], lambda: data_of("gaps")),
    "k2 > k1, mean": ({"tbptt_backward_steps": 8, "readout": "mean"}, [{}], data_of),
    "no truncation": ({"tbptt_forward_steps": None}, [{}], lambda: data_of("prefix")),
    "targets here and there": ({}, [{}], sparse_data),
    "adam": ({}, [{"weight_decay_kind": "l2"}, {}, {"lr_decay": "cosine"}], data_of),
    "adamw": ({"optimizer": "adamw"}, [{}], data_of),
    "sgd": ({"optimizer": "sgd"}, [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}],
            data_of),
    "rmsprop": ({"optimizer": "rmsprop"}, [{}, {"momentum": 0.9}, {"rmsprop_smoothing": 0.9}],
                data_of),
    "adagrad": ({"optimizer": "adagrad"}, [{"clip_value": 0.01}, {"lr_decay": "plateau"}], data_of),
    "sequence_sum": ({"loss_reduction": "sequence_sum"}, [{}], lambda: data_of("gaps")),
    "sequence_mean": ({"loss_reduction": "sequence_mean"}, [{}], lambda: data_of("gaps")),
    "sequence_mean, last": (ONE | {"loss_reduction": "sequence_mean"}, [{}], data_of),
    "last": (ONE | STEP, [{}, {"output_dropout": 0.3}], lambda: data_of("gaps")),
    "mean": ({"readout": "mean"}, [{}], lambda: data_of("prefix")),
    "max": ({"readout": "max"}, [{}], lambda: data_of("gaps")),
    "all_states": ({"readout": "all_states", "hidden_size": (4, 3)}, [{}], lambda: data_of("gaps")),
    "bidirectional": ({"bidirectional": True, "tbptt_forward_steps": None}, DROPOUTS[:3],
                      lambda: data_of("gaps")),
    "summed directions, last": (
        ONE | {"bidirectional": True, "tbptt_forward_steps": None, "bidirectional_merge": "sum"},
        [{}], lambda: data_of("prefix")),
    "dense stem": ({"stem": "dense", "stem_size": 3}, [{}], lambda: data_of("prefix")),
    "convolution": ({"stem": "conv", "stem_size": 3, "readout": "mean"}, [{}],
                    lambda: data_of("gaps")),
    "regularisation": ({}, REGULARISED, lambda: data_of("gaps")),
    "classes": (WORDS, [{}], classes_data),
    "class weights": (WORDS, [{}], lambda: classes_data(class_weights=np.array([1.0, 2.0, 0.5]))),
    "labels": ({"loss": "binary_cross_entropy"}, [{}], labels_data),
    "masked elements": ({"loss": "huber", "loss_reduction": "sequence_mean"}, [{}], elements_data),
    "masked elements, last": (ONE | {"loss": "mae"}, [{}], elements_data),
    "scales of sequences": ({}, [{}], rescaled_data),
    "scales of sequences, last": (ONE, [{}], rescaled_data),
    "one-hot words": (WORDS, [{}], ids_data),
    "embedded words": (WORDS | {"embedding_size": 3}, [{"embedding_dropout": 0.3}, {}], ids_data),
    "numbers of embedded words": ({"embedding_size": 3}, [{}], lambda: ids_data("regression")),
    "categories": (CATEGORIES, DROPOUTS[:2], lambda: categories_data("gaps")),
    "convolution of categories": (
        CATEGORIES | ONE | {"stem": "conv", "stem_size": 3}, [{}], categories_data),
    "minGRU": ({"cell": "mingru"}, [{"zoneout_hidden": 0.3}, {}], lambda: data_of("gaps")),
    "minLSTM, both ways": (
        {"cell": "minlstm", "bidirectional": True, "tbptt_forward_steps": None}, [{}],
        lambda: data_of("prefix")),
    "resets": ({}, DROPOUTS[2:], lambda: with_resets(data_of("gaps"))),
    "stream": (STREAM, DROPOUTS[1:], stream_data),
    "stream with gaps": (STREAM | {"stem": "conv"}, DROPOUTS, lambda: stream_data(gaps=True)),
    "stream, minLSTM": (STREAM | {"cell": "minlstm"}, [{"zoneout_hidden": 0.3}, {}], stream_data),
    "stream, k2 > k1": (STREAM | {"tbptt_backward_steps": 9}, DROPOUTS[2:], stream_data),
    "stream, random lengths": (
        STREAM | {"tbptt_random_lengths": True, "tbptt_forward_steps": 12}, [{}], stream_data),
}  # fmt: skip


def trials(common, each, base=BASE):
    count = max(len(each), 2)
    settings = {"cell": "lstm", "head_sizes": (3,), "max_epochs": 2} | common
    configs = different(replace(base, **settings), count)
    return [replace(c, **each[i % len(each)]) for i, c in enumerate(configs)]


def without_gaps(name):
    """A case's data, with padding on the right where it has gaps; and its objective."""
    made = categories_data("prefix") if name == "categories" else CASES[name][2]()
    if made.task == "regression":
        fits = made.train.input_mask is None or name == "categories"
        return (made if fits else data_of("prefix")), RMSE
    if made.train.input_mask is not None:
        made = classes_data(pattern="prefix", class_weights=made.class_weights)
    return made, ACCURACY


# What can lie on the device; the others are stacked on the host.
ON_THE_DEVICE = [n for n in CASES if "stream" not in n and "k2" not in n and n != "resets"]
