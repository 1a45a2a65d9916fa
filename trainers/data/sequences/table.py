"""Tables as labelled sequences of unequal length: long format, or one file a sequence.

Sequences are padded on the right under masks. Labels lie in the same rows, or in a file or folder
of their own, aligned to the steps as `alignment.py` says. Whole sequences are divided into parts,
or parts have files of their own; scalers see existing steps of the training part only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainers.data.classes import class_ids
from trainers.data.contract import Array, SequenceData
from trainers.data.division import with_given_parts
from trainers.data.files import find_files, require_different_files
from trainers.data.finding import Finding, gravest_first
from trainers.data.findings.judge import column_findings, table_findings
from trainers.data.findings.judged import JudgedTable
from trainers.data.findings.sentinels import MARKS
from trainers.data.folds import Folds, fold_line, require_undivided, told
from trainers.data.sequences.alignment import Aligned, align
from trainers.data.sequences.assembling import Layout, assemble
from trainers.data.sequences.grouping import (
    TABLE_ENDINGS,
    Groups,
    Table,
    columns_of,
    group,
    notes_of,
    read_folder,
    read_long,
    values_of,
)
from trainers.data.sequences.inputs import RawInputs, encode_inputs, raw_inputs
from trainers.data.sequences.parting import Pool, parted
from trainers.data.sequences.reading import TableReading
from trainers.data.sequences.table_options import TableOptions
from trainers.data.source import Source
from trainers.data.tables.formats import table_stem
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.transforms import transformed
from trainers.errors import DataError


@dataclass(frozen=True)
class _Files:
    """Tables of inputs and of labels, the same ones where labels have no file of their own."""

    tables: list[Table]
    labels: list[Table]


@dataclass(frozen=True)
class _Labels:
    """Targets of all rows `(rows, columns)`, NaN where missing, and whose they are."""

    values: Array
    groups: Groups


def load_table(options: TableOptions, base_dir: Path, reader: TableReader) -> SequenceData:
    """Read the tables and lay them out as padded sequences.

    Raises:
        DataError: a file, a column or a value is not as it must be, or a part gets no sequence.
    """
    return _loaded(options, base_dir, reader, None)[0]


def load_table_folds(
    options: TableOptions, base_dir: Path, reader: TableReader, folds: Folds
) -> list[SequenceData]:
    """Lay out each fold of the sequences, encoded and scaled for itself.

    Raises:
        DataError: as `load_table`, or there are fewer sequences than folds.
    """
    folds.check_sequences("table")
    require_undivided(options.given_parts)
    return _loaded(options, base_dir, reader, folds)


def _loaded(
    options: TableOptions, base_dir: Path, reader: TableReader, folds: Folds | None
) -> list[SequenceData]:
    files, name = _files(options, base_dir, reader)
    raw = raw_inputs({part: own.tables for part, own in files.items()}, options)
    labels, classes = _labels(files, options)
    findings = _findings(raw, labels, options)
    labels = {part: _transformed(own, files[part].labels, options) for part, own in labels.items()}
    found = {part: _aligned(raw, part, labels[part], options) for part in files}
    kept = {part: own for part, (own, _) in found.items()}
    own = files["train"]
    pool = Pool(kept["train"], own.tables, own.labels, labels["train"].groups)
    rows = parted(pool, options, folds)
    given = {part: len(own) for part, own in kept.items() if part != "train"}
    layout = Layout(
        name=name,
        task=options.task,
        targets=classes or options.target,
        one_target=options.alignment == "one_label",
        scaling=options.scaling,
        class_weights=options.class_weights,
        units=options.units,
        scale_targets=options.scale_targets,
        target_transform=options.target_transform,
    )
    made = _Made(files, raw, kept, findings, _notes(files, raw, sum(n for _, n in found.values())))
    laid = [_assembled(made, layout, with_given_parts(parts, given), options) for parts in rows]
    return laid if folds is None else told(laid, lines=[fold_line(*parts[:2]) for parts in rows])


@dataclass(frozen=True)
class _Made:
    """Sequences that are read and aligned, not divided yet."""

    files: Mapping[str, _Files]
    raw: RawInputs
    kept: Mapping[str, Mapping[str, Aligned]]
    findings: tuple[Finding, ...]
    notes: list[str]


def _assembled(
    made: _Made, layout: Layout, rows: Mapping[str, Array], options: TableOptions
) -> SequenceData:
    """Encode, scale and pad by what the training sequences hold."""
    ids, raw = list(made.kept["train"]), made.raw
    # Encoding takes the columns out of the table.
    copied = replace(raw, rows=replace(raw.rows, frame=raw.rows.frame.copy(deep=False)))
    inputs, encoding = encode_inputs(
        copied, made.kept, [ids[row] for row in rows["train"]], options
    )
    sequences = [one for own in made.kept.values() for one in own.values()]
    data = assemble(layout, sequences, inputs, rows, made.notes)
    terms = made.files["train"].tables[0].reading
    sequence = None if options.path is None else options.sequence
    reading = TableReading(raw.chosen.names, sequence, options.order, terms, encoding)
    return replace(data, reading=reading, findings=made.findings)


def _findings(
    raw: RawInputs, labels: Mapping[str, _Labels], options: TableOptions
) -> tuple[Finding, ...]:
    """What is suspicious about the columns; rows of sequences need no times of their own."""
    rows = raw.rows
    table = JudgedTable(
        rows.frame, inputs=raw.chosen.names, times=("order",), series=("sequence",),
        bounds=rows.bounds,
    )  # fmt: skip
    found = table_findings(table)
    if options.task == "classification":
        return found
    values = np.concatenate([own.values for own in labels.values()])
    columns = dict(zip(options.target, values.T, strict=True))
    return gravest_first((*found, *column_findings(columns, MARKS)))


def _notes(files: Mapping[str, _Files], raw: RawInputs, dropped: int) -> list[str]:
    read = [table for own in files.values() for table in (*own.tables, *own.labels)]
    lines = [*notes_of(read), *raw.chosen.notes]
    return [*lines, f"{dropped} sequences dropped: no target"] if dropped else lines


def _files(
    options: TableOptions, base_dir: Path, reader: TableReader
) -> tuple[dict[str, _Files], str]:
    """Tables of each part that has its own; those to be divided stand under "train"."""
    if reader.limit is not None and options.labels is not None:
        raise reader.limit.refused("data.labels is another")
    if options.path is not None:
        path = base_dir / Path(options.path).expanduser()
        tables, name = read_long(path, options.reading, reader), table_stem(path)
    else:
        files = find_files(options.folder or "", base_dir, "folder", TABLE_ENDINGS)
        tables, name = read_folder(files, options.reading, reader), files[0].parent.name
    labels = tables
    if options.labels is not None:
        labels = _read(options.labels, base_dir, "labels", options.reading, reader)
    found = {"train": _Files(tables, labels)}
    for part, given in options.given_parts.items():
        own = _read(given, base_dir, f"{part}_path", options.reading, reader)
        theirs: str | None = getattr(options, f"{part}_labels")
        found[part] = _Files(
            own,
            own
            if theirs is None
            else _read(theirs, base_dir, f"{part}_labels", options.reading, reader),
        )
    require_different_files(
        {part: [table.path for table in own.tables] for part, own in found.items()}
    )
    return found, name


def _read(
    named: str, base_dir: Path, option: str, reading: ReadingOptions, reader: TableReader
) -> list[Table]:
    """Read a file of many sequences, or a folder of one a file."""
    path = base_dir / Path(named).expanduser()
    if path.is_file():
        return read_long(path, reading, reader)
    return read_folder(find_files(named, base_dir, option, TABLE_ENDINGS), reading, reader)


def _labels(
    files: Mapping[str, _Files], options: TableOptions
) -> tuple[dict[str, _Labels], tuple[str, ...]]:
    """Labels by where they were read, and the names of the classes, which all share."""
    values, classes = _label_values(files, options)
    labels = {}
    for part, own in files.items():
        # A file of one label a sequence has no order.
        has_order = options.order is not None and options.order in own.labels[0].frame.columns
        groups = group(own.labels, options.sequence, options.order if has_order else None)
        labels[part] = _Labels(values[part], groups)
    return labels, classes


def _label_values(
    files: Mapping[str, _Files], options: TableOptions
) -> tuple[dict[str, Array], tuple[str, ...]]:
    if options.task == "regression":
        return {
            part: columns_of(own.labels, options.target, options.gaps)
            for part, own in files.items()
        }, ()
    raw = {
        part: values_of(own.labels, options.target[0], options.gaps) for part, own in files.items()
    }
    flat = [value for values in raw.values() for value in values]
    ids, classes = class_ids([value for value in flat if value is not None])
    encoded = np.full((len(flat), 1), np.nan)
    encoded[[row for row, value in enumerate(flat) if value is not None], 0] = ids
    ends = np.cumsum([len(values) for values in raw.values()])
    return dict(zip(raw, np.split(encoded, ends[:-1]), strict=True)), classes


def _transformed(labels: _Labels, tables: Sequence[Table], options: TableOptions) -> _Labels:
    """Labels as they are scaled; those of classes are what they were."""
    ends = np.cumsum([len(table.frame) for table in tables])

    def said(row: int) -> str:
        table = int(np.searchsorted(ends, row, side="right"))
        place = row - (int(ends[table - 1]) if table else 0)
        return f"data row {place} (counted from 0) of {tables[table].path.name}"

    values = transformed(labels.values, options.target_transform, options.target, said)
    return _Labels(values, labels.groups)


def _aligned(
    raw: RawInputs, part: str, labels: _Labels, options: TableOptions
) -> tuple[dict[str, Aligned], int]:
    """Every sequence with its labels, by id, and how many were dropped without a target."""
    extents = raw.extents[part]
    found = dict(zip(labels.groups.names, labels.groups.rows, strict=True))
    _check_ids(list(extents), found, options)
    kept = {}
    for name, rows in extents.items():
        if name not in found:
            continue
        one = align(raw.marks(rows), labels.values[found[name]], options.alignment, name)
        if not np.isnan(one.targets).all():
            kept[name] = one
    dropped = len(extents) - len(kept)
    if not kept:
        raise DataError(f"none of the {dropped} sequences has a target on a step that exists.")
    return kept, dropped


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


TABLE = Source(TableOptions, load_table, reads_tables=True, load_folds=load_table_folds)
