"""The `csv` source: windows over long series, as views: nothing is copied per window.

Every series is divided in time *by target row*, and inputs of validation and test may reach back
into the part before, so that trials with different `input_steps` are judged on the same targets.
Scales and vocabularies see training rows only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainers.data.classes import class_weights, missing_classes_note
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.features.ahead import ahead_of_rows
from trainers.data.features.encoding import Fitted, encode, fit_encoding
from trainers.data.features.input_columns import (
    category_column,
    embedded_categories,
    number_column,
)
from trainers.data.features.recipe import InputColumn, Recipe
from trainers.data.features.rows import Rows
from trainers.data.features.scales import Fit
from trainers.data.finding import Finding
from trainers.data.findings.judge import table_findings
from trainers.data.findings.judged import JudgedTable
from trainers.data.folds import Folds, told
from trainers.data.scaling import ColumnScaler
from trainers.data.series.changes import Changes, changes_of, check_changes
from trainers.data.series.columns import Chosen, check_target, choose_columns
from trainers.data.series.constant import constant_columns
from trainers.data.series.cutting import Series, cut
from trainers.data.series.opening import table_of
from trainers.data.series.options import WindowOptions
from trainers.data.series.parts import parts_of, training_rows
from trainers.data.series.past import Past, past_of
from trainers.data.series.reading import WindowReading
from trainers.data.series.rolling import fold_error, fold_line, fold_parts, origin_of
from trainers.data.series.rows import long_form, rows_of
from trainers.data.series.spans import Parts
from trainers.data.series.targets import Targets, rescaled, targets_of
from trainers.data.source import Source
from trainers.data.tables.columns import matrix
from trainers.data.tables.formats import table_stem
from trainers.data.tables.gathering import release_freed
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions, carried
from trainers.data.tables.request import TableRead
from trainers.data.times.cycles import Calendar, calendar_of
from trainers.data.times.public_holidays import Holidays
from trainers.data.views import as_range
from trainers.errors import DataError


def load_windows(options: WindowOptions, base_dir: Path, tables: TableReader) -> SequenceData:
    """Read the file and cut it into windows.

    Raises:
        DataError: the file, a column or a value is not as it must be, or a part has no room.
    """
    # Nobody holds the table but the one who takes it apart: it may be larger than the windows.
    return _divided(table_of(options, base_dir, tables), options, _name(options, base_dir), None)[0]


def load_window_folds(
    options: WindowOptions, base_dir: Path, tables: TableReader, folds: Folds
) -> list[SequenceData]:
    """Read the file and cut it into the windows of each fold, encoded and scaled for itself.

    Raises:
        DataError: as `load_windows`, or there are too few rows for so many folds.
    """
    read = table_of(options, base_dir, tables)
    return folds_from_table(read, options, _name(options, base_dir), folds)


def windows_from_table(read: TableRead, options: WindowOptions, name: str) -> SequenceData:
    """Cut a table whose rows are time steps into windows; see `load_windows`."""
    return _divided(read, options, name, None)[0]


def folds_from_table(
    read: TableRead, options: WindowOptions, name: str, folds: Folds
) -> list[SequenceData]:
    """Cut such a table into the windows of each fold; see `load_window_folds`."""
    return _divided(read, options, name, folds)


def _name(options: WindowOptions, base_dir: Path) -> str:
    return table_stem(base_dir / Path(options.path).expanduser())


def _divided(
    read: TableRead, options: WindowOptions, name: str, folds: Folds | None
) -> list[SequenceData]:
    """The data set, or each of its folds."""
    frame = long_form(read.frame, options.rows).copy(deep=False)
    source = _Source(read.reading, read.notes)
    del read
    chosen = choose_columns(frame, options)
    check_target(frame, options)
    check_changes(chosen, options)
    rows = rows_of(frame, options.rows)
    del frame
    for column in {*(options.time_column or ())} & {*rows.frame.columns} - {*chosen.own}:
        rows.frame.pop(column)
    _check_resampled(rows, chosen, options)
    table = _Table(name, rows, chosen, source, table_findings(_judged(rows, chosen, options)))
    if folds is None:
        return [_windows(table, parts_of(rows, options), options)]
    found, divided = list[SequenceData](), fold_parts(rows, options, folds)
    for number, parts in enumerate(divided):
        # Encoding takes the columns out of the table; the last fold may have it.
        copied = replace(rows, frame=rows.frame.copy(deep=False))
        own = table if number == folds.count - 1 else replace(table, rows=copied)
        try:
            data = _windows(own, parts, options)
        except DataError as error:
            raise fold_error(number, folds, error) from error
        found.append(replace(data, origin=origin_of(parts, rows, folds)))
    if folds.within == "test":
        return found
    return told(found, lines=[fold_line(parts, rows) for parts in divided])


def _windows(table: _Table, parts: Parts, options: WindowOptions) -> SequenceData:
    """Encode a table's rows by those of the training part, and cut them into windows."""
    rows, chosen = table.rows, table.chosen
    train = training_rows(parts, rows)
    fit = Fit(options.scaling, options.scale_by == "series", options.input_steps)
    recipe, said = _recipe(chosen, rows, options, train)
    fitted = fit_encoding(recipe, rows, train, fit, _static(rows, chosen, options))
    constant = constant_columns(rows, chosen.own)
    past = past_of(rows, options, train)
    series, targets, gaps = _series(fitted, rows, options, train)
    sets, lines = cut(series, parts, options.geometry, rows.said)
    notes = (*table.source.notes, *chosen.notes, *rows.notes, *said, *gaps, *lines)
    if past is not None:
        sets = [past.told(part, options.ahead) for part in sets]
    made = _Made(
        rows, fitted, targets, sets, notes, table.source.reading, table.findings, past, constant
    )
    return _assemble(table.name, options, made)


