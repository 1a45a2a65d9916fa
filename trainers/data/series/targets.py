"""What is predicted of each row: numbers, one class, or several labels that may all hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trainers.data.classes import class_ids, label_name
from trainers.data.contract import Array, Picked, SequenceSet
from trainers.data.features.rows import Rows
from trainers.data.features.scales import Fit, Scale
from trainers.data.series.columns import class_labels
from trainers.data.series.options import WindowOptions
from trainers.data.tables.columns import matrix
from trainers.data.transforms import transformed
from trainers.errors import DataError

_TRUTH = {"0": 0.0, "1": 1.0, "False": 0.0, "True": 1.0, "false": 0.0, "true": 1.0}


@dataclass(frozen=True)
class Targets:
    """Targets of all rows.

    Attributes:
        values: `(rows, outputs)` float32, scaled; or class ids `(rows,)` int64. Anything where
            missing.
        present: `(rows, outputs)` bool; one output for ids.
        scales: One a target, for numbers; otherwise none.
        classes: The classes' names, for ids; otherwise none.
        row_scales: `(2, rows, outputs)` scale and shift of each row's numbers; None where all rows
            share them.
    """

    values: Array
    present: Array
    scales: tuple[Scale, ...] = ()
    classes: tuple[str, ...] = ()
    row_scales: Array | None = None


def targets_of(rows: Rows, options: WindowOptions, train: Array, fit: Fit) -> Targets:
    """Read the targets, and fit their scales to the training rows.

    Raises:
        DataError: they are missing where they may not be, or not what the task asks for.
    """
    if options.task == "classification":
        return _classes(rows, options) if len(options.target) == 1 else _labels(rows, options)
    raw = matrix(rows.frame, options.target, "error" if options.missing == "error" else "mask")
    raw = transformed(raw, options.transform, options.target, rows.placed)
    present = ~np.isnan(raw)
    values = np.empty(raw.shape, dtype=np.float32)
    fit = fit if options.scale_targets else Fit("none")
    scales, by_row = [], np.empty((2, *raw.shape)) if fit.by_series else None
    for place, (name, column) in enumerate(zip(options.target, raw.T, strict=True)):
        known = train & present[:, place]
        if not known.any():
            raise DataError(f"target {name!r} is missing in the whole training part.")
        one = fit.of(column, rows, known)
        scale, shift = one.of_rows(column, rows, fit)
        values[:, place] = np.where(present[:, place], (column - shift) / scale, 0.0)
        scales.append(one)
        if by_row is not None:
            by_row[0, :, place], by_row[1, :, place] = scale, shift
    return Targets(values, present, tuple(scales), row_scales=by_row)


def rescaled(
    part: SequenceSet | None, targets: Targets, rows: Rows, output_steps: int
) -> SequenceSet | None:
    """Return a part whose windows know the scale of their series, where each has its own."""
    by_row = targets.row_scales
    if part is None or by_row is None or part.series is None:
        return part
    first = rows.bounds[:-1]  # a series' rows share its scale
    common = np.array([[s.scale, s.shift] for s in targets.scales]).T
    factor = by_row[0, first] / common[0]
    offset = (by_row[1, first] - common[1]) / common[0]
    table = np.stack([factor, offset], axis=1)  # (series, 2, targets)
    table = np.tile(table, (1, 1, output_steps))
    return replace(part, rescale=Picked(table, part.series))


def _classes(rows: Rows, options: WindowOptions) -> Targets:
    labels = class_labels(rows.frame, options.target[0], error=options.missing == "error")
    present = np.array([label is not None for label in labels])
    found, names = class_ids([label for label in labels if label is not None])
    ids = np.zeros(len(labels), dtype=np.int64)
    ids[present] = found
    return Targets(ids, present[:, None], classes=names)


def _labels(rows: Rows, options: WindowOptions) -> Targets:
    """Several columns of 0 and 1: labels that do not exclude each other."""
    columns = []
    for name in options.target:
        labels = class_labels(rows.frame, name, error=options.missing == "error")
        wrong = [n for n, v in enumerate(labels) if v is not None and label_name(v) not in _TRUTH]
        if wrong:
            raise DataError(
                f"several targets of classification hold 0 and 1 each, but {name!r} has "
                f"{labels[wrong[0]]!r} in data row {wrong[0]} (counted from 0); predict one target "
                "of several classes, or set data.task to regression."
            )
        columns.append([np.nan if v is None else _TRUTH[label_name(v)] for v in labels])
    values = np.array(columns, dtype=np.float64).T
    present = ~np.isnan(values)
    return Targets(np.nan_to_num(values).astype(np.float32), present)
