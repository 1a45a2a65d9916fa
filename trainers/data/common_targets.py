"""Choices of a data set, judged on the same targets: those that every choice can predict.

A sequence is known by its `origins`, the target's row in the data as read. What is predicted must
be the same in all choices, in the target's own units; inputs, their scaling and their length may
differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from trainers.data.blocks import blocks_of
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.own_units import own_units
from trainers.data.validate import digest
from trainers.data.views import Array, Picked, as_range, picked

JUDGED = ("validation", "test")
_ROUNDING = 1e-3  # of the targets' spread: float32, scaled in several ways
_FLOAT32_STEP = float(np.finfo(np.float32).eps)


def difference(first: SequenceData, other: SequenceData) -> str | None:
    """Return what two choices predict differently, in words; None where it is the same.

    Sequences that only one of them has are no difference, where both say which are which.
    """
    for name in ("task", "walk", "output_size", "target_names", "units", "one_target"):
        values = getattr(first, name), getattr(other, name)
        if values[0] != values[1]:
            return f"{name} is {_shown(values[0])} or {_shown(values[1])}"
    if first.parts().keys() != other.parts().keys():
        return f"parts are {', '.join(first.parts())} or {', '.join(other.parts())}"
    for name in JUDGED:
        parts = [data.parts().get(name) for data in (first, other)]
        if parts[0] is not None and parts[1] is not None:
            found = _part_difference((first, parts[0]), (other, parts[1]))
            if found is not None:
                return f"in the {name} part {found}"
    return None


def on_common_targets(choices: Sequence[SequenceData]) -> tuple[list[SequenceData], list[str]]:
    """Leave out the validation and test sequences that not every choice has; views stay views.

    Args:
        choices: Data sets that predict the same (`difference`).

    Returns:
        The choices, and a note for each part that lost some. A part is empty where the choices
        have nothing in common.
    """
    left, notes = list(choices), []
    for name in (name for name in JUDGED if name in choices[0].parts()):
        parts = [data.parts()[name] for data in left]
        kept = _common(parts)
        lost = max(len(part) - len(own) for part, own in zip(parts, kept, strict=True))
        if not lost:
            continue
        count = len(kept[0])
        notes.append(f"{name}: judged on the {count:,} targets that all choices have; up to "
                     f"{lost:,} left out")  # fmt: skip
        left = [
            data if own is part else dataclasses.replace(data, **{name: own})  # type: ignore[arg-type]
            for data, part, own in zip(left, parts, kept, strict=True)
        ]
    return [
        data if data is before or not len(data.validation) else _with_digest(data)
        for data, before in zip(left, choices, strict=True)
    ], notes


def _with_digest(data: SequenceData) -> SequenceData:
    return dataclasses.replace(data, digest=digest(data))


def _common(parts: Sequence[SequenceSet]) -> list[SequenceSet]:
    origins = [np.asarray(part.origins) for part in parts if part.origins is not None]
    if len(origins) < len(parts):
        return list(parts)
    common = reduce(np.intersect1d, origins)
    keep = [np.isin(own, common) for own in origins]
    return [
        part if own.all() else taken(part, np.flatnonzero(own))
        for part, own in zip(parts, keep, strict=True)
    ]


def taken(part: SequenceSet, rows: Array) -> SequenceSet:
    """Return some sequences of a part `(rows,)`; nothing is copied."""
    names = [f.name for f in dataclasses.fields(part)]
    return SequenceSet(**{name: _rows(getattr(part, name), rows) for name in names})


def _rows(array: Any, rows: Array) -> Any:
    if array is None:
        return None
    if isinstance(array, Picked):
        return picked(array.array, array.rows[rows])
    if isinstance(array, range):
        left = np.asarray(array)[rows]
        return as_range(left) or left
    return picked(array, rows) if array.ndim > 1 else array[rows]


def _part_difference(
    first: tuple[SequenceData, SequenceSet], other: tuple[SequenceData, SequenceSet]
) -> str | None:
    (data, part), (_, second) = first, other
    if not data.one_target and part.time_steps != second.time_steps:
        return f"sequences have {part.time_steps} or {second.time_steps} steps, each with a target"
    left = _common([part, second])
    if len(left[0]) != len(left[1]):
        return (
            f"there are {len(part):,} or {len(second):,} sequences, and the source does not say "
            "which are the same"
        )
    if not len(left[0]):
        return None  # nothing in common: to be said of all choices
    values = [_judged(d, own) for (d, _), own in zip((first, other), left, strict=True)]
    return None if _equal(*values) else "targets differ"


def _judged(data: SequenceData, part: SequenceSet) -> Array:
    """Return the targets that count, in their own units `(targets, outputs)`, or as ids.

    They are in the order of their origins; NaN stands where only some outputs are hidden.
    """
    origins = part.origins
    if origins is not None and (np.diff(np.asarray(origins)) < 0).any():
        part = taken(part, np.argsort(np.asarray(origins), kind="stable"))
    found = []
    for start, targets, mask in blocks_of(part.targets, part.target_mask):
        steps = _steps(targets, mask)
        rescale = None if part.rescale is None else part.rescale[start : start + len(targets)]
        by_target = None if rescale is None else np.asarray(rescale)[np.nonzero(steps)[0]]
        values = own_units(data, targets[steps], by_target)
        if mask is not None and mask.ndim == 3:
            values = np.where(mask[steps], values, np.nan)
        found.append(values)
    return np.concatenate(found)


def _steps(targets: Array, mask: Array | None) -> Array:
    """Return the steps with a target in any output, `(sequences, time)`."""
    if mask is None:
        return np.ones(targets.shape[:2], dtype=np.bool_)
    return np.asarray(mask.any(axis=2)) if mask.ndim == 3 else mask


def _equal(first: Array, second: Array) -> bool:
    if first.shape != second.shape:
        return False
    if not np.issubdtype(first.dtype, np.floating):
        return bool(np.array_equal(first, second))
    known = first[np.isfinite(first)]
    if not len(known):
        return bool(np.array_equal(np.isnan(first), np.isnan(second)))
    rounding = _ROUNDING * float(known.std()) + 4 * _FLOAT32_STEP * float(np.abs(known).max())
    return bool(np.allclose(first, second, rtol=0, atol=rounding, equal_nan=True))


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else repr(value)
