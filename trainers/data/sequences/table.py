"""Tables as labelled sequences of unequal length: long format, or one file a sequence.

Sequences are padded on the right under masks. Labels lie in the same rows, or in a file or folder
of their own, aligned to the steps as `alignment.py` says. Whole sequences are divided into parts;
scalers see existing steps of the training part only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from trainers.data.classes import ClassWeights, class_ids, class_weights, missing_classes_note
from trainers.data.contract import Array, SequenceData, SequenceSet, Task
from trainers.data.division import PARTS, divide, require_shares
from trainers.data.files import find_files
from trainers.data.options import means, path_means, require
from trainers.data.padding import padded
from trainers.data.reading import TableReading
from trainers.data.scaling import ColumnScaler, fit_scaler, joined
from trainers.data.sequences.alignment import Aligned, Alignment, align
from trainers.data.sequences.grouping import (
    TABLE_ENDINGS,
    Groups,
    Table,
    columns_of,
    constant_of,
    group,
    notes_of,
    read_folder,
    read_long,
    values_of,
)
from trainers.data.source import Source
from trainers.data.tables.columns import Missing, numeric_columns, require_columns
from trainers.data.tables.formats import table_stem
from trainers.data.tables.reading_options import ReadingOptions
from trainers.errors import DataError


@dataclass(frozen=True)
class TableOptions:
    """Which tables, which columns, how labels are aligned and sequences divided."""

    target: tuple[str, ...] = field(metadata=means("column(s) to predict; one for classification"))
    task: Task = field(metadata=means("what the targets are: numbers or classes"))
    path: str | None = field(
        default=None, metadata=path_means("long format: table of any format, one row a step")
    )
    folder: str | None = field(
        default=None, metadata=path_means("instead of path: folder or pattern, one file a sequence")
    )
    sequence: str | None = field(
        default=None, metadata=means("column of sequence ids, for a file of many sequences")
    )
    order: str | None = field(
        default=None, metadata=means("column of numbers or dates; null: rows as they come")
    )
    inputs: tuple[str, ...] | None = field(
        default=None, metadata=means("input columns; null: every numeric one that is nothing else")
    )
    drop: tuple[str, ...] = field(default=(), metadata=means("columns to leave out of inputs"))
    labels: str | None = field(
        default=None,
        metadata=path_means(
            "targets' own file (ids in `sequence`) or folder (files of equal names)"
        ),
    )
    alignment: Alignment = field(
        default="equal", metadata=means("how labels stand to steps; one_label: one a sequence")
    )
    split: tuple[float, ...] = field(
        default=(0.7, 0.15, 0.15),
        metadata=means("shares of train, validation and test; whole sequences, test may be 0"),
    )
    split_column: str | None = field(
        default=None, metadata=means("instead of split: column of train, validation or test")
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    scaling: Literal["minmax", "standard", "none"] = field(
        default="standard", metadata=means("fitted on training steps; metrics are in own units")
    )
    missing: Missing = field(
        default="error",
        metadata=means("mask: a row with a missing input becomes a gap, a missing target none"),
    )
    class_weights: ClassWeights = field(
        default="none", metadata=means("none, balanced, or one number a class")
    )
    units: str = field(default="", metadata=means("the targets' unit, for tables"))
    reading: ReadingOptions = field(
        default=ReadingOptions(), metadata=means("how the files are to be understood")
    )

    def __post_init__(self) -> None:
        if (self.path is None) == (self.folder is None):
            raise DataError(
                f"a table needs data.path or data.folder, but got path={self.path!r}, "
                f"folder={self.folder!r}; set one of them."
            )
        if self.path is not None and self.sequence is None:
            raise DataError("data.path needs the column of sequence ids: set data.sequence.")
        require(len(self.target) > 0, "at least one target", "target", list(self.target))
        one = self.task == "regression" or len(self.target) == 1
        require(one, "one target for classification", "target", list(self.target))
        weighed = self.task == "classification" or self.class_weights == "none"
        require(weighed, "class_weights only for classes", "class_weights", self.class_weights)
        require_shares(self.split)
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)


@dataclass(frozen=True)
class _Labels:
    """Targets of every row `(rows, outputs)`, NaN where missing, and the classes' names."""

    values: Array
    groups: Groups
    classes: tuple[str, ...]


def load_table(options: TableOptions, base_dir: Path) -> SequenceData:
    """Read the tables and lay them out as padded sequences.

    Raises:
        DataError: a file, a column or a value is not as it must be, or a part gets no sequence.
    """
    tables, name = _tables(options, base_dir)
    label_tables = _label_tables(options, base_dir) or tables
    groups = group(tables, options.sequence, options.order)
    names = _input_names(tables[0], options)
    inputs = columns_of(tables, names, options.missing)
    labels = _labels(label_tables, options)
    sequences, notes = _aligned(inputs, groups, labels, options)
    rows = _divided(sequences, labels, tables, label_tables, options)
    data = _assemble(name, options, list(sequences.values()), rows, (labels.classes, notes))
    reading = TableReading(tuple(names), options.sequence, options.order, tables[0].reading)
    own = notes_of([*tables, *(label_tables if label_tables is not tables else ())])
    return replace(data, input_names=tuple(names), reading=reading, notes=(*own, *data.notes))


