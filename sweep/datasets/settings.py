"""Which space and which training settings suit what is learned, and how much of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.datasets.draft import Kind

_FEW, _MANY = 1_000, 50_000  # training examples
_DECAY_EPOCHS = 2  # the learning rate halves in so many


@dataclass(frozen=True)
class Settings:
    """Everything of a sweep file but the data.

    Attributes:
        about: What the space is good for, in a few words.
        metric: The objective.
    """

    base: str
    about: str
    train: Mapping[str, Any]
    metric: str
    min_epochs: int
    trials: int
    finalists: int = 3
    enqueue: tuple[Mapping[str, Any], ...] = field(default=())


def settings_for(kind: Kind, examples: int) -> Settings:
    """Return settings for a kind of task with so many training examples (windows, sequences)."""
    return _BY_KIND[kind](examples)


def _batch(examples: int) -> int:
    return 16 if examples < _FEW else 64 if examples < _MANY else 256


def _series(metric: str, examples: int) -> Settings:
    batch = _batch(examples)
    train = {
        "batch_size": batch,
        "clip_norm": 1.0,
        "lr_decay_rate": 0.5,
        "lr_decay_steps": max(1, _DECAY_EPOCHS * math.ceil(examples / batch)),
        "max_epochs": 18,
        "patience": 6,
    }
    about = "small networks, strongly regularised"
    return Settings("forecasting", about, train, metric, min_epochs=2, trials=16)


def _sequences(metric: str, examples: int) -> Settings:
    epochs = 60 if examples < _FEW else 30
    train = {
        "batch_size": 16 if examples < _FEW else 32,
        "clip_norm": 1.0,
        "max_epochs": epochs,
        "patience": epochs // 3,
    }
    about = "one answer for a whole sequence"
    return Settings("classification", about, train, metric, min_epochs=epochs // 10, trials=24)


def _sentences(examples: int) -> Settings:
    del examples
    train = {"batch_size": 32, "clip_norm": 1.0, "max_epochs": 9, "patience": 3}
    about = "an embedding, then an LSTM or a GRU"
    return Settings("sentences", about, train, "cross_entropy", min_epochs=2, trials=12)


def _language(examples: int) -> Settings:
    """A stream: the text runs in lanes, and the state is carried on."""
    epochs = 13 if examples > 200_000 else 30
    lanes = 16 if examples > 20_000 else 4
    train = {
        "cell": "lstm",
        "forget_bias": 1.0,
        "readout": "every",
        "batch_size": lanes,
        "tbptt_forward_steps": 64,
        "clip_norm": 1.0,
        "lr_decay": "cosine",
        "lr_decay_unit": "epoch",
        "lr_decay_steps": epochs,
        "max_epochs": epochs,
    }
    known = {"hidden_size": 256, "learning_rate": 4e-3, "weight_drop": 0.25, "output_dropout": 0.25}
    about = "dropped recurrent weights and dropped outputs"
    return Settings("language", about, train, "cross_entropy", 4, 2, finalists=0, enqueue=(known,))


_BY_KIND = {
    "forecasting": lambda examples: _series("rmse", examples),
    "windows": lambda examples: _series("cross_entropy", examples),
    "classification": lambda examples: _sequences("cross_entropy", examples),
    "regression": lambda examples: _sequences("rmse", examples),
    "sentences": _sentences,
    "language": _language,
}
