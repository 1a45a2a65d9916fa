"""Cutting one long series into windows that are views, divided in time by target row.

A window's last input row is e; its targets are the `output_steps` rows from e + `steps_ahead` on
(the TensorFlow tutorial's three parameters). With `every_step` each input row r of the window has
targets, those from r + `steps_ahead` on. No target crosses a boundary between parts; inputs of
validation and test may reach back into the part before.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trainers.data.contract import Array, SequenceSet
from trainers.data.division import PARTS
from trainers.data.padding import last_step_mask
from trainers.errors import DataError


@dataclass(frozen=True)
class Geometry:
    """A window's measures, in rows; `every_step`: targets at each step, not the last one only."""

    input_steps: int
    output_steps: int
    steps_ahead: int
    stride: int
    every_step: bool = False


@dataclass(frozen=True)
class Series:
    """A long series: what windows are views of.

    Attributes:
        inputs: `(rows, features)` float32, contiguous; finite, also where a row is missing.
        targets: `(rows, outputs)` float32, contiguous; likewise.
        input_present: `(rows,)` bool, or None when all are.
        target_present: `(rows,)` bool, or None when all are.
    """

    inputs: Array
    targets: Array
    input_present: Array | None = None
    target_present: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)


def target_starts(start: int, stop: int, geometry: Geometry) -> range:
    """First target rows of the windows whose (last) targets lie in `[start, stop)`.

    Windows are counted from the part's start, whatever `input_steps` is; those whose inputs would
    begin before the series are left out.
    """
    earliest = geometry.input_steps + geometry.steps_ahead - 1
    missing = max(0, earliest - start)
    first = start + math.ceil(missing / geometry.stride) * geometry.stride
    return range(first, stop - geometry.output_steps + 1, geometry.stride)


def cut(
    series: Series, boundaries: Sequence[int], geometry: Geometry
) -> tuple[list[SequenceSet], list[str]]:
    """Cut a series into one set of windows a part, and tell what was cut.

    Returns:
        The sets, and one line a part: its target rows, its windows, and those left out.

    Raises:
        DataError: a part has no room for a single window, or no window with input and target.
    """
    parts, lines = [], []
    for name, (start, stop) in zip(PARTS, itertools.pairwise(boundaries), strict=True):
        starts = target_starts(start, stop, geometry)
        if not starts:
            raise DataError(_no_room(name, start, stop, len(series), geometry))
        windows = _windows(series, start, starts, geometry)
        part = _without_empty(windows, geometry)
        if part is None:
            raise DataError(
                f"the {name} part's {len(starts)} windows have no input or no target that is not "
                "missing; fill in missing values or give the part a larger share of data.split."
            )
        parts.append(part)
        line = f"{name}: targets in rows [{start}, {stop}), {len(part)} windows"
        no_room = len(range(start, stop, geometry.stride)) - len(starts)
        line += f", {no_room} dropped for want of room" if no_room else ""
        empty = len(starts) - len(part)
        line += f", {empty} dropped for missing values" if empty else ""
        lines.append(line)
    return parts, lines


def _windows(series: Series, start: int, starts: range, geometry: Geometry) -> SequenceSet:
    """The windows with first target rows `starts`, those without target or input too."""
    lead = geometry.input_steps + geometry.steps_ahead - 1
    rows = slice(starts.start - lead, starts[-1] - lead + 1, geometry.stride)
    inputs = _sliding(series.inputs, geometry)[rows].transpose(0, 2, 1)
    input_mask = None
    if series.input_present is not None:
        input_mask = _sliding(series.input_present, geometry)[rows]
    if geometry.every_step:
        targets, target_mask = _every_step(series, start, rows, geometry)
    else:
        targets, target_mask = _last_step(series, starts, input_mask, geometry)
    return SequenceSet(inputs, targets, input_mask, target_mask)


def _sliding(rows: Array, geometry: Geometry) -> Array:
    return sliding_window_view(rows, geometry.input_steps, axis=0)


def _runs(series: Series, geometry: Geometry) -> Array:
    """The targets from each row on, `(runs, output_steps * outputs)`.

    Rows of targets lie one after another, so the next rows' targets are one run of memory.
    """
    outputs = series.targets.shape[1]
    flat = series.targets.reshape(-1)
    return sliding_window_view(flat, geometry.output_steps * outputs)[::outputs]


def _run_present(series: Series, geometry: Geometry) -> Array | None:
    """Whether no row of the run from each row on is missing, `(runs,)`."""
    if series.target_present is None:
        return None
    present = sliding_window_view(series.target_present, geometry.output_steps).all(axis=1)
    return np.asarray(present)


def _last_step(
    series: Series, starts: range, input_mask: Array | None, geometry: Geometry
) -> tuple[Array, Array]:
    """One run of targets a window, at its last step that is not missing."""
    rows = slice(starts.start, starts[-1] + 1, geometry.stride)
    runs = _runs(series, geometry)[rows]
    count, steps = len(runs), geometry.input_steps
    if input_mask is not None and input_mask[:, -1].all():
        input_mask = None
    mask = last_step_mask(input_mask, count, steps)
    present = _run_present(series, geometry)
    if present is not None and not present[rows].all():
        mask = mask & present[rows, None]
    return np.broadcast_to(runs[:, None, :], (count, steps, runs.shape[1])), mask


def _every_step(series: Series, start: int, rows: slice, geometry: Geometry) -> tuple[Array, Array]:
    """A run of targets at each step; hidden where it begins in the part before, or is missing."""
    ahead = geometry.steps_ahead
    runs = _runs(series, geometry)[ahead:]
    shown = np.arange(ahead, ahead + len(runs)) >= start
    present = _run_present(series, geometry)
    if present is not None:
        shown &= present[ahead:]
    if series.input_present is not None:
        shown &= series.input_present[: len(runs)]
    return _sliding(runs, geometry)[rows].transpose(0, 2, 1), _sliding(shown, geometry)[rows]


def _without_empty(part: SequenceSet, geometry: Geometry) -> SequenceSet | None:
    """Leave out windows without a target or without an input; None when that leaves nothing.

    What is left are views still, unless a window had to go: then they are copies.
    """
    if part.target_mask is None:
        return part
    keep = part.target_mask.any(axis=1)
    if part.input_mask is not None:
        keep &= part.input_mask.any(axis=1)
    if keep.all():
        return part
    if not keep.any():
        return None
    targets = part.targets[keep]
    if not geometry.every_step:
        # Copied once a window, not once a step.
        runs = part.targets[keep, -1]
        targets = np.broadcast_to(runs[:, None, :], (len(runs), *part.targets.shape[1:]))
    mask = None if part.input_mask is None else part.input_mask[keep]
    return SequenceSet(part.inputs[keep], targets, mask, part.target_mask[keep])


def _no_room(name: str, start: int, stop: int, rows: int, geometry: Geometry) -> str:
    reach = geometry.input_steps + geometry.steps_ahead - 1 + geometry.output_steps
    if reach > rows:
        return (
            f"a window spans {reach} rows (input_steps={geometry.input_steps}, steps_ahead="
            f"{geometry.steps_ahead}, output_steps={geometry.output_steps}), but the series has "
            f"{rows}; shorten the window or bring a longer series."
        )
    return (
        f"the {name} part has no room for a window: a window spans {reach} rows and its "
        f"{geometry.output_steps} target row(s) must lie in rows [{start}, {stop}); shorten the "
        "window (data.input_steps) or give the part a larger share of data.split."
    )
