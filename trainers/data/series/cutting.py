"""Cutting long series into windows that are views, divided by target row.

A window's last input row is e; its targets are the `output_steps` rows from e + `steps_ahead` on
(the TensorFlow tutorial's three parameters). With `every_step` each input row r of the window has
targets, those from r + `steps_ahead` on. No target crosses a boundary between parts, no window one
between series; inputs of validation and test may reach back into the part before.

All series lie one after another in one array. Windows are rows picked from a view of it, so
thousands of series, dropped windows and gaps cost an index and no copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trainers.data.contract import Array, Picked, SequenceSet
from trainers.data.division import PARTS
from trainers.data.series.spans import Span
from trainers.data.views import as_range, picked
from trainers.errors import DataError


@dataclass(frozen=True)
class Geometry:
    """A window's measures, in rows; `every_step`: targets at each step, not the last one only."""

    input_steps: int
    output_steps: int
    steps_ahead: int
    stride: int
    every_step: bool = False

    @property
    def lead(self) -> int:
        """Rows from a window's first input to its (last step's) first target."""
        return self.input_steps + self.steps_ahead - 1


@dataclass(frozen=True)
class Series:
    """Long series, one after another: what windows are views of.

    Attributes:
        inputs: `(rows, features)` float32, contiguous; finite, also where a row is missing.
        targets: `(rows, outputs)` float32, contiguous, likewise; or class ids `(rows,)` int64.
        bounds: `(series + 1,)` the row at which each series begins, and the number of rows.
        input_present: `(rows,)` bool, or None when all are.
        target_present: `(rows, outputs)` bool, or None when all are; one output for ids.
        ahead: `(rows, features)` float32, what is known ahead of each row; None for nothing.
    """

    inputs: Array
    targets: Array
    bounds: Array
    input_present: Array | None = None
    target_present: Array | None = None
    ahead: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class _Windows:
    """Where windows lie.

    Attributes:
        first: `(windows,)` first input row of each.
        last: `(windows,)` its last step that is not missing, −1 where all are.
        shown: `(windows, outputs)` which targets are not missing; None when all are, and with
            targets at every step.
        series: `(windows,)` which series each is of.
    """

    first: Array
    last: Array
    shown: Array | None
    series: Array

    def __len__(self) -> int:
        return len(self.first)

    def only(self, keep: Array) -> _Windows:
        shown = None if self.shown is None else self.shown[keep]
        return _Windows(self.first[keep], self.last[keep], shown, self.series[keep])


def cut(
    series: Series,
    parts: Sequence[Sequence[Span]],
    geometry: Geometry,
    said: Callable[[int], str] = str,
) -> tuple[list[SequenceSet | None], list[str]]:
    """Cut series into one set of windows a part, and tell what was cut.

    Args:
        series: The series.
        parts: For train, validation and test, the rows that their targets lie in; none for a part
            that there shall not be.
        geometry: The windows' measures.
        said: How a row is named in notes: by its number, or its time.

    Returns:
        The sets, and one line a part: its target rows, its windows, and those left out.

    Raises:
        DataError: a part has no room for a single window, or no window with input and target.
    """
    sets: list[SequenceSet | None] = []
    lines = []
    for name, spans in zip(PARTS, parts, strict=True):
        if not spans:
            sets.append(None)
            continue
        wanted = sum(len(range(span.start, span.stop, geometry.stride)) for span in spans)
        windows = _placed(series, spans, geometry)
        if not len(windows):
            raise DataError(_no_room(name, spans, series, geometry))
        kept = windows.only(_with_input_and_target(series, windows, spans, geometry))
        if not len(kept):
            raise DataError(
                f"the {name} part's {len(windows)} windows have no input or no target that is not "
                "missing; fill in missing values or give the part a larger share of data.split."
            )
        sets.append(_set(series, kept, spans, geometry))
        line = f"{name}: {_where(spans, series, said)}, {len(kept)} windows"
        no_room, empty = wanted - len(windows), len(windows) - len(kept)
        line += f", {no_room} dropped for want of room" if no_room else ""
        line += f", {empty} dropped for missing values" if empty else ""
        lines.append(line)
    return sets, lines


