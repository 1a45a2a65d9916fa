"""The coming rows of a request: what a client knows of them ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.requests import check_values, request_rows, step_values
from trainers.data.series.coming import Coming, with_coming_rows
from trainers.data.series.courses import (
    Course,
    check_numbers,
    courses_of,
    least_rows,
    rows_needed,
)
from trainers.data.series.reach import check_reach
from trainers.data.series.reading import WindowReading
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

AHEAD = "ahead"
_WAY_OUT = f"send it in `{AHEAD}`, one object a coming step"


def course_of_request(
    record: Mapping[str, Any], reading: WindowReading, steps: int, where: str
) -> Course:
    """Return the course after the steps of a request.

    Args:
        record: `steps` and `series` as `request_rows` has them; `ahead` perhaps lists what is known
            of each coming step, by name: `{"price": 31.0}`.
        reading: Of the training data.
        steps: How many steps are to be forecast.
        where: Which record it is, for messages.

    Raises:
        DataError: the network tells classes; the record does not fit; or an input is not known
            as far ahead as it is needed.
    """
    check_numbers(reading)
    rows = request_rows(record, reading, where)
    least = least_rows(reading)
    if len(rows.frame) < least:
        raise DataError(
            f"{where}: a forecast of coming steps needs the {least} steps before them, but got "
            f"{len(rows.frame)}."
        )
    known = _known_ahead(record, reading, where)
    last = np.array([len(rows.frame) - 1])
    try:
        coming = with_coming_rows(rows, reading, last, rows_needed(reading, steps))
        _bring(coming, reading, known)
        check_reach(coming, reading, [0], steps, _WAY_OUT)
        return next(courses_of(coming, reading, [0], steps))
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _known_ahead(record: Mapping[str, Any], reading: WindowReading, where: str) -> pd.DataFrame:
    """What a request knows of each coming step, by column."""
    import pandas as pd

    recipe, given = reading.encoding.recipe, record.get(AHEAD)
    columns = {c.name: c for c in (*recipe.columns, *recipe.known) if c.name not in reading.targets}
    if not isinstance(given, list | None):
        raise DataError(f"{where}: {AHEAD} must be a list of objects, one a coming step.")
    here, names = f"{where}, {AHEAD}", tuple(columns)
    table = [step_values(one, names, here, number) for number, one in enumerate(given or ())]
    frame = pd.DataFrame(table, columns=list(names), dtype=object)
    for column in columns.values():
        check_values(frame, column, here)
    return frame


def _bring(coming: Coming, reading: WindowReading, known: pd.DataFrame) -> None:
    """Put what is known ahead into the coming rows, and beside the rows that it is ahead of."""
    frame, ahead = coming.rows.frame, reading.encoding.recipe.ahead
    first = len(frame) - coming.count
    for name in known.columns:
        values = known[name].reindex(range(coming.count)).to_numpy(dtype=object, copy=True)
        beside = {step: f"{name}+{step}" for step in ahead if f"{name}+{step}" in frame}
        for step, column in beside.items():  # what the sent steps say of rows after them
            told = np.full(step, None)
            told[max(step - first, 0) :] = frame[column].iloc[max(first - step, 0) : first]
            _fill(values[:step], told)
        if name in frame:
            own = frame[name].to_numpy(dtype=object, copy=True)
            own[first:] = _fill(values.copy(), own[first:])
            frame[name] = own
        else:
            frame[name] = np.concatenate([np.full(first, None), values])
        for step, column in beside.items():
            told = frame[column].to_numpy(dtype=object, copy=True)
            _fill(told[max(first - step, 0) : len(told) - step], values[max(step - first, 0) :])
            frame[column] = told


def _fill(values: Array, others: Array) -> Array:
    """Fill what is missing of values `(rows,)` with others; return them."""
    import pandas as pd

    missing = pd.isna(values)
    values[missing] = others[: len(values)][missing]
    return values
