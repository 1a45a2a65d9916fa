"""What the labels of a file are: classes or numbers to predict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainers.data.classes import class_ids
from trainers.data.contract import Array, Task
from trainers.data.sequences.cases import Cases
from trainers.errors import DataError


def task_of(cases: Cases, asked: Task | None) -> tuple[Task, tuple[str, ...]]:
    """Return what the labels are, and what to say of it.

    By the user's word, else by the file's header, else classes, where labels are texts or whole
    numbers; a number that isn't whole, and whole numbers that rarely come twice, may be either.

    Raises:
        DataError: there are no labels, or they may be either.
    """
    labels = [label for label in cases.labels if label is not None]
    if not labels:
        raise DataError(
            f"{cases.path.name} has no labels to learn from; a .ts file says @classLabel true or "
            "@targetLabel true and has a label at the end of each case."
        )
    if asked is not None:
        return asked, ()
    if cases.task is not None:
        return cases.task, ()
    numbers = [_number(label) for label in labels]
    if None in numbers:
        return "classification", ()
    odd = next((n for n in numbers if n is not None and not n.is_integer()), None)
    if odd is not None or 2 * len(set(numbers)) > max(len(numbers), 4):
        reason = f"{odd:g}" if odd is not None else f"{len(set(numbers))} whole numbers"
        raise DataError(
            f"{cases.path.name}: labels may be classes or numbers to predict (they hold {reason}); "
            "set data.task to classification or regression."
        )
    return "classification", (
        "labels are whole numbers, taken as classes; data.task: regression to predict them",
    )


def labels_of(cases: Mapping[str, Cases], task: Task) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Labels of each file as class ids or numbers `(cases,)`, NaN where missing; and the classes.

    Raises:
        DataError: there are fewer than two classes, or a number to predict is none.
    """
    if task == "regression":
        return {part: _as_numbers(own) for part, own in cases.items()}, ()
    flat = [label for own in cases.values() for label in own.labels]
    ids, classes = class_ids([label for label in flat if label is not None])
    encoded = np.full(len(flat), np.nan)
    encoded[[label is not None for label in flat]] = ids
    ends = np.cumsum([len(own.labels) for own in cases.values()])
    return dict(zip(cases, np.split(encoded, ends[:-1]), strict=True)), classes


def _as_numbers(cases: Cases) -> Array:
    numbers = np.full(len(cases.labels), np.nan)
    for case, label in enumerate(cases.labels):
        if label is None:
            continue
        try:
            numbers[case] = float(label)
        except ValueError:
            numbers[case] = np.inf
        if not np.isfinite(numbers[case]):
            raise DataError(
                f"{cases.where(case)}: the target must be a number, but got {label!r}; set "
                "data.task: classification, or correct it."
            )
    return numbers


def _number(label: str) -> float | None:
    try:
        return float(label)
    except ValueError:
        return None
