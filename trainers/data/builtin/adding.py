"""The adding problem: remember two marked numbers over a long sequence and return their sum.

Each step brings a value from U[0, 1] and a marker; exactly two steps are marked; the target is
the sum of the two marked values. Hochreiter & Schmidhuber 1997; Le, Jaitly & Hinton 2015
("irnn": the two marks lie anywhere); Lasagne's `examples/recurrent.py` ("lasagne": one mark in
the first tenth, one in the second half, inputs and targets centred).

A constant predictor's mean squared error is the variance of the sum of two uniforms, 1/6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.options import means, require
from trainers.data.source import Source
from trainers.errors import DataError

_STREAMS = {"train": 0, "validation": 1, "test": 2}


@dataclass(frozen=True)
class AddingOptions:
    """Length and number of the sequences; `min_length` and `max_length` make them ragged."""

    length: int = field(default=50, metadata=means("steps of every sequence"))
    min_length: int | None = field(
        default=None, metadata=means("shortest sequence, with max_length instead of length")
    )
    max_length: int | None = field(
        default=None, metadata=means("longest sequence, inclusive; shorter ones are padded")
    )
    train_sequences: int = field(default=10_000, metadata=means("sequences of the training part"))
    validation_sequences: int = field(
        default=1_000, metadata=means("sequences of the validation part")
    )
    test_sequences: int = field(default=1_000, metadata=means("sequences of the test part"))
    setting: Literal["irnn", "lasagne"] = field(
        default="irnn", metadata=means("where marks lie; lasagne also centres")
    )
    seed: int = field(default=0, metadata=means("seed of the sequences"))

    def __post_init__(self) -> None:
        if (self.min_length is None) != (self.max_length is None):
            raise DataError(
                "ragged sequences need min_length and max_length, but got "
                f"min_length={self.min_length}, max_length={self.max_length}; set both or neither."
            )
        shortest, longest = self.lengths
        require(shortest >= 2, "sequence length >= 2", "length", shortest)
        if shortest > longest:
            raise DataError(
                "`min_length <= max_length` must hold, but got "
                f"(min_length={shortest}, max_length={longest})."
            )
        for name in ("train_sequences", "validation_sequences", "test_sequences"):
            require(getattr(self, name) >= 1, f"{name} >= 1", name, getattr(self, name))
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)

    @property
    def lengths(self) -> tuple[int, int]:
        """Shortest and longest sequence, inclusive."""
        if self.min_length is None or self.max_length is None:
            return self.length, self.length
        return self.min_length, self.max_length


@dataclass(frozen=True)
class _Drawn:
    """`inputs (sequences, time, 2)`, `lengths (sequences,)`, `sums (sequences,)`, in float64."""

    inputs: Array
    lengths: Array
    sums: Array


def load_adding(options: AddingOptions, base_dir: Path) -> SequenceData:
    """Draw the three parts; each has a generator of its own, so its rows depend on it alone."""
    del base_dir
    drawn = {name: _draw(options, name) for name in _STREAMS}
    centre, shift = _centre(drawn["train"]) if options.setting == "lasagne" else (np.zeros(2), 0.0)
    parts = {name: _part(part, centre, shift) for name, part in drawn.items()}
    variance = float(np.var(drawn["test"].sums))
    return SequenceData(
        name="adding",
        task="regression",
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        input_size=2,
        output_size=1,
        digest="",
        target_scale=np.ones(1),
        target_shift=np.array([shift]),
        target_names=("sum",),
        one_target=True,
        notes=(
            "a constant predictor's MSE is 1/6 = 0.1667 in expectation, "
            f"{variance:.4f} on this test part",
        ),
    )


def _draw(options: AddingOptions, part: str) -> _Drawn:
    rng = np.random.default_rng([options.seed, _STREAMS[part]])
    shortest, longest = options.lengths
    count: int = getattr(options, f"{part}_sequences")
    lengths = rng.integers(shortest, longest + 1, size=count)
    values = rng.random((count, longest))
    first, second = _marks(rng, lengths, options.setting)
    rows = np.arange(count)
    # Padding looks like data (values and marks): a network that reads it is found out.
    markers = (np.arange(longest) >= lengths[:, None]).astype(np.float64)
    markers[rows, first] = 1.0
    markers[rows, second] = 1.0
    sums = values[rows, first] + values[rows, second]
    return _Drawn(np.stack([values, markers], axis=2), lengths, sums)


def _marks(rng: np.random.Generator, lengths: Array, setting: str) -> tuple[Array, Array]:
    """Two different steps of every sequence, each `(sequences,)`."""
    if setting == "lasagne":
        return rng.integers(0, np.maximum(lengths // 10, 1)), rng.integers(lengths // 2, lengths)
    first = rng.integers(0, lengths)
    return first, (first + rng.integers(1, lengths)) % lengths


def _centre(train: _Drawn) -> tuple[Array, float]:
    """Means of the training part: of both features over valid steps, and of the targets."""
    valid = np.arange(train.inputs.shape[1]) < train.lengths[:, None]
    return train.inputs[valid].mean(axis=0), float(train.sums.mean())


def _part(drawn: _Drawn, centre: Array, shift: float) -> SequenceSet:
    rows, steps = drawn.inputs.shape[:2]
    time = np.arange(steps)
    ragged = bool((drawn.lengths < steps).any())
    last = time == drawn.lengths[:, None] - 1 if ragged else time == steps - 1
    sums = (drawn.sums - shift).astype(np.float32)
    return SequenceSet(
        inputs=(drawn.inputs - centre).astype(np.float32),
        targets=np.broadcast_to(sums[:, None, None], (rows, steps, 1)),
        input_mask=time < drawn.lengths[:, None] if ragged else None,
        target_mask=np.broadcast_to(last, (rows, steps)),
    )


ADDING = Source(AddingOptions, load_adding)
