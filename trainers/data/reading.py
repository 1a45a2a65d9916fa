"""How raw values become a network's inputs: what a source did to them, kept as plain values.

A model that was trained on a source's arrays is used on what people have: tables, texts. A source
leaves a `Reading` in its `SequenceData`; `trainers.tables` and `trainers.use.records` go by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from trainers.data.tables.reading_options import ReadingOptions


@dataclass(frozen=True)
class WindowReading:
    """Windows over one long series; see `trainers.data.series.windows.WindowOptions`.

    Attributes:
        columns: The series' own input columns; the calendar's and those known ahead follow.
        stamps: Column of dates, or None.
        table: How further files of the kind are read.
    """

    columns: tuple[str, ...]
    input_steps: int
    output_steps: int
    steps_ahead: int
    stamps: str | None = None
    calendar: bool = False
    known_ahead: tuple[str, ...] = ()
    table: ReadingOptions = ReadingOptions()


@dataclass(frozen=True)
class TableReading:
    """Sequences in long format, or one a file where `sequence` is None.

    Attributes:
        table: How further files of the kind are read.
    """

    columns: tuple[str, ...]
    sequence: str | None = None
    order: str | None = None
    table: ReadingOptions = ReadingOptions()


@dataclass(frozen=True)
class TextReading:
    """Texts as tokens.

    Attributes:
        max_length: The end of a longer text is kept; None keeps all.
        by_line: Whether each line is a text of its own; otherwise a file is.
        table: How further tables of texts are read.
    """

    level: Literal["character", "word"]
    lowercase: bool
    max_length: int | None = None
    by_line: bool = False
    table: ReadingOptions = ReadingOptions()


Reading = WindowReading | TableReading | TextReading
_KINDS: dict[str, type[Reading]] = {
    "windows": WindowReading,
    "table": TableReading,
    "text": TextReading,
}


def reading_to_dict(reading: Reading | None) -> dict[str, Any] | None:
    """Return plain values for JSON; `reading_from_dict` turns them back."""
    if reading is None:
        return None
    kind = next(name for name, cls in _KINDS.items() if isinstance(reading, cls))
    return {"kind": kind, **asdict(reading)}


def reading_from_dict(values: Mapping[str, Any] | None) -> Reading | None:
    """Build a reading from `reading_to_dict`'s values; KeyError or TypeError where they are not."""
    if values is None:
        return None
    cls = _KINDS[values["kind"]]
    given = _known(cls, values)
    if "table" in given:
        given["table"] = ReadingOptions(**_known(ReadingOptions, given["table"]))
    return cls(**given)


def _known(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What a class has of some plain values, lists as tuples."""
    names = {f.name for f in fields(cls)}
    given = {name: value for name, value in values.items() if name in names}
    return given | {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