def target_starts(span: Span, geometry: Geometry) -> range:
    """First target rows of the windows whose (last) targets lie in a span.

    Windows are counted from the span's start, whatever `input_steps` is; those whose inputs would
    begin before its floor are left out.
    """
    missing = max(0, span.floor + geometry.lead - span.start)
    first = span.start + math.ceil(missing / geometry.stride) * geometry.stride
    return range(first, span.stop - geometry.output_steps + 1, geometry.stride)


def _placed(series: Series, spans: Sequence[Span], geometry: Geometry) -> _Windows:
    """All windows of a part that there is room for."""
    ranges = [target_starts(span, geometry) for span in spans]
    counts = [len(one) for one in ranges]
    starts = np.concatenate([np.arange(r.start, r.stop, r.step, dtype=np.int64) for r in ranges])
    first = starts - geometry.lead
    owners = np.repeat(np.array([span.series for span in spans], dtype=np.int32), counts)
    last = np.full(len(first), geometry.input_steps - 1)
    if series.input_present is not None:
        rows = np.arange(len(series))
        newest = np.maximum.accumulate(np.where(series.input_present, rows, -1))
        last = np.maximum(newest[first + geometry.input_steps - 1] - first, -1)
    shown = None
    if series.target_present is not None and not geometry.every_step:
        shown = _runs(series.target_present, geometry)[starts]
        shown = None if shown.all() else shown
    return _Windows(first, last, shown, owners)


def _with_input_and_target(
    series: Series, windows: _Windows, spans: Sequence[Span], geometry: Geometry
) -> Array:
    """Which windows have both, `(windows,)`."""
    keep = np.asarray(windows.last >= 0)
    if windows.shown is not None:
        keep &= windows.shown.any(axis=1)
    if geometry.every_step:
        shown = _shown_steps(series, spans, geometry)
        counted = np.concatenate([[0], np.cumsum(shown.reshape(len(shown), -1).any(axis=1))])
        keep &= counted[windows.first + geometry.input_steps] > counted[windows.first]
    return keep


def _set(
    series: Series, windows: _Windows, spans: Sequence[Span], geometry: Geometry
) -> SequenceSet:
    inputs = picked(_sliding(series.inputs, geometry).transpose(0, 2, 1), windows.first)
    input_mask = None
    if series.input_present is not None:
        input_mask = picked(_sliding(series.input_present, geometry), windows.first)
    at_steps = _at_every_step if geometry.every_step else _at_last_step
    targets, target_mask = at_steps(series, windows, spans, geometry)
    origins = windows.first + geometry.lead
    return SequenceSet(
        inputs=inputs,
        targets=targets,
        input_mask=input_mask,
        target_mask=target_mask,
        origins=as_range(origins) or origins,
        series=windows.series if len(series.bounds) > 2 else None,
        ahead=None if series.ahead is None else picked(_ahead(series.ahead, geometry), origins),
    )


def _ahead(rows: Array, geometry: Geometry) -> Array:
    """What is known ahead of each row and those after it, `(runs, output_steps, features)`."""
    return sliding_window_view(rows, geometry.output_steps, axis=0).transpose(0, 2, 1)


def _sliding(rows: Array, geometry: Geometry) -> Array:
    return sliding_window_view(rows, geometry.input_steps, axis=0)


def _runs(targets: Array, geometry: Geometry) -> Array:
    """The targets from each row on, `(runs, output_steps * outputs)`; ids `(runs,)` as they are.

    Rows of targets lie one after another, so the next rows' targets are one run of memory.
    """
    if targets.ndim == 1:
        return targets
    outputs = targets.shape[1]
    flat = targets.reshape(-1)
    return sliding_window_view(flat, geometry.output_steps * outputs)[::outputs]