@dataclass(frozen=True)
class _Table:
    """A table whose columns are chosen and whose rows are in order."""

    name: str
    rows: Rows
    chosen: Chosen
    source: _Source
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Made:
    """What `_assemble` puts together."""

    rows: Rows
    fitted: Fitted
    targets: Targets
    sets: Sequence[SequenceSet | None]
    notes: tuple[str, ...]
    reading: ReadingOptions
    findings: tuple[Finding, ...]
    past: Past | None
    constant: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    """What is kept of a table that was read."""

    reading: ReadingOptions
    notes: tuple[str, ...]


def _check_resampled(rows: Rows, chosen: Chosen, options: WindowOptions) -> None:
    """Even steps may leave rows without values, which must be allowed."""
    if options.resample is None or options.missing != "error":
        return
    used = list(dict.fromkeys((*chosen.own, *options.known_ahead, *options.target)))
    empty = int(rows.frame[used].isna().any(axis=1).sum())
    if empty:
        raise DataError(
            f"data.resample={options.resample} leaves {empty} of {len(rows.frame)} rows without a "
            "value; make gaps of them with data.missing: mask, or fill them with data.missing: "
            "fill."
        )


def _judged(rows: Rows, chosen: Chosen, options: WindowOptions) -> JudgedTable:
    """What is looked at for what is wrong with it."""
    used = {*options.target, *options.known_ahead}
    left_out = [n for n in options.drop if n in rows.frame.columns and n not in used]
    return JudgedTable(
        rows.frame.drop(columns=left_out),
        targets=options.target,
        inputs=chosen.own,
        known=options.known_ahead,
        times=options.time_column or (),
        series=options.series or (),
        bounds=rows.bounds,
        ahead=range(options.ahead, options.ahead + options.output_steps),
        input_steps=options.input_steps,
        classes=options.task == "classification",
        said=rows.said,
    )


def _recipe(
    chosen: Chosen, rows: Rows, options: WindowOptions, train: Array
) -> tuple[Recipe, list[str]]:
    """What is made of which columns: categories' values and fillings from training rows; notes."""

    def column(name: str) -> InputColumn:
        make = category_column if name in chosen.categories else number_column
        return make(rows.frame, name, train, options.column_rules)

    calendar, notes = Calendar(()), list[str]()
    if rows.instants is not None and rows.step is not None:
        calendar, notes = calendar_of(options.calendar, rows.step, rows.instants)
    recipe = Recipe(
        columns=tuple(column(name) for name in chosen.own),
        known=tuple(column(name) for name in options.known_ahead),
        calendar=calendar,
        elapsed=options.elapsed,
        holidays=None if options.holidays is None else Holidays(options.holidays),
        steps_ahead=options.ahead,
        output_steps=options.output_steps,
        step=rows.step,
    )
    if recipe.holidays is not None and rows.instants is not None:
        notes += [note for note in [recipe.holidays.note(rows.instants.local())] if note]
    return recipe, notes


def _static(rows: Rows, chosen: Chosen, options: WindowOptions) -> frozenset[str]:
    """Columns of numbers that are constant in every series, where there are several.

    Raises:
        DataError: a column of `data.static` is not.
    """
    if len(rows.names) < 2:
        return frozenset()
    asked = options.static
    numbers = [name for name in asked or chosen.own if name not in chosen.categories]
    found = []
    same = rows.codes[1:] == rows.codes[:-1]
    for name in numbers:
        values = matrix(rows.frame, [name], "mask")[:, 0]
        changes = np.flatnonzero(same & (values[1:] != values[:-1]))
        if not len(changes):
            found.append(name)
        elif asked is not None:
            raise DataError(
                f"data.static: column {name!r} must be the same over a series, but changes in "
                f"series {rows.names[rows.codes[changes[0]]]!r} at {rows.said(changes[0] + 1)}."
            )
    return frozenset(found)