def _tables(options: TableOptions, base_dir: Path) -> tuple[list[Table], str]:
    if options.path is not None:
        path = base_dir / Path(options.path).expanduser()
        return read_long(path, options.reading), table_stem(path)
    files = find_files(options.folder or "", base_dir, "folder", TABLE_ENDINGS)
    return read_folder(files, options.reading), files[0].parent.name


def _label_tables(options: TableOptions, base_dir: Path) -> list[Table]:
    if options.labels is None:
        return []
    path = base_dir / Path(options.labels).expanduser()
    if path.is_file():
        return read_long(path, options.reading)
    files = find_files(options.labels, base_dir, "labels", TABLE_ENDINGS)
    return read_folder(files, options.reading)


def _input_names(table: Table, options: TableOptions) -> list[str]:
    require_columns(table.frame, options.drop, "drop")
    others = {options.sequence, options.order, options.split_column, *options.drop}
    if options.inputs is not None:
        leaks = [name for name in options.inputs if name in options.target]
        if leaks and options.labels is None:
            raise DataError(f"the target {leaks[0]!r} can't be its own input; leave it out.")
        names = [name for name in options.inputs if name not in options.drop]
    else:
        own_targets = set(options.target) if options.labels is None else set()
        names = numeric_columns(table.frame, others | own_targets)
    if not names:
        raise DataError(
            f"at least one input column is needed, but {table.path.name} has no numeric column "
            "beside ids, order and targets."
        )
    return names


def _labels(tables: Sequence[Table], options: TableOptions) -> _Labels:
    # A file of one label a sequence has no order.
    has_order = options.order is not None and options.order in tables[0].frame.columns
    groups = group(tables, options.sequence, options.order if has_order else None)
    if options.task == "regression":
        return _Labels(columns_of(tables, options.target, options.missing), groups, ())
    raw = values_of(tables, options.target[0], options.missing)
    ids, classes = class_ids([value for value in raw if value is not None])
    values = np.full((len(raw), 1), np.nan)
    values[[row for row, value in enumerate(raw) if value is not None], 0] = ids
    return _Labels(values, groups, classes)


def _aligned(
    inputs: Array, groups: Groups, labels: _Labels, options: TableOptions
) -> tuple[dict[str, Aligned], list[str]]:
    """Every sequence with its labels, by id; those without a target or a step are dropped."""
    found = dict(zip(labels.groups.names, labels.groups.rows, strict=True))
    _check_ids(groups.names, found, options)
    kept = {}
    for name, rows in zip(groups.names, groups.rows, strict=True):
        if name not in found:
            continue
        one = align(inputs[rows], labels.values[found[name]], options.alignment, name)
        if not np.isnan(one.targets).all():
            kept[name] = one
    dropped = len(groups.names) - len(kept)
    if not kept:
        raise DataError(f"none of the {dropped} sequences has a target on a step that exists.")
    return kept, [f"{dropped} sequences dropped: no target"] if dropped else []


def _check_ids(names: Sequence[str], found: Collection[str], options: TableOptions) -> None:
    """Check that labels and inputs are of the same sequences."""
    have = set(names)
    strangers = [name for name in found if name not in have]
    if strangers:
        raise DataError(
            f"labels need a sequence of inputs, but {len(strangers)} have none, the first for "
            f"{strangers[0]!r}; the inputs' ids are like {names[0]!r}."
        )
    unlabelled = [name for name in names if name not in found]
    if unlabelled and options.missing == "error":
        raise DataError(
            f"every sequence needs labels, but {len(unlabelled)} have none, the first "
            f"{unlabelled[0]!r}; add them, or drop these sequences with data.missing: mask."
        )


def _divided(
    sequences: dict[str, Aligned],
    labels: _Labels,
    tables: Sequence[Table],
    label_tables: Sequence[Table],
    options: TableOptions,
) -> list[Array]:
    """Numbers of each part's sequences; stratified where each has one class."""
    if options.split_column is None:
        one = options.alignment == "one_label" and options.task == "classification"
        classes = [np.nanmax(sequence.targets) for sequence in sequences.values()] if one else []
        of_classes = np.array(classes, dtype=np.int64) if one else None
        return divide(len(sequences), options.split, options.seed, of_classes)
    column = options.split_column
    where = label_tables if column in label_tables[0].frame.columns else tables
    groups = labels.groups if where is label_tables else group(where, options.sequence, None)
    values = constant_of(groups, values_of(where, column, "error"), "split_column", column)
    part_of = dict(zip(groups.names, values, strict=True))
    wrong = [value for value in values if value not in PARTS]
    if wrong:
        raise DataError(
            f"data.split_column: column {column!r} must hold train, validation or test, but got "
            f"{wrong[0]!r}."
        )
    chosen = [part_of[name] for name in sequences]
    rows = [np.flatnonzero([value == part for value in chosen]) for part in PARTS]
    for part, own in zip(PARTS[:2], rows[:2], strict=True):
        if len(own) == 0:
            raise DataError(f"data.split_column: no sequence of {column!r} is in the {part} part.")
    return rows


