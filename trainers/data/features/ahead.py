"""What is known ahead of the rows that are forecast, step by step: a decoder's inputs.

Columns known ahead (a category as one feature a value), the calendar and public holidays, at the
rows that are forecast themselves. Inside a table each row has one set of them, and a forecast's are
a run of rows; past its end, and in requests, times follow from the usual step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.encoding import Encoding
from trainers.data.features.recipe import InputColumn, Recipe, raw_column
from trainers.data.features.rows import Rows
from trainers.data.times.instants import Instants


def ahead_size(recipe: Recipe) -> int:
    """Return how many features are known ahead of a step of a forecast; 0 where it has one step."""
    if recipe.output_steps == 1:
        return 0
    known = sum(len(column.values or (column.name,)) for column in recipe.known)
    return known + len(recipe.calendar.names) + (recipe.holidays is not None)


def ahead_of_rows(encoding: Encoding, rows: Rows) -> Array | None:
    """Return what is known ahead of each row itself, `(rows, features)` float32; None for nothing.

    What is missing is 0, as in inputs.
    """
    recipe = encoding.recipe
    if not ahead_size(recipe):
        return None
    place, parts = _first_places(encoding)[0], []
    for column in recipe.known:
        raw = raw_column(rows, column)
        if column.values is None:
            scale, shift = encoding.scales[place].of_rows(raw, rows, encoding.fit)
            raw = (raw - shift) / scale
        parts.append(_features(column, raw))
        place += len(column.feature_names)
    return _joined([*parts, *_of_times(recipe, rows.instants)])


def ahead_of_steps(encoding: Encoding, instants: Instants | None, inputs: Array) -> Array | None:
    """Return what is known ahead where only each step's own row tells it.

    Args:
        encoding: Of the training data.
        instants: When the steps were, where that is known.
        inputs: `(steps, features)`, encoded: they end in what is known ahead of each target row.

    Returns:
        `(steps, horizon, features)` float32, or None for nothing.
    """
    recipe = encoding.recipe
    if not ahead_size(recipe):
        return None
    found = []
    for step, place in zip(recipe.ahead, _first_places(encoding), strict=True):
        parts = []
        for column in recipe.known:
            own = inputs[:, place : place + len(column.feature_names)]
            parts.append(_features(column, own[:, 0]) if column.embedded else own)
            place += own.shape[1]
        later = instants
        if instants is not None and recipe.step is not None:
            later = instants.at(recipe.step.ahead(instants.utc, step))
        found.append(_joined([*parts, *_of_times(recipe, later)]))
    return np.stack(found, axis=1)


def _first_places(encoding: Encoding) -> list[int]:
    """Return where the columns known ahead of each target row begin among the inputs."""
    recipe = encoding.recipe
    own = sum(len(column.feature_names) for column in recipe.known)
    counts = [own + (recipe.holidays is not None and step > 0) for step in recipe.ahead]
    ends = len(encoding.scales) - np.cumsum(counts[::-1])[::-1]
    return [int(end) for end in ends]


def _features(column: InputColumn, values: Array) -> Array:
    """Return a column's features `(rows, ·)` of its numbers or ids `(rows,)`."""
    if column.values is None:
        return values[:, None]
    return np.equal(values[:, None], np.arange(1, len(column.values) + 1)).astype(np.float32)


def _of_times(recipe: Recipe, instants: Instants | None) -> Iterator[Array]:
    if instants is None:
        return
    yield recipe.calendar.features(instants)
    if recipe.holidays is not None:
        yield recipe.holidays.features(instants.local())[:, None]


def _joined(parts: list[Array]) -> Array:
    joined = np.concatenate(parts, axis=1)
    return np.asarray(np.nan_to_num(joined, copy=False), dtype=np.float32)
