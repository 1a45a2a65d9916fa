"""Karpathy's five shapes, each as a small task: patterns of zero inputs and masks, one contract.

"The Unreasonable Effectiveness of Recurrent Neural Networks" (2015), first figure. Steps that
bring no input *do exist*: their input is zero, their mask True. The inputs' first feature is a
number x from U(-1, 1), the second is 1 where a step brings one. Every task is a regression:

- one-to-one: one step; the target is x / 2.
- one-to-many: x comes at the first step; the target at step t is x * 0.8^t.
- many-to-one: sequences of unequal length; the target, at the last step, is the mean of all x.
- many-to-many-delayed: three x, then three steps without input whose targets are these three.
- many-to-many-synced: the target at each step is the mean of its x and the one before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.options import means, require
from trainers.data.padding import one_label_set, prefix_mask
from trainers.data.source import Source

Shape = Literal[
    "one-to-one", "one-to-many", "many-to-one", "many-to-many-delayed", "many-to-many-synced"
]
STEPS = 6
HEARD = STEPS // 2
DECAY = 0.8
_PARTS = {"train": 0, "validation": 1, "test": 2}


@dataclass(frozen=True)
class ShapesOptions:
    """Which of the five shapes, and how many sequences of it."""

    shape: Shape = field(metadata=means("which of the five"))
    train_sequences: int = field(default=512, metadata=means("sequences of the training part"))
    validation_sequences: int = field(
        default=128, metadata=means("sequences of the validation part")
    )
    test_sequences: int = field(default=128, metadata=means("sequences of the test part"))
    seed: int = field(default=0, metadata=means("seed of the sequences"))

    def __post_init__(self) -> None:
        for name in ("train_sequences", "validation_sequences", "test_sequences"):
            require(getattr(self, name) >= 1, f"{name} >= 1", name, getattr(self, name))
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)


def load_shapes(options: ShapesOptions, base_dir: Path) -> SequenceData:
    """Draw the three parts; each has a generator of its own, so its rows depend on it alone."""
    del base_dir
    parts = {name: _draw(options, name) for name in _PARTS}
    return SequenceData(
        name=options.shape,
        task="regression",
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        input_size=2,
        output_size=1,
        digest="",
        target_names=("y",),
        one_target=options.shape in ("one-to-one", "many-to-one"),
    )


def _draw(options: ShapesOptions, part: str) -> SequenceSet:
    rng = np.random.default_rng([options.seed, _PARTS[part]])
    count: int = getattr(options, f"{part}_sequences")
    x = rng.uniform(-1, 1, size=(count, STEPS))
    build = {
        "one-to-one": _one_to_one,
        "one-to-many": _one_to_many,
        "many-to-one": _many_to_one,
        "many-to-many-delayed": _delayed,
        "many-to-many-synced": _synced,
    }[options.shape]
    return build(x, rng)


def _inputs(x: Array, present: Array) -> Array:
    """`(sequences, time, 2)`: x and a 1 at the steps `present (time,)`, zeros elsewhere."""
    here = np.broadcast_to(present, x.shape)
    return np.stack([np.where(here, x, 0), here], axis=2).astype(np.float32)


def _targets(y: Array) -> Array:
    return np.asarray(y[..., None], dtype=np.float32)


def _one_to_one(x: Array, rng: np.random.Generator) -> SequenceSet:
    del rng
    first = x[:, :1]
    return SequenceSet(_inputs(first, np.ones(1, dtype=np.bool_)), _targets(first / 2))


def _one_to_many(x: Array, rng: np.random.Generator) -> SequenceSet:
    del rng
    time = np.arange(STEPS)
    return SequenceSet(_inputs(x, time == 0), _targets(x[:, :1] * DECAY**time))


def _many_to_one(x: Array, rng: np.random.Generator) -> SequenceSet:
    lengths = rng.integers(2, STEPS + 1, size=len(x))
    mask = prefix_mask(lengths, STEPS)
    shown = np.ones(x.shape, dtype=np.bool_) if mask is None else mask
    mean = np.where(shown, x, 0).sum(axis=1) / lengths
    inputs = _inputs(x, np.ones(STEPS, dtype=np.bool_))
    return one_label_set(inputs, mask, mean[:, None].astype(np.float32))


def _delayed(x: Array, rng: np.random.Generator) -> SequenceSet:
    del rng
    time = np.arange(STEPS)
    # The targets before the answer begins are hidden; what they hold does not matter.
    y = np.roll(x, HEARD, axis=1)
    answering = np.broadcast_to(time >= HEARD, x.shape)
    return SequenceSet(_inputs(x, time < HEARD), _targets(y), target_mask=answering)


def _synced(x: Array, rng: np.random.Generator) -> SequenceSet:
    del rng
    before = np.column_stack([np.zeros(len(x)), x[:, :-1]])
    return SequenceSet(_inputs(x, np.ones(STEPS, dtype=np.bool_)), _targets((x + before) / 2))


SHAPES = Source(ShapesOptions, load_shapes)
