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
from trainers.data.features.ahead import ahead_of_steps
from trainers.data.features.encoding import encode
from trainers.data.features.reading import EncodedReading, Scales
from trainers.data.features.recipe import InputColumn
from trainers.data.features.rows import Rows
from trainers.data.options import nearest
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SERIES = "series"
_SHOWN_CHARACTERS = 40
_VALUES_BEFORE = {"mean": 0, "forward": 1, "linear": 2}


@dataclass(frozen=True)
class Asked:
    """Steps to be asked about.

    Attributes:
        inputs: `(time, features)` float32, scaled.
        present: `(time,)` bool, steps that miss nothing.
        scales: Of the targets of this series; None where all share one.
        ahead: `(time, horizon, features)`, scaled, what is known ahead of each step, or
            `(1, horizon, features)` of the last; None for nothing.
    """

    inputs: Array
    present: Array
    scales: Scales | None = None
    ahead: Array | None = None


def request_of(record: Mapping[str, Any], reading: EncodedReading, where: str) -> Asked:
    """Encode the steps of a request; see `request_rows`."""
    rows = request_rows(record, reading, where)
    encoded = encode(reading.encoding, rows)
    present = encoded.present & encoded.known
    ahead = ahead_of_steps(reading.encoding, rows.instants, encoded.values)
    try:
        scales = reading.window_scales(rows, 0, len(present) - 1)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    return Asked(encoded.values, present, scales, ahead)


def request_rows(record: Mapping[str, Any], reading: EncodedReading, where: str) -> Rows:
    """Return the steps of a request as rows.

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
    table = [step_values(step, names, where, number) for number, step in enumerate(steps)]
    frame = pd.DataFrame(table, columns=list(names), dtype=object)
    for column in _columns(reading):
        check_values(frame, column, where)
    series = _name(record.get(SERIES))
    if record.get("state") is not None:
        _check_stepped(frame, reading, series, where)
    try:
        return reading.rows_of_steps(frame, series)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _name(series: Any) -> str | None:
    """The name of a series as training has it; that of several columns is their values'."""
    if series is None:
        return None
    if isinstance(series, list | tuple):
        return " ".join(map(label_name, series))
    return label_name(series)


def _columns(reading: EncodedReading) -> list[InputColumn]:
    recipe = reading.encoding.recipe
    ahead = [replace(c, name=f"{c.name}+{step}") for step in recipe.ahead for c in recipe.known]
    return [*recipe.columns, *ahead]


def step_values(step: Any, names: Sequence[str], where: str, number: int) -> list[Any]:
    """Return the values of a step in the order of `names`, None for what an object leaves out.

    Raises:
        DataError: an object has another name, or a list another length.
    """
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


def check_values(frame: pd.DataFrame, column: InputColumn, where: str) -> None:
    """Check that each step has a number, or the name of a category, or null.

    Raises:
        DataError: one has something else.
    """
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


def _check_stepped(
    frame: pd.DataFrame, reading: EncodedReading, series: str | None, where: str
) -> None:
    """Check that steps which go on from a state need nothing of the steps before.

    Raises:
        DataError: a series' scale, a filled value or the time since the step before would be
            another than in one long sequence.
    """
    each = next((scale.each for scale in reading.all_scales if scale.each is not None), None)
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
    if reading.needs_newest:
        raise DataError(
            f"{where}: each forecast is added to the newest value of its target "
            "(data.target_transform: difference), which a state does not hold; send whole "
            "sequences without a state."
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
