"""What a trained network is asked: windows of a table, or the steps of a request; encoded alike.

Everything goes the way that training data went: the same reading, clock, filling, categories and
scales. Targets are not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.options import nearest
from trainers.data.series.encoding import Encoded, encode
from trainers.data.series.reading import WindowReading
from trainers.data.series.rows import Rows, long_form, rows_of
from trainers.data.series.scales import Scale
from trainers.data.tables.columns import matrix
from trainers.data.tables.table import read_table
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

ROW, TIME, SERIES = "row", "time", "series"
Scales = tuple[Array, Array]  # scale and shift, `(targets,)` each


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


@dataclass(frozen=True)
class AskedWindow:
    """A window of a table.

    Attributes:
        asked: Its steps.
        key: What names its series, by column.
        targets: What names each row that is predicted, by column: its time, or its number.
    """

    asked: Asked
    key: dict[str, Any]
    targets: tuple[dict[str, Any], ...]


def windows_of_table(
    path: Path, reading: WindowReading, *, last: bool = False
) -> list[AskedWindow]:
    """Cut a table into windows, one that ends in each row: the last forecasts are beyond the file.

    A window that ends in a gap is asked about like any other, as in training; one without a single
    row that is present is left out, and one whose targets are beyond what is known ahead.

    Args:
        path: A table of any format.
        reading: Of the training data.
        last: Whether only the newest window of each series is wanted.

    Raises:
        DataError: the file is not as the training data were, too short, or its newest row lacks
            what must be known ahead.
    """
    frame = long_form(read_table(path, reading.table).frame, reading.rows)
    options = replace(reading.rows, sort=reading.rows.times is not None)
    rows = rows_of(frame, options)
    _check_step(rows, reading, path)
    windows = list(_windows(rows, reading, last))
    if not windows:
        longest = int(np.diff(rows.bounds).max())
        raise DataError(
            f"a window has {reading.input_steps} rows, but {path} has {longest}"
            f"{' of its longest series' if rows.names else ''}; bring more rows."
        )
    return windows


def request_of(record: Mapping[str, Any], reading: WindowReading, where: str) -> Asked:
    """Encode the steps of a request.

    Args:
        record: `steps` in order of time: lists of values in the order of `reading.raw_names`, or
            objects of them by name; `series` perhaps names theirs.
        reading: Of the training data.
        where: Which record it is, for messages.

    Raises:
        DataError: a name is unknown, a step has too few values, or a value can't be read.
    """
    import pandas as pd

    steps = record["steps"]
    names = reading.raw_names
    if not isinstance(steps, Sequence) or isinstance(steps, str) or not len(steps):
        raise DataError(
            f"{where}: steps must be a list of at least one step ({_shown(names)}), but got "
            f"{type(steps).__name__}."
        )
    table = [_step(step, names, where, number) for number, step in enumerate(steps)]
    frame = pd.DataFrame(table, columns=list(names), dtype=object)
    try:
        rows = _request_rows(frame, reading, record.get(SERIES))
        encoded = encode(reading.encoding, rows)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    present = encoded.present & encoded.known
    return Asked(encoded.values, present, _scales(reading, rows, 0))


def _request_rows(frame: pd.DataFrame, reading: WindowReading, series: Any) -> Rows:
    times = reading.rows.times if reading.encoding.recipe.needs_times else None
    plain = replace(reading.rows, times=times, series=None, resample=None, duplicates="error")
    rows = rows_of(frame, plain, reading.step)
    names = () if reading.rows.series is None else (str(series),)
    return replace(rows, names=names, brings_ahead=True)


def _step(step: Any, names: Sequence[str], where: str, number: int) -> list[Any]:
    if isinstance(step, Mapping):
        for name in step:
            if name not in names:
                raise DataError(
                    f"{where}: step {number} has no input {name!r};{nearest(str(name), names)} its "
                    f"inputs are: {_shown(names)}."
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


def _check_step(rows: Rows, reading: WindowReading, path: Path) -> None:
    trained, here = reading.step, rows.step
    if trained is None or here is None or len(rows.frame) < 3:
        return
    if {trained.kind, here.kind} <= {"regular", "months"} and trained.text != here.text:
        raise DataError(
            f"the model was trained on rows {trained.text} apart, but those of {path.name} are "
            f"{here.text} apart; bring rows of the same step."
        )


def _windows(rows: Rows, reading: WindowReading, newest: bool) -> Iterator[AskedWindow]:
    encoded = encode(reading.encoding, rows)
    recipe, steps = reading.encoding.recipe, reading.input_steps
    has_own = _has_own(rows, reading)
    name = "+".join(reading.rows.series or ()) or SERIES
    for series in range(len(rows.bounds) - 1):
        begin, end = rows.bounds[series : series + 2].tolist()
        there = np.flatnonzero(has_own[begin:end])
        end = begin + (int(there[-1]) + 1 if len(there) else 0)
        scales = _scales(reading, rows, series)
        key = {name: rows.names[series]} if rows.names else {}
        first = begin + steps - 1
        if newest and end > first:
            first = end - 1
            _check_known(encoded, rows, reading, first)
        for row in range(first, end):
            span = slice(row - steps + 1, row + 1)
            present = _present(encoded, rows, reading, span)
            if not present.any() or (recipe.known and _is_past(rows, reading, row)
                                     and not encoded.known[row]):  # fmt: skip
                continue
            asked = Asked(encoded.values[span], present, scales)
            targets = tuple(_place(rows, reading, row, ahead) for ahead in recipe.ahead)
            yield AskedWindow(asked, key, targets)


def _has_own(rows: Rows, reading: WindowReading) -> Array:
    """Rows that bring more than what is known ahead, `(rows,)`: others only serve forecasts."""
    recipe = reading.encoding.recipe
    known = {column.name for column in recipe.known}
    own = [column.name for column in recipe.columns if column.name not in known]
    if not known or not own:
        return np.ones(len(rows.frame), dtype=np.bool_)
    return np.asarray(rows.frame[own].notna().any(axis=1))


def _is_past(rows: Rows, reading: WindowReading, row: int) -> bool:
    """Whether the targets of a row lie past the end of its series."""
    after = rows.bounds[1:][rows.codes[row]]
    return bool(row + reading.encoding.recipe.ahead.stop - 1 >= after)


def _present(encoded: Encoded, rows: Rows, reading: WindowReading, span: slice) -> Array:
    """Rows of a window that miss nothing; what is unknown past the end is not missing."""
    present = encoded.present[span]
    if not reading.encoding.recipe.known:
        return present
    past = [_is_past(rows, reading, row) for row in range(span.start, span.stop)]
    return np.asarray(present & (encoded.known[span] | np.array(past)))


def _check_known(encoded: Encoded, rows: Rows, reading: WindowReading, row: int) -> None:
    recipe = reading.encoding.recipe
    if recipe.known and not encoded.known[row]:
        names = ", ".join(column.name for column in recipe.known)
        raise DataError(
            f"the forecast from {rows.said(row)} needs {names} of the next "
            f"{recipe.ahead.stop - 1} row(s), but the file ends before; add rows with what is "
            "known ahead, their other columns empty."
        )


def _place(rows: Rows, reading: WindowReading, row: int, ahead: int) -> dict[str, Any]:
    """Name a target row: by its time as the file writes it, or by its number."""
    target = row + ahead
    inside = target < rows.bounds[1:][rows.codes[row]]
    if rows.instants is None:
        return {ROW: target - int(rows.bounds[rows.codes[row]])}
    columns = reading.times
    column = columns[0] if len(columns) == 1 else TIME
    if inside:
        written = column in rows.frame.columns
        return {column: rows.frame[column].iloc[target] if written else rows.said(target)}
    step = rows.step if reading.step is None else reading.step
    assert step is not None
    now = rows.instants.take(slice(row, row + 1))
    later = now.at(step.ahead(now.utc, ahead))
    return {column: _as_written(later.text(0), rows, reading)}


def _as_written(text: str, rows: Rows, reading: WindowReading) -> str:
    """Write a time beyond the file as the file writes its own, as far as that is plain."""
    import pandas as pd

    written = None if reading.rows.times is None else reading.rows.times.format
    if written is not None and len(reading.times) == 1:
        return pd.Timestamp(text).strftime(written)
    column = reading.times[0]
    first = rows.frame[column].iloc[0] if column in rows.frame.columns else None
    if isinstance(first, str) and len(first) == len("2021-01-01") and text.endswith(" 00:00:00"):
        return text[: len("2021-01-01")]
    return text.replace(" ", "T") if isinstance(first, str) and "T" in first else text


def _scales(reading: WindowReading, rows: Rows, series: int) -> Scales | None:
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
