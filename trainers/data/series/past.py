"""What is known of a target before each window's forecast: the newest value, and a season ago.

Everything is in the target's own units. One array over all rows serves every window of every part:
windows pick rows of it, so nothing is copied per window where one target is forecast, or one step.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from trainers.data.contract import Array, SequenceSet
from trainers.data.features.rows import Rows
from trainers.data.series.cutting import Geometry
from trainers.data.series.options import WindowOptions
from trainers.data.tables.columns import matrix
from trainers.data.times.seasons import season_of
from trainers.data.views import picked


@dataclass(frozen=True)
class Past:
    """What every window of a table is told of its targets' past.

    Attributes:
        latest: `(rows, outputs)` float32, what is known where a window's last row is this one.
        season_ago: `(places, outputs)` float32, `offsets` says which of them; None where there is
            no season.
        offsets: `(rows,)` the place in `season_ago` of a window whose last row is this one; None
            where that is the row itself.
        season: Rows of a season, where there is one.
        errors: `(2, outputs)` float64, see `SequenceData.seasonal_errors`; None without two
            neighbours in the training part.
    """

    latest: Array
    season_ago: Array | None
    offsets: Array | None
    season: int | None
    errors: Array | None

    def told(self, part: SequenceSet | None, steps_ahead: int) -> SequenceSet | None:
        """Return a part whose windows know it; their origins are their first target rows."""
        if part is None or part.origins is None:
            return part
        last = np.asarray(part.origins, dtype=np.int64) - steps_ahead
        ago, places = self.season_ago, last if self.offsets is None else self.offsets[last]
        return dataclasses.replace(
            part,
            latest=picked(self.latest, last),
            season_ago=None if ago is None else picked(ago, places),
        )


def past_of(rows: Rows, options: WindowOptions, train: Array) -> Past | None:
    """Return what windows are told; None where each step has targets, or classes are predicted.

    Args:
        rows: With their targets, not consumed yet.
        options: Of the windows.
        train: `(rows,)` which rows the training part has.
    """
    if options.task == "classification" or options.targets == "every":
        return None
    values = matrix(rows.frame, options.target, "mask")  # (rows, targets), NaN where missing
    geometry, horizon = options.geometry, options.output_steps
    begins = rows.bounds[:-1][rows.codes]  # of each row's series
    season, errors = _season_errors(values, begins, train, _season(rows))
    newest = newest_known(values, begins).astype(np.float32)
    # Of a target in the window's last row the rows before it are known.
    latest = newest if geometry.steps_ahead else _shifted(newest, begins)
    ago, offsets = None, None
    if season is not None:
        repeated = newest_known(values, begins, lag=season).astype(np.float32)
        ago, offsets = _season_ago(repeated, rows, geometry, season)
    return Past(
        _for_every_step(latest, horizon),
        ago,
        offsets,
        season,
        None if errors is None else np.tile(errors, horizon),
    )


def _season(rows: Rows) -> int | None:
    if rows.step is None or rows.instants is None:
        return None
    return season_of(rows.step, rows.instants, rows.bounds)


def newest_known(values: Array, begins: Array, lag: int = 1) -> Array:
    """Each row's value, or where it is missing the newest one whole lags before, of its series.

    Args:
        values: `(rows, targets)`, NaN where missing.
        begins: `(rows,)` the first row of each one's series.
        lag: In rows.
    """
    if not np.isnan(values).any():
        return values
    place = np.arange(len(values))
    behind = (place - begins) % lag + begins  # the first row of its series in this phase
    order = np.argsort(behind, kind="stable")
    found = np.where(np.isnan(values[order]), -1, place[:, None])
    newest = np.maximum.accumulate(found, axis=0)
    # What was found before the phase began belongs to another one.
    starts = np.searchsorted(behind[order], behind[order])
    filled = np.take_along_axis(values[order], np.maximum(newest, 0), axis=0)
    filled[newest < starts[:, None]] = np.nan
    result = np.empty_like(values)
    result[order] = filled
    return result


def _shifted(newest: Array, begins: Array) -> Array:
    """What is known in the row before, `(rows, targets)`; NaN where a series begins."""
    before = np.roll(newest, 1, axis=0)
    before[begins == np.arange(len(newest))] = np.nan
    return before


def _for_every_step(values: Array, horizon: int) -> Array:
    """Return `(rows, targets)` for each step of the horizon, step by step; a view of one target."""
    if values.shape[1] > 1 or horizon == 1:
        return values if horizon == 1 else np.tile(values, horizon)
    strides = (values.strides[0], 0)
    return as_strided(values, (len(values), horizon), strides, writeable=False)


def _season_ago(
    repeated: Array, rows: Rows, geometry: Geometry, season: int
) -> tuple[Array, Array | None]:
    """Return the values a season before the targets, and the place of each row's among them.

    Args:
        repeated: `(rows, targets)` each row's value, or that of whole seasons before.
        rows: The rows.
        geometry: Of the windows.
        season: In rows.
    """
    count, targets = repeated.shape
    horizon, place = geometry.output_steps, np.arange(count)
    known = max(geometry.steps_ahead, 1)  # rows from the newest known one to the first target
    last = place - (0 if geometry.steps_ahead else 1)
    ahead = known + np.arange(horizon)
    back = -(-ahead // season) * season - ahead  # rows back from the newest known one
    begins = rows.bounds[:-1][rows.codes]
    # One step, or a horizon longer than what is left of the season: its values are gathered.
    if horizon == 1 or (np.diff(back) != -1).any():
        at = last[:, None] - back
        there = at >= begins[:, None]
        values = np.where(there[..., None], repeated[np.where(there, at, 0)], np.float32(np.nan))
        return values.reshape(count, horizon * targets), None
    # The steps' values follow each other. Rows of nothing before each series stand for what lies
    # before it.
    padded = np.full((count + horizon * (len(rows.bounds) - 1), targets), np.nan, np.float32)
    shift = horizon * (rows.codes + 1)
    padded[place + shift] = repeated
    first = np.maximum(last - int(back[0]), begins - horizon) + shift
    runs = sliding_window_view(padded.reshape(-1), horizon * targets)[::targets]
    return runs, first


def _season_errors(
    values: Array, begins: Array, train: Array, season: int | None
) -> tuple[int | None, Array | None]:
    """Return the season, None where training has none, and the errors of who repeats the last."""
    for lag in (season, 1):
        found = None if lag is None else _errors(values, begins, train, lag)
        if found is not None:
            return (None if lag == 1 else lag), found
    return None, None


def _errors(values: Array, begins: Array, train: Array, lag: int) -> Array | None:
    """Return the means of |y_t − y_{t−lag}| and of its square, `(2, targets)`, in training.

    None where a target has no such pair.
    """
    later = np.arange(lag, len(values))
    later = later[(later - lag >= begins[later]) & train[later] & train[later - lag]]
    change = np.abs(values[later] - values[later - lag])
    known = ~np.isnan(change)
    counts = known.sum(axis=0)
    if not counts.all():
        return None
    sums = [np.where(known, each, 0.0).sum(axis=0) for each in (change, np.square(change))]
    return np.asarray(np.stack(sums) / counts)
