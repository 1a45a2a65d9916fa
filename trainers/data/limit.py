"""`data.limit`: less of the data, for a quick look; the rest is as if never loaded.

Rows of a table that are not read do not exist: what is left is divided, scaled and encoded. Of
parts only the beginning is kept, after all that was decided from the whole of them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import cast

from trainers.data.contract import Array, Picked, SequenceData, SequenceSet
from trainers.data.tables.reader import RowLimit
from trainers.errors import DataError

_OVER_TIME = ("inputs", "targets", "input_mask", "target_mask", "resets")
_OF_SEQUENCES = ("origins", "series", "rescale", "ahead", "latest", "season_ago")


@dataclass(frozen=True)
class Limit:
    """How much of the data there shall be; None for all.

    Attributes:
        first: Rows of each table that are read, from its beginning.
        last: Likewise, up to its end; not both.
        sequences: Sequences of each part that are kept, or steps of a stream.
    """

    first: int | None = None
    last: int | None = None
    sequences: int | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise DataError(
                f"data.limit reads the first or the last rows, but got first={self.first} and "
                f"last={self.last}; give one of them."
            )

    @classmethod
    def of(cls, given: int | Limit | None) -> Limit:
        """Return the limit; a plain number is one of sequences."""
        return given if isinstance(given, Limit) else cls(sequences=given)

    @property
    def rows(self) -> RowLimit | None:
        """Rows to read of a table."""
        if self.first is not None:
            return RowLimit(self.first, "first")
        return None if self.last is None else RowLimit(self.last, "last")

    def check_source(self, name: str, *, reads_tables: bool) -> None:
        """Check that a source can leave rows unread.

        Raises:
            DataError: it reads no table by rows.
        """
        if self.rows is not None and not reads_tables:
            raise self.rows.refused(f"source {name!r} reads none")


def limited(data: SequenceData, limit: int | None) -> SequenceData:
    """Return the data with at most `limit` sequences a part, or steps of a stream.

    A stream keeps the beginning of its first series, or as many whole series as fit. Arrays stay
    views. What breaks the contract is left as it is, for the contract's check to name.

    Args:
        data: As a source loads them, not checked yet.
        limit: At least 1; None for everything.
    """
    if limit is None:
        return data
    stream = data.walk == "stream"
    parts = {
        name: _beginning(part, *(_series_and_steps(part, limit) if stream else (limit, None)))
        for name, part in data.parts().items()
    }
    if all(_size(parts[name]) == _size(part) for name, part in data.parts().items()):
        return data
    kept = ", ".join(f"{_kept(parts[n], stream)} of {n}" for n in parts)
    note = f"data.limit={limit}: the first {kept}"
    ids = {name: own[: len(parts[name])] for name, own in data.ids.items()}
    return dataclasses.replace(data, **parts, notes=(*data.notes, note), ids=ids)  # type: ignore[arg-type]


def _series_and_steps(part: SequenceSet, limit: int) -> tuple[int, int]:
    steps = max(1, _size(part)[1])
    return max(1, limit // steps), min(limit, steps)


def _beginning(part: SequenceSet, rows: int, steps: int | None) -> SequenceSet:
    def first(array: Array | Picked | None) -> Array | Picked | None:
        if array is None or array.ndim < 2:
            return array
        return cast("Array | Picked", array[:rows, :steps])

    arrays = {name: first(getattr(part, name)) for name in _OVER_TIME}
    for name in _OF_SEQUENCES:
        whole = getattr(part, name)
        arrays[name] = None if whole is None else whole[:rows]
    return SequenceSet(**arrays)  # type: ignore[arg-type]


def _size(part: SequenceSet) -> tuple[int, int]:
    """Sequences and steps, 0 where there is no such axis."""
    rows, steps = (*part.inputs.shape, 0, 0)[:2]
    return rows, steps


def _kept(part: SequenceSet, stream: bool) -> str:
    rows, steps = _size(part)
    return f"{rows * steps} steps" if stream else f"{rows} sequences"
