"""Readings of every kind as plain values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trainers.data.plain import from_plain
from trainers.data.reading import CaseReading, PairReading, Reading, TextReading
from trainers.data.sequences.reading import TableReading
from trainers.data.series.earlier import is_earlier, upgraded
from trainers.data.series.reading import WindowReading

_KINDS: dict[str, type[Reading]] = {
    "windows": WindowReading,
    "table": TableReading,
    "pairs": PairReading,
    "text": TextReading,
    "cases": CaseReading,
}


def reading_to_dict(reading: Reading | None) -> dict[str, Any] | None:
    """Return plain values for JSON; `reading_from_dict` turns them back."""
    if reading is None:
        return None
    kind = next(name for name, cls in _KINDS.items() if isinstance(reading, cls))
    return {"kind": kind, **asdict(reading)}


def reading_from_dict(
    values: Mapping[str, Any] | None, interface: Mapping[str, Any]
) -> Reading | None:
    """Build a reading from `reading_to_dict`'s values.

    Args:
        values: Those of the reading.
        interface: All that is known of the data: what an earlier release wrote is scattered.

    Raises:
        KeyError, TypeError, ValueError: they are not.
    """
    if values is None:
        return None
    if values["kind"] == "windows" and is_earlier(values):
        return upgraded(values, interface)
    return from_plain(_KINDS[values["kind"]], values)
