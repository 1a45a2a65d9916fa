"""Handwritten digits, read as sequences: 1,797 images of 8 x 8 that scikit-learn bundles.

Row by row an image is 8 steps of 8 features, pixel by pixel 64 steps of 1 (the small sibling of
Le et al. 2015's pixel-by-pixel MNIST). The label stands at the last step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.options import means, require
from trainers.data.source import Source

CLASSES = 10
BRIGHTEST = 16.0


@dataclass(frozen=True)
class DigitsOptions:
    """How the images are divided; every part keeps the classes' proportions."""

    seed: int = field(default=0, metadata=means("seed of the split"))
    split: tuple[float, ...] = field(
        default=(0.6, 0.2, 0.2), metadata=means("shares of train, validation and test")
    )

    def __post_init__(self) -> None:
        require(0 <= self.seed < 2**32, "0 <= seed < 2**32", "seed", self.seed)
        ok = len(self.split) == 3 and min(self.split) > 0 and abs(sum(self.split) - 1) < 1e-9
        require(ok, "split has three positive shares that sum to 1", "split", list(self.split))
        # A stratified part holds every class at least once.
        enough = min(self.split) * 1797 >= 2 * CLASSES
        require(enough, "every share of split >= 0.012", "split", list(self.split))


def load_rows(options: DigitsOptions, base_dir: Path) -> SequenceData:
    """Digits row by row: inputs `(images, 8, 8)` in 0..1, class ids `(images, 8)`."""
    del base_dir
    return _load("digits", options, steps=8)


def load_pixels(options: DigitsOptions, base_dir: Path) -> SequenceData:
    """Digits pixel by pixel: inputs `(images, 64, 1)` in 0..1, class ids `(images, 64)`."""
    del base_dir
    return _load("digits-pixels", options, steps=64)


def _load(name: str, options: DigitsOptions, steps: int) -> SequenceData:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    inputs = (images / BRIGHTEST).astype(np.float32).reshape(len(images), steps, -1)
    train, validation, test = (
        _part(inputs[rows], labels[rows].astype(np.int64)) for rows in _split(labels, options)
    )
    return SequenceData(
        name=name,
        task="classification",
        train=train,
        validation=validation,
        test=test,
        input_size=inputs.shape[2],
        output_size=CLASSES,
        digest="",
        target_names=tuple(str(digit) for digit in range(CLASSES)),
        one_target=True,
        input_scale=np.full(inputs.shape[2], BRIGHTEST),
        input_shift=np.zeros(inputs.shape[2]),
    )


def _split(labels: Array, options: DigitsOptions) -> tuple[Array, Array, Array]:
    """Divide row numbers into three stratified parts, each in ascending order."""
    from sklearn.model_selection import train_test_split

    share_train, share_validation, share_test = options.split
    rows = np.arange(len(labels))
    train, rest = train_test_split(
        rows, train_size=share_train, stratify=labels, random_state=options.seed
    )
    validation, test = train_test_split(
        rest,
        train_size=share_validation / (share_validation + share_test),
        stratify=labels[rest],
        random_state=options.seed,
    )
    return np.sort(train), np.sort(validation), np.sort(test)


def _part(inputs: Array, labels: Array) -> SequenceSet:
    rows, steps = inputs.shape[:2]
    last = np.arange(steps) == steps - 1
    return SequenceSet(
        inputs=inputs,
        targets=np.broadcast_to(labels[:, None], (rows, steps)),
        target_mask=np.broadcast_to(last, (rows, steps)),
    )


ROWS = Source(DigitsOptions, load_rows)
PIXELS = Source(DigitsOptions, load_pixels)
