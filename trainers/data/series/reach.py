"""How far ahead the inputs of a forecast are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainers.data.contract import Array
from trainers.data.series.coming import Coming
from trainers.data.series.reading import WindowReading
from trainers.errors import DataError


def check_reach(
    coming: Coming, reading: WindowReading, series: Sequence[int], steps: int, way_out: str
) -> None:
    """Check that each input of each window is known, or is a target and forecast before it.

    Args:
        coming: What is known.
        reading: Of the training data.
        series: The series that are forecast.
        steps: How far.
        way_out: How what is not known is given.

    Raises:
        DataError: one is not; the message says which, and how far it can go.
    """
    recipe = reading.encoding.recipe
    block = recipe.output_steps
    found = []
    for column in recipe.known:  # of a block's own rows, all of which must be there
        rows = _first_unknown(coming.known(column.name)[series])
        found.append((column.name, rows, rows // block * block))
    for column in recipe.columns:  # up to the window's end; a gap before that is one as in training
        if column.name not in reading.targets:
            rows = _newest_known(coming.known(column.name)[series])
            blocks = (rows + recipe.steps_ahead - 1) // block + 1
            found.append((column.name, rows, blocks * block))
    short = [one for one in found if one[2].min() < steps]
    if not short:
        return
    name, rows, limits = min(short, key=lambda one: one[2].min())
    worst = int(limits.argmin())
    names = coming.rows.names
    of = f" of {names[series[worst]]}" if names else ""
    by = f", {block} at a time" if block > 1 else ""
    raise DataError(
        f"`steps <= {limits[worst]}` must hold{of}, but got {steps}{by}: the input {name!r} is "
        f"known for {rows[worst]} coming row(s); {way_out}, or ask for fewer."
    )


def _first_unknown(known: Array) -> Array:
    """Rows before the first unknown one, `(series,)`, of `(series, rows)` bool."""
    return np.asarray(np.minimum.accumulate(known, axis=1).sum(axis=1))


def _newest_known(known: Array) -> Array:
    """Rows up to the newest known one, `(series,)`, of `(series, rows)` bool."""
    return np.asarray((known * np.arange(1, known.shape[1] + 1)).max(axis=1))
