"""The steps that a client sends: raw values in order or by name, encoded as training data were.

Messages name steps and inputs and never repeat what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.classes import label_name
from trainers.data.contract import Array
from trainers.data.options import nearest
from trainers.data.series.encoding import encode
from trainers.data.series.features import InputColumn
from trainers.data.series.reading import WindowReading
from trainers.data.series.rows import Rows, rows_of
from trainers.data.series.scales import Scale
from trainers.data.tables.columns import matrix
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SERIES = "series"
Scales = tuple[Array, Array]  # scale and shift, `(targets,)` each
_SHOWN_CHARACTERS = 40
_VALUES_BEFORE = {"mean": 0, "forward": 1, "linear": 2}


@dataclass(frozen=True)
class Asked:
    """Steps to be asked about.

    Attributes:
        inputs: `(time, features)` float32, scaled.
        present: `(time,)` bool, steps that miss nothing.
        scales: Of the targets of this series; None where all share one.
    """

    inputs: Array
    present: Array
    scales: Scales | None = None


def request_of(record: Mapping[str, Any], reading: WindowReading, where: str) -> Asked:
    """Encode the steps of a request.

    Args:
        record: `steps` in order of time: lists of values in the order of `reading.raw_names`, or
            objects of them by name. `series` perhaps names theirs, of several columns as a list.
            With a `state` they go on from steps that are not there.
        reading: Of the training data.
        where: Which record it is, for messages.

    Raises:
        DataError: a name is unknown, a step has too few values, or a value can't be read.
    """
    import pandas as pd

    steps, names = record["steps"], reading.raw_names
    if not isinstance(steps, Sequence | np.ndarray) or isinstance(steps, str) or not len(steps):
        raise DataError(
            f"{where}: steps must be a list of at least one step, each with {_shown(names)}."
        )
    table = [_step(step, names, where, number) for number, step in enumerate(steps)]
    frame = pd.DataFrame(table, columns=list(names), dtype=object)
    for column in _columns(reading):
        _check(frame, column, where)
    series = _name(record.get(SERIES))
    if record.get("state") is not None:
        _check_stepped(frame, reading, series, where)
    rows = _rows(frame, reading, series, where)
    encoded = encode(reading.encoding, rows)
    present = encoded.present & encoded.known
    return Asked(encoded.values, present, scales_of(reading, rows, 0))


def scales_of(reading: WindowReading, rows: Rows, series: int) -> Scales | None:
    """Scale and shift of the targets of one series; None where all series share them."""
    if all(scale.each is None for scale in reading.scales):
        return None
    pairs = []
    for name, scale in zip(reading.targets, reading.scales, strict=True):
        pairs.append(_scale_of(name, scale, reading, rows, series))
    table = np.array(pairs)
    return table[:, 0], table[:, 1]


def _scale_of(
    name: str, scale: Scale, reading: WindowReading, rows: Rows, series: int
) -> tuple[float, float]:
    known = (scale.each or {}).get(rows.names[series])
    if known is not None:
        return known
    if name not in rows.frame.columns:
        return scale.scale, scale.shift
    values = matrix(rows.frame, [name], "mask")[:, 0]
    none = np.zeros(len(values), dtype=np.bool_)
    return reading.encoding.fit.of_series(values, rows, none, scale)[series]


def _name(series: Any) -> str | None:
    """The name of a series as training has it; that of several columns is their values'."""
    if series is None:
        return None
    if isinstance(series, list | tuple):
        return " ".join(map(label_name, series))
    return label_name(series)


def _columns(reading: WindowReading) -> list[InputColumn]:
    recipe = reading.encoding.recipe
    ahead = [replace(c, name=f"{c.name}+{step}") for step in recipe.ahead for c in recipe.known]
    return [*recipe.columns, *ahead]


def _step(step: Any, names: Sequence[str], where: str, number: int) -> list[Any]:
    if isinstance(step, Mapping):
        for name in step:
            if name not in names:
                raise DataError(
                    f"{where}: step {number} has no input {str(name)[:_SHOWN_CHARACTERS]!r};"
                    f"{nearest(str(name), names)} its inputs are: {_shown(names)}."
                )
        return [step.get(name) for name in names]
    values = list(step) if isinstance(step, list | tuple | np.ndarray) else [step]
    if len(values) != len(names):
        raise DataError(
            f"{where}: a step must hold {len(names)} values ({_shown(names)}), but step {number} "
            f"holds {len(values)}."
        )
    return values


def _shown(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def _check(frame: pd.DataFrame, column: InputColumn, where: str) -> None:
    """Check that each step has a number, or the name of a category, or null."""
    import pandas as pd

    values: pd.Series[Any] = frame[column.name]
    wrong = values.map(lambda value: isinstance(value, list | tuple | Mapping)).to_numpy(dtype=bool)
    wanted = "a number" if column.values is None else "a name"
    if column.values is None and not wrong.any():
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
        wrong = np.isinf(numbers) | (np.isnan(numbers) & values.notna().to_numpy())
    if wrong.any():
        raise DataError(
            f"{where}: step {wrong.argmax()} must have {wanted} or null as {column.name!r}."
        )


def _rows(frame: pd.DataFrame, reading: WindowReading, series: str | None, where: str) -> Rows:
    times = reading.rows.times if reading.encoding.recipe.needs_times else None
    plain = replace(reading.rows, times=times, series=None, resample=None, duplicates="error")
    for name in () if times is None else times.columns:
        frame[name] = frame[name].infer_objects()
    try:
        rows = rows_of(frame, plain, reading.step)
    except (DataError, TypeError, OverflowError) as error:
        assert times is not None
        like = "" if times.format is None else f" ({times.format})"
        raise DataError(
            f"{where}: each step must have a time later than the step's before as "
            f"{', '.join(map(repr, times.columns))}, written as in the training data{like}."
        ) from error
    names = () if reading.rows.series is None else (str(series),)
    return replace(rows, names=names, brings_ahead=True)


def _check_stepped(
    frame: pd.DataFrame, reading: WindowReading, series: str | None, where: str
) -> None:
    """Check that steps which go on from a state need nothing of the steps before.

    Raises:
        DataError: a series' scale, a filled value or the time since the step before would be
            another than in one long sequence.
    """
    scales = [*reading.scales, *reading.encoding.scales]
    each = next((scale.each for scale in scales if scale.each is not None), None)
    if each is not None and series not in each:
        raise DataError(
            f"{where}: the model scales each series its own way, so a state needs the name of a "
            "series of its training data as series."
        )
    if reading.encoding.recipe.elapsed:
        raise DataError(
            f"{where}: the time since the step before is an input (data.elapsed), which a state "
            "does not hold; send whole sequences without a state."
        )
    for column in reading.encoding.recipe.columns:
        if column.filling is None:
            continue
        there = frame[column.name].notna().to_numpy()
        before: Array = np.cumsum(there) - there
        wrong = ~there & (before < _VALUES_BEFORE[column.filling.how])
        if wrong.any():
            raise DataError(
                f"{where}: step {wrong.argmax()} misses {column.name!r}, which is filled from the "
                "steps before, and a state does not hold them; leave the step out, or fill it in."
            )