def _at_last_step(
    series: Series, windows: _Windows, spans: Sequence[Span], geometry: Geometry
) -> tuple[Array | Picked, Array | Picked]:
    """One run of targets a window, at its last step that is not missing."""
    del spans
    steps = geometry.input_steps
    runs = _runs(series.targets, geometry)
    every = np.broadcast_to(runs[:, None], (len(runs), steps, *runs.shape[1:]))
    targets = picked(every, windows.first + geometry.lead)
    at_end = bool((windows.last == steps - 1).all())
    shown = windows.shown
    if shown is None or shown.all():
        if at_end:
            return targets, np.broadcast_to(np.arange(steps) == steps - 1, (len(windows), steps))
        return targets, Picked(np.eye(steps, dtype=np.bool_), windows.last)
    # Few patterns of missing targets, each stored once.
    patterns, place = np.unique(np.column_stack([windows.last, shown]), axis=0, return_inverse=True)
    table = np.zeros((len(patterns), steps, shown.shape[1]), dtype=np.bool_)
    table[np.arange(len(patterns)), patterns[:, 0]] = patterns[:, 1:]
    return targets, Picked(table, place.reshape(-1))


def _at_every_step(
    series: Series, windows: _Windows, spans: Sequence[Span], geometry: Geometry
) -> tuple[Array | Picked, Array | Picked]:
    """A run of targets at each step; hidden where it begins in the part before, or is missing."""
    runs = _runs(series.targets, geometry)[geometry.steps_ahead :]
    every = _sliding(runs, geometry)
    every = every.transpose(0, 2, 1) if every.ndim == 3 else every
    shown = _sliding(_shown_steps(series, spans, geometry), geometry)
    shown = shown.transpose(0, 2, 1) if shown.ndim == 3 else shown
    return picked(every, windows.first), picked(shown, windows.first)


def _shown_steps(series: Series, spans: Sequence[Span], geometry: Geometry) -> Array:
    """Whether each row has targets of this part, `(rows,)`, or `(rows, outputs)` by output."""
    ahead = geometry.steps_ahead
    shown = np.zeros(len(series) - geometry.output_steps + 1 - ahead, dtype=np.bool_)
    for span, after in zip(spans, [*spans[1:], None], strict=True):
        # Nothing ends past a span, so only rows before a further one of the series need hiding.
        more = after is not None and after.series == span.series
        stop = span.stop - geometry.output_steps + 1 if more else series.bounds[span.series + 1]
        shown[max(span.start - ahead, 0) : max(stop - ahead, 0)] = True
    if series.input_present is not None:
        shown &= series.input_present[: len(shown)]
    if series.target_present is None:
        return shown
    present = _runs(series.target_present, geometry)[ahead:]
    both = present & shown[:, None]
    whole = np.asarray(both.all(axis=1))
    return whole if (whole == both.any(axis=1)).all() else np.ascontiguousarray(both)


def _where(spans: Sequence[Span], series: Series, said: Callable[[int], str]) -> str:
    """Say in which rows a part's targets are."""
    if len(series.bounds) > 2 or len(spans) > 1:
        rows = sum(span.stop - span.start for span in spans)
        of = len({span.series for span in spans})
        return f"targets in {rows} rows" + (f" of {of} series" if len(series.bounds) > 2 else "")
    start, stop = spans[0].start, spans[0].stop
    rows_said = f"targets in rows [{start}, {stop})"
    first, last = said(start), said(stop - 1)
    return rows_said if first == str(start) else f"{rows_said}, {first} to {last}"


def _no_room(name: str, spans: Sequence[Span], series: Series, geometry: Geometry) -> str:
    reach = geometry.lead + geometry.output_steps
    longest = int(np.diff(series.bounds).max())
    several = len(series.bounds) > 2
    if reach > longest:
        return (
            f"a window spans {reach} rows (input_steps={geometry.input_steps}, steps_ahead="
            f"{geometry.steps_ahead}, output_steps={geometry.output_steps}), but the "
            f"{'longest ' if several else ''}series has {longest}; shorten the window or bring a "
            "longer series."
        )
    where = "in its rows of each series" if len(spans) > 1 else f"in rows {spans[0].rows}"
    return (
        f"the {name} part has no room for a window: a window spans {reach} rows and its "
        f"{geometry.output_steps} target row(s) must lie {where}; shorten the "
        "window (data.input_steps) or give the part a larger share of data.split."
    )
