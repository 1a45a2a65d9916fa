"""Copy memory: repeat ten symbols after a long delay (Arjovsky, Shah & Bengio 2016, section 4.1).

A sequence of T + 20 steps: ten symbols out of eight, T - 1 blanks, the sign to begin, ten blanks.
The target is blank for T + 10 steps, then the ten symbols in their order. A net without memory
knows when to answer but not what: 10 ln 8 / (T + 20) nats a step. (Hochreiter & Schmidhuber 1997
have the task's first form.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.options import means, require
from trainers.data.source import Source

SYMBOLS = 8
REMEMBERED = 10
BLANK = SYMBOLS
BEGIN = SYMBOLS + 1
_TOKENS = (*(str(symbol) for symbol in range(SYMBOLS)), "blank", "begin")
_STREAMS = {"train": 0, "validation": 1, "test": 2}


@dataclass(frozen=True)
class CopyOptions:
    """The delay and the number of sequences."""

    delay: int = field(default=100, metadata=means("T, steps to remember; sequences have T + 20"))
    train_sequences: int = field(default=10_000, metadata=means("sequences of the training part"))
    validation_sequences: int = field(
        default=1_000, metadata=means("sequences of the validation part")
    )
    test_sequences: int = field(default=1_000, metadata=means("sequences of the test part"))
    seed: int = field(default=0, metadata=means("seed of the sequences"))

    def __post_init__(self) -> None:
        for name in ("delay", "train_sequences", "validation_sequences", "test_sequences"):
            require(getattr(self, name) >= 1, f"{name} >= 1", name, getattr(self, name))
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)


def load_copy(options: CopyOptions, base_dir: Path) -> SequenceData:
    """Draw the three parts; each has a generator of its own, so its rows depend on it alone."""
    del base_dir
    parts = {name: _draw(options, name) for name in _STREAMS}
    chance = REMEMBERED * math.log(SYMBOLS) / (options.delay + 2 * REMEMBERED)
    return SequenceData(
        name="copy",
        task="classification",
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        input_size=len(_TOKENS),
        output_size=SYMBOLS + 1,
        digest="",
        target_names=_TOKENS[: SYMBOLS + 1],
        notes=(f"chance (a net without memory): 10 ln 8 / (T + 20) = {chance:.4f} nats a step",),
        vocabulary_size=len(_TOKENS),
        tokens=_TOKENS,
    )


def _draw(options: CopyOptions, part: str) -> SequenceSet:
    """Inputs `(sequences, T + 20)` ids, targets `(sequences, T + 20)` class ids."""
    rng = np.random.default_rng([options.seed, _STREAMS[part]])
    count: int = getattr(options, f"{part}_sequences")
    symbols = rng.integers(0, SYMBOLS, size=(count, REMEMBERED))
    steps = options.delay + 2 * REMEMBERED
    inputs = np.full((count, steps), BLANK, dtype=np.uint8)
    inputs[:, :REMEMBERED] = symbols
    inputs[:, -REMEMBERED - 1] = BEGIN
    targets = np.full((count, steps), BLANK, dtype=np.int64)
    targets[:, -REMEMBERED:] = symbols
    return SequenceSet(inputs, targets)


COPY = Source(CopyOptions, load_copy)
