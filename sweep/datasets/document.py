"""An inspection as plain values: the JSON of `rnn-sweep data`, which pages and prints read too."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from sweep.datasets.inspection import Inspection
from sweep.datasets.membership import runs_of
from trainers.data.findings.parts import column_ranges, training_classes

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData
    from trainers.data.times.steps import Step


def document_of(found: Inspection) -> dict[str, Any]:
    """Return what was understood; the keys are always there, null or empty where nothing is."""
    data, rows = found.data, found.rows
    values = {
        "name": found.name,
        "source": found.source,
        "options": _plain(found.options),
        "refused": found.refused,
        "reading": _reading(found),
        "rows": None if found.read is None else len(found.read.frame),
        "columns": [dataclasses.asdict(column) for column in found.columns],
        "step": None if rows is None or rows.step is None else _step(rows.step),
        "series": 1 if rows is not None and not rows.names else len(data.series) if data else 0,
        "task": None if data is None else data.task,
        "inputs": [] if data is None else list(data.input_names),
        "targets": [] if data is None or data.walk == "stream" else list(data.target_names),
        "units": "" if data is None else data.units,
        "classes": None if data is None else training_classes(data),
        "parts": _parts(found),
        "ranges": [] if data is None else _ranges(data),
        "findings": [dataclasses.asdict(finding) for finding in found.findings],
        "notes": list(found.notes),
        "digest": None if data is None else data.digest,
    }
    return {key: _finite(value) for key, value in values.items()}


def _parts(found: Inspection) -> dict[str, Any]:
    """Sequences and steps of each part; of windows the first and the last row of their targets."""
    if found.data is None:
        return {}
    parts: dict[str, Any] = {
        name: {"sequences": len(part), "steps": part.time_steps, "first": None, "last": None}
        for name, part in found.data.parts().items()
    }
    for run in runs_of(found):
        part = parts[run.part]
        for key, value, better in (("first", run.first, min), ("last", run.last, max)):
            part[key] = value if part[key] is None else better(part[key], value)
    return parts


def _reading(found: Inspection) -> dict[str, Any] | None:
    if found.read is None:
        return None
    values = dataclasses.asdict(found.read.reading)
    return {name: value for name, value in values.items() if value not in (None, (), [])}


def _step(step: Step) -> dict[str, Any]:
    return {
        "text": step.text, "kind": step.kind, "steps": step.steps, "odd": step.odd,
        "absent": step.absent, "nanoseconds": step.nanoseconds, "months": step.months,
    }  # fmt: skip


def _ranges(data: SequenceData) -> list[dict[str, Any]]:
    return [dataclasses.asdict(column) for column in column_ranges(data)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _finite(value: Any) -> Any:
    """Return a value without NaN and infinities, which JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value