def _assemble(
    name: str,
    options: TableOptions,
    sequences: Sequence[Aligned],
    rows: Sequence[Array],
    told: tuple[tuple[str, ...], list[str]],
) -> SequenceData:
    classes, notes = told
    train = [sequences[row] for row in rows[0]]
    scaler = _input_scaler(train, options)
    target_scaler = _target_scaler(train, options)
    sets = {
        part: _part([sequences[row] for row in chosen], scaler, target_scaler)
        for part, chosen in zip(PARTS, rows, strict=True)
        if len(chosen)
    }
    is_regression = target_scaler is not None
    extra = [] if is_regression else missing_classes_note(sets["train"], classes)
    return SequenceData(
        name=name,
        task=options.task,
        train=sets["train"],
        validation=sets["validation"],
        test=sets.get("test"),
        input_size=sets["train"].inputs.shape[2],
        output_size=len(options.target) if is_regression else len(classes),
        digest="",
        target_scale=target_scaler.scale if target_scaler is not None else None,
        target_shift=target_scaler.shift if target_scaler is not None else None,
        target_names=options.target if is_regression else classes,
        units=options.units,
        one_target=options.alignment == "one_label",
        notes=(*notes, *_counts(sets), *extra),
        class_weights=(
            None if is_regression else class_weights(options.class_weights, sets["train"], classes)
        ),
        input_scale=scaler.scale,
        input_shift=scaler.shift,
    )


def _input_scaler(train: Sequence[Aligned], options: TableOptions) -> ColumnScaler:
    steps = np.concatenate([one.inputs[one.brought & one.exists] for one in train])
    if len(steps) == 0:
        raise DataError("no training step is without a missing input; leave out a column.")
    return fit_scaler(steps, options.scaling)


def _target_scaler(train: Sequence[Aligned], options: TableOptions) -> ColumnScaler | None:
    """Fit each output on its own valid targets; None for classes."""
    if options.task == "classification":
        return None
    targets = np.concatenate([one.targets for one in train])
    scalers = []
    for name, column in zip(options.target, targets.T, strict=True):
        valid = column[~np.isnan(column)]
        if len(valid) == 0:
            raise DataError(f"target {name!r} is missing in the whole training part.")
        scalers.append(fit_scaler(valid[:, None], options.scaling))
    return joined(scalers)


def _part(
    sequences: Sequence[Aligned], scaler: ColumnScaler, target_scaler: ColumnScaler | None
) -> SequenceSet:
    scaled = [
        np.where(one.brought[:, None], np.nan_to_num(scaler.apply(one.inputs)), 0)
        for one in sequences
    ]
    inputs, in_length = padded([one.astype(np.float32) for one in scaled])
    exists, _ = padded([one.exists for one in sequences], fill=False)
    targets, _ = padded([one.targets for one in sequences], fill=np.nan)
    shown = ~np.isnan(targets)
    return SequenceSet(
        inputs=inputs,
        targets=_targets(targets, target_scaler),
        input_mask=None if in_length is None and exists.all() else exists,
        target_mask=_target_mask(shown),
    )


def _targets(values: Array, scaler: ColumnScaler | None) -> Array:
    if scaler is None:
        return np.nan_to_num(values[..., 0]).astype(np.int64)
    return np.nan_to_num(scaler.apply(values)).astype(np.float32)


def _target_mask(shown: Array) -> Array | None:
    """`(sequences, time)`, or by output where only some are missing; None when all are shown."""
    if shown.all():
        return None
    steps = np.asarray(shown.all(axis=2))
    return steps if (steps == shown.any(axis=2)).all() else shown


def _counts(sets: dict[str, SequenceSet]) -> list[str]:
    lines = []
    for name, part in sets.items():
        gaps = 0 if part.input_mask is None else _gaps(part.input_mask)
        tail = f", {gaps} of their steps are gaps" if gaps else ""
        lines.append(f"{name}: {len(part)} sequences of up to {part.time_steps} steps{tail}")
    return lines


def _gaps(mask: Array) -> int:
    """Masked steps before a row's last existing one."""
    steps = mask.shape[1]
    lengths = steps - mask[:, ::-1].argmax(axis=1)
    return int(lengths.sum() - mask.sum())


TABLE = Source(TableOptions, load_table)
