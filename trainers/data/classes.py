"""Classes: ids of labels, their names, and weights against their unequal numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from trainers.data.contract import Array, SequenceSet
from trainers.errors import DataError

_BLOCK = 4096  # sequences whose targets are gathered at once

ClassWeights = Literal["none", "balanced"] | tuple[float, ...]


def class_ids(labels: Sequence[object]) -> tuple[Array, tuple[str, ...]]:
    """Return class ids `(labels,)` int64 and the classes' names, in the order of their labels.

    Labels that are all numbers are ordered as numbers ("10" after "9"), others as text. Whole
    numbers are named without a decimal point.

    Raises:
        DataError: there are fewer than two classes.
    """
    names = [label_name(label) for label in labels]
    order = sorted(set(names), key=_numbers_first)
    if len(order) < 2:
        raise DataError(
            f"classification needs at least two classes, but got only {', '.join(order) or 'none'}."
        )
    ids = {name: index for index, name in enumerate(order)}
    return np.array([ids[name] for name in names], dtype=np.int64), tuple(order)


def class_weights(option: ClassWeights, train: SequenceSet, names: Sequence[str]) -> Array | None:
    """Return `(classes,)` weights: None, as given, or inverse to the training part's counts.

    "balanced" is scikit-learn's formula: targets / (classes x targets of the class).

    Raises:
        DataError: the number of weights isn't that of the classes, or a class to balance has no
            target in the training part.
    """
    if option == "none":
        return None
    if option != "balanced":
        if len(option) != len(names):
            raise DataError(
                f"data.class_weights must hold one weight for each of the {len(names)} classes "
                f"({', '.join(names)}), but got {len(option)}."
            )
        return np.array(option, dtype=np.float64)
    counts = class_counts(train, len(names))
    if not counts.all():
        raise DataError(
            "balanced class weights need every class in the training part, but "
            f"{names[int(counts.argmin())]!r} has no target there; change data.split or data.seed."
        )
    return np.asarray(counts.sum() / (len(names) * counts))


def class_counts(part: SequenceSet, classes: int) -> Array:
    """Number of valid targets of each class, `(classes,)`."""
    mask = part.target_mask if part.target_mask is not None else part.input_mask
    counts = np.zeros(classes, dtype=np.int64)
    for start in range(0, len(part), _BLOCK):
        ids = np.asarray(part.targets[start : start + _BLOCK])
        shown = ids if mask is None else ids[np.asarray(mask[start : start + _BLOCK])]
        counts += np.bincount(shown.reshape(-1), minlength=classes)
    return counts


def missing_classes_note(part: SequenceSet, names: Sequence[str]) -> list[str]:
    """One line on the classes that the training part never shows; none when it shows all."""
    counts = class_counts(part, len(names))
    missing = [name for name, count in zip(names, counts, strict=True) if count == 0]
    return [f"not in the training part: {', '.join(missing)}"] if missing else []


def label_name(label: object) -> str:
    """Return a label, or a sequence's id, as text: a whole number without a decimal point."""
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def _numbers_first(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