def _series(
    fitted: Fitted, rows: Rows, options: WindowOptions, train: Array
) -> tuple[Series, Targets, list[str]]:
    """What windows are views of; also a note on rows with gaps."""
    targets = targets_of(rows, options, train, fitted.encoding.fit)
    release_freed()
    inputs = encode(fitted.encoding, rows, consume=True)  # nobody needs the table after that
    recipe = fitted.encoding.recipe
    present = inputs.present
    if not inputs.known.all():
        # Past the end of a series nothing is known, and no window ends there.
        place = np.arange(len(rows.codes)) + recipe.ahead.stop - 1
        past = place >= rows.bounds[1:][rows.codes]
        present = present & (inputs.known | past)
    gaps = int((~present).sum())
    series = Series(
        inputs=inputs.values,
        targets=targets.values,
        bounds=rows.bounds,
        input_present=present if gaps else None,
        target_present=None if targets.present.all() else targets.present,
        ahead=None if options.targets == "every" else ahead_of_rows(fitted.encoding, rows),
    )
    said = f"{gaps} of {len(present)} rows have gaps in their inputs"
    return series, targets, [said] if gaps else []


def _assemble(name: str, options: WindowOptions, made: _Made) -> SequenceData:
    targets, fitted, horizons = made.targets, made.fitted, options.output_steps
    numbers = bool(targets.scales)
    scaler = ColumnScaler(
        *(np.tile([getattr(s, n) for s in targets.scales], horizons) for n in ("scale", "shift"))
    )
    sets = [rescaled(part, targets, made.rows, horizons) for part in made.sets]
    changes = changes_of(sets, scaler, options) if options.differs else None
    train, validation, test = sets if changes is None else changes.parts
    if train is None or validation is None:
        raise DataError("data.split must leave rows for train and validation.")
    notes = made.notes if changes is None else (*made.notes, *changes.notes)
    labels = not numbers and not targets.classes
    scales = fitted.encoding.scales
    return SequenceData(
        name=name,
        task="regression" if numbers else "classification",
        train=train,
        validation=validation,
        test=test,
        input_size=len(scales),
        output_size=len(targets.classes) or len(options.target) * horizons,
        digest="",
        target_scale=scaler.scale if numbers else None,
        target_shift=scaler.shift if numbers else None,
        target_names=targets.classes or _target_names(options),
        units=options.units,
        target_transform=options.transform,
        one_target=options.targets == "last",
        notes=notes if numbers or labels else (
            *notes, *missing_classes_note(train, targets.classes)
        ),
        class_weights=(
            class_weights(options.class_weights, train, targets.classes)
            if targets.classes else None
        ),
        input_scale=np.array([scale.scale for scale in scales]),
        input_shift=np.array([scale.shift for scale in scales]),
        input_names=fitted.names,
        series=made.rows.names,
        reading=_reading(options, made, changes),
        categories=embedded_categories(fitted, options.embedding_size),
        findings=made.findings,
        times=_times(made.rows),
        horizon=horizons,
        past_targets=_past_targets(options, made),
        season=None if made.past is None else made.past.season,
        seasonal_errors=None if made.past is None else made.past.errors,
    )  # fmt: skip


def _times(rows: Rows) -> Array | range | None:
    if rows.instants is None:
        return None
    local = rows.instants.local()
    even = as_range(local)
    return local if even is None else even


def _past_targets(options: WindowOptions, made: _Made) -> tuple[int, ...]:
    """Which features are the targets' own past, where all are inputs and scaled alike."""
    alike = options.scale_targets and options.target_transform == "none"
    if not (alike and made.targets.scales and {*options.target} <= {*made.fitted.names}):
        return ()
    return tuple(made.fitted.names.index(name) for name in options.target)


def _reading(options: WindowOptions, made: _Made, changes: Changes | None) -> WindowReading:
    instants = made.rows.instants
    return WindowReading(
        rows=options.rows if instants is None else options.rows.settled(instants.options),
        table=carried(options.reading, made.reading),
        encoding=made.fitted.encoding,
        input_steps=options.input_steps,
        targets=options.target,
        scales=made.targets.scales,
        transform=options.transform,
        changes=() if changes is None else changes.scales,
        step=made.rows.step,
        constant=made.constant,
    )


def _target_names(options: WindowOptions) -> tuple[str, ...]:
    if options.output_steps == 1:
        return options.target
    ahead = range(options.ahead, options.ahead + options.output_steps)
    return tuple(f"{name}+{step}" for step in ahead for name in options.target)


CSV = Source(WindowOptions, load_windows, reads_tables=True, load_folds=load_window_folds)
