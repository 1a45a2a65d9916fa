"""Cases: sequences as one file of the field's formats holds them, one a row, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainers.data.contract import Array, Task
from trainers.data.reading import CaseFormat
from trainers.errors import DataError


@dataclass(frozen=True)
class Cases:
    """What a file holds.

    Attributes:
        path: The file.
        format: How it was read: sktime's .ts, UCR (label, then values), or rows of a table.
        values: `(time, features)` float64 each, NaN where a value is missing.
        labels: One text each, None where a case has none.
        places: Where in the file each case is, for messages: `line 7`.
        features: One name a dimension.
        task: What the labels are by the file's own header; None where it doesn't say.
        classes: The names of the classes that the header declares; empty where it doesn't.
        steps: Values a row, where all rows have as many; None otherwise.
        columns: The step columns of rows.
        notes: What a person should know, one line each.
    """

    path: Path
    format: CaseFormat
    values: tuple[Array, ...]
    labels: tuple[str | None, ...]
    places: tuple[str, ...]
    features: tuple[str, ...] = ("value",)
    task: Task | None = None
    classes: tuple[str, ...] = ()
    steps: int | None = None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.values:
            raise DataError(f"{self.path.name} must hold at least one case, but has none.")

    def where(self, case: int) -> str:
        """File and place of a case, for messages."""
        return f"{self.path.name}, {self.places[case]}"


def without_ends(cases: Cases) -> Cases:
    """Return the cases without missing values at their ends: rows of a file are padded with them.

    A case without any value is left with no step.
    """
    values = tuple(_without_end(one) for one in cases.values)
    shorter = sum(len(a) < len(b) for a, b in zip(values, cases.values, strict=True))
    if not shorter:
        return cases
    note = f"{shorter} sequences end before their rows do: missing values there are no steps"
    return replace(cases, values=values, notes=(*cases.notes, note))


def common_length(values: Sequence[Array]) -> int | None:
    """Return the length that all sequences have; None where they differ."""
    lengths = {len(one) for one in values}
    return lengths.pop() if len(lengths) == 1 else None


def _without_end(values: Array) -> Array:
    present = np.flatnonzero(~np.isnan(values).all(axis=1))
    return values[: present[-1] + 1 if len(present) else 0]
