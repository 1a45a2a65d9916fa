"""Targets as changes from the newest value that is known where a window ends.

A scaled target z becomes t = (z − z_newest − shift) / scale, fitted on the training windows, all
steps of a horizon alike. Each window's `rescale` undoes it, so metrics and predictions are of z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trainers.data.common_targets import taken
from trainers.data.contract import Array, Picked, SequenceSet
from trainers.data.division import PARTS
from trainers.data.features.scales import Scale
from trainers.data.scaling import ColumnScaler, fit_scaler
from trainers.data.series.columns import Chosen
from trainers.data.series.options import WindowOptions
from trainers.errors import DataError


@dataclass(frozen=True)
class Changes:
    """Parts whose targets are changes.

    Attributes:
        parts: Train, validation and test, or None.
        scales: Of each target's change, in its scaled units.
        notes: Windows that have none.
    """

    parts: tuple[SequenceSet | None, ...]
    scales: tuple[Scale, ...]
    notes: tuple[str, ...]


def check_changes(chosen: Chosen, options: WindowOptions) -> None:
    """Check that whoever asks for a forecast brings what it is added to.

    Raises:
        DataError: a target is no input.
    """
    lacking = [name for name in options.target if name not in chosen.own]
    if options.differs and lacking:
        raise DataError(
            "data.target_transform: difference adds a forecast to the newest value that is known, "
            f"so {lacking[0]!r} must be an input; add it to data.inputs, or set "
            "data.target_transform: none."
        )


def changes_of(
    parts: Sequence[SequenceSet | None], scaler: ColumnScaler, options: WindowOptions
) -> Changes:
    """Return parts whose targets are changes; windows before the first known value are left out.

    Args:
        parts: Train, validation and test, each with one run of scaled targets a window, and
            `latest`.
        scaler: Of the targets, by output.
        options: Of the windows.

    Raises:
        DataError: a part has no window left.
    """
    named = zip(parts, PARTS, strict=True)
    known = [None if part is None else _known(part, name) for part, name in named]
    changes = [None if part is None else _change(part, scaler) for part in known]
    notes = [
        f"{name}: {lost} windows left out, no value of the target is known before"
        for name, part, own in zip(PARTS, parts, known, strict=True)
        if part is not None and own is not None and (lost := len(part) - len(own))
    ]
    assert known[0] is not None
    assert changes[0] is not None
    fitted = _fitted(known[0], changes[0], options)
    made = [
        None if part is None or change is None else _changed(part, change, scaler, fitted)
        for part, change in zip(known, changes, strict=True)
    ]
    count = len(options.target)
    pairs = zip(fitted.scale[:count].tolist(), fitted.shift[:count].tolist(), strict=True)
    return Changes(tuple(made), tuple(Scale(*pair) for pair in pairs), tuple(notes))


def _known(part: SequenceSet, name: str) -> SequenceSet:
    there = ~np.isnan(np.asarray(part.latest)).any(axis=1)
    if not there.any():
        raise DataError(
            f"the {name} part has no window with a known value of the target to take the change "
            "from; set data.target_transform: none."
        )
    return part if there.all() else taken(part, np.flatnonzero(there))


def _base(part: SequenceSet, scaler: ColumnScaler) -> Array:
    """Return the newest known values `(windows, outputs)` in the scale of the part's targets."""
    base = scaler.apply(np.asarray(part.latest, dtype=np.float64))
    if part.rescale is None:
        return base
    factor, offset = np.asarray(part.rescale).transpose(1, 0, 2)
    return np.asarray((base - offset) / factor)


def _change(part: SequenceSet, scaler: ColumnScaler) -> Array:
    """Return each window's targets less the newest known values, `(windows, outputs)`."""
    targets = part.targets  # the same at every step
    runs = targets.array[:, 0][targets.rows] if isinstance(targets, Picked) else targets[:, 0]
    return np.asarray(runs - _base(part, scaler))


def _fitted(part: SequenceSet, change: Array, options: WindowOptions) -> ColumnScaler:
    """Fit each target's change over all steps; `(outputs,)` scale and shift."""
    shown = np.ones(change.shape, dtype=np.bool_)
    if part.target_mask is not None:
        mask: Array = np.asarray(np.asarray(part.target_mask).any(axis=1))
        shown = np.broadcast_to(mask if mask.ndim == 2 else mask[:, None], change.shape)
    scaling = options.scaling if options.scale_targets else "none"
    count = len(options.target)
    fits = [
        fit_scaler(change[:, place::count][shown[:, place::count]][:, None], scaling)
        for place in range(count)
    ]
    each = (np.array([getattr(fit, name)[0] for fit in fits]) for name in ("scale", "shift"))
    return ColumnScaler(*(np.tile(numbers, options.output_steps) for numbers in each))


def _changed(
    part: SequenceSet, change: Array, scaler: ColumnScaler, fitted: ColumnScaler
) -> SequenceSet:
    """Return the part with scaled changes for targets, and what makes values of them again."""
    scaled = fitted.apply(change).astype(np.float32)
    factor = np.broadcast_to(fitted.scale, change.shape)
    offset = fitted.shift + _base(part, scaler)
    if part.rescale is not None:
        before, shift = np.asarray(part.rescale).transpose(1, 0, 2)
        factor, offset = factor * before, offset * before + shift
    return replace(
        part,
        targets=np.broadcast_to(scaled[:, None], part.targets.shape),
        rescale=np.stack([factor, offset], axis=1),
    )
