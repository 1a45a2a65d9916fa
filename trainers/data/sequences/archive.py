"""Labelled sequences in the formats of the field: .ts, UCR, or a row each in a table.

Whole sequences are divided into parts, or parts have files of their own. The label stands at a
sequence's last existing step; sequences of unequal length are padded under masks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainers.data.contract import Array, SequenceData, Task
from trainers.data.division import divide, shares_beside, with_given_parts
from trainers.data.finding import Finding
from trainers.data.findings.judge import column_findings
from trainers.data.folds import Folds, divisions, fold_line, require_undivided, told
from trainers.data.options import require
from trainers.data.reading import CaseFormat, CaseReading
from trainers.data.sequences.alignment import Aligned, align
from trainers.data.sequences.archive_files import ArchiveFiles, archive_files
from trainers.data.sequences.archive_options import DEFAULT_SPLIT, SequencesOptions
from trainers.data.sequences.assembling import Layout, assemble, scaled_inputs
from trainers.data.sequences.cases import Cases
from trainers.data.sequences.formats import format_of, read_cases
from trainers.data.sequences.labels import labels_of, task_of
from trainers.data.sequences.rows import RowColumns
from trainers.data.source import Source
from trainers.data.tables.columns import Missing
from trainers.errors import DataError

_NAMED_CLASSES = 12


@dataclass(frozen=True)
class _Labelled:
    """The cases of a file that are kept, each with its label as a number."""

    sequences: list[Aligned]
    labels: Array


def load_sequences(options: SequencesOptions, base_dir: Path) -> SequenceData:
    """Read the files and lay their cases out as padded sequences.

    Raises:
        DataError: a file, a label or a value is not as it must be, or a part gets no sequence.
    """
    return _loaded(options, base_dir, None)[0]


def load_sequence_folds(
    options: SequencesOptions, base_dir: Path, folds: Folds
) -> list[SequenceData]:
    """Lay out each fold of the cases, scaled for itself.

    Raises:
        DataError: as `load_sequences`, or there are fewer cases than folds.
    """
    folds.check_sequences("sequences")
    require_undivided(options.given_parts)
    return _loaded(options, base_dir, folds)


def _loaded(options: SequencesOptions, base_dir: Path, folds: Folds | None) -> list[SequenceData]:
    found = archive_files(options.path, options.given_parts, base_dir)
    shares = shares_beside(options.split, DEFAULT_SPLIT, set(found.files) - {"train"})
    cases = _read(found, options)
    first = cases["train"]
    task, task_notes = task_of(first, options.task)
    weighed = task == "classification" or options.class_weights == "none"
    require(weighed, "class_weights only for classes", "class_weights", options.class_weights)
    numbers, classes = labels_of(cases, task)
    labelled = {part: _kept(own, numbers[part], options.missing) for part, own in cases.items()}
    train = labelled["train"]
    strata = train.labels.astype(np.int64) if classes else None
    divided = divide(len(train.sequences), shares, options.seed, strata)
    given = {part: len(own.sequences) for part, own in labelled.items() if part != "train"}
    sequences = [one for own in labelled.values() for one in own.sequences]
    layout = _layout(found.name, task, classes, options)
    reading = CaseReading(first.format, first.steps, classes, options.target, first.columns)
    notes = [*found.notes, *task_notes, *_notes(cases, labelled, classes)]
    findings = _findings(cases, numbers, task, options)

    def assembled(own: Sequence[Array]) -> SequenceData:
        rows = with_given_parts(own, given)
        inputs = scaled_inputs(first.features, sequences, rows["train"], options.scaling)
        data = assemble(layout, sequences, inputs, rows, notes)
        return replace(data, reading=reading, findings=findings)

    if folds is None:
        return [assembled(divided)]
    every = divisions(divided, folds, options.seed, strata)
    return told([assembled(own) for own in every], lines=[fold_line(*own[:2]) for own in every])


def _findings(
    cases: Mapping[str, Cases], numbers: Mapping[str, Array], task: Task, options: SequencesOptions
) -> tuple[Finding, ...]:
    """What is suspicious about the values of all files, and about numbers to predict."""
    features = next(iter(cases.values())).features
    steps = np.concatenate([values for own in cases.values() for values in own.values])
    columns = dict(zip(features, steps.T, strict=True))
    if task == "regression":
        columns[options.target or "target"] = np.concatenate(list(numbers.values()))
    return column_findings(columns, "write ? in its place")


def _layout(name: str, task: Task, classes: tuple[str, ...], options: SequencesOptions) -> Layout:
    return Layout(
        name=name,
        task=task,
        targets=classes or (options.target or "target",),
        one_target=True,
        scaling=options.scaling,
        class_weights=options.class_weights,
        units=options.units,
    )


def _read(found: ArchiveFiles, options: SequencesOptions) -> dict[str, Cases]:
    """The cases of every file; the columns of rows are those of the training file."""
    cases: dict[str, Cases] = {}
    columns = options.columns
    for part, file in found.files.items():
        format = options.format or format_of(file)
        _check_options(format, file, options)
        cases[part] = read_cases(file, format, columns)
        if part == "train" and cases[part].columns:
            columns = RowColumns(options.target, cases[part].columns)
    first = cases["train"]
    for own in cases.values():
        if len(own.features) != len(first.features):
            raise DataError(
                f"all files must have the same dimensions, but {first.path.name} has "
                f"{len(first.features)} and {own.path.name} has {len(own.features)}."
            )
    return cases


def _check_options(format: CaseFormat, file: Path, options: SequencesOptions) -> None:
    """Check that options of rows stand beside rows only."""
    if format == "rows":
        if options.target is None:
            raise DataError(
                f"{file.name} is a table with a sequence a row: set data.target to the column of "
                "labels (or data.format: ucr, if rows begin with a label and nothing is named)."
            )
        return
    for name in ("target", "steps", "drop"):
        if getattr(options, name):
            raise DataError(
                f"data.{name} names columns of a table, but {file.name} was read as {format}; "
                "leave it out, or set data.format: rows."
            )


def _kept(cases: Cases, numbers: Array, missing: Missing) -> _Labelled:
    """Cases with a label and a step; the others are refused or dropped."""
    sequences, labels = [], []
    for case, (values, number) in enumerate(zip(cases.values, numbers, strict=True)):
        if missing == "error":
            _check_whole(cases, case, number)
        one = align(values, np.array([[number]]), "one_label", cases.places[case])
        if not np.isnan(one.targets).all():
            sequences.append(one)
            labels.append(number)
    if not sequences:
        raise DataError(f"{cases.path.name}: no case has both a label and a step without a gap.")
    return _Labelled(sequences, np.array(labels))


def _check_whole(cases: Cases, case: int, number: float) -> None:
    where = cases.where(case)
    if np.isnan(number):
        raise DataError(
            f"{where}: every case needs a label, but this one has none; add it, or drop such cases "
            "with data.missing: mask."
        )
    values = cases.values[case]
    if len(values) == 0:
        raise DataError(
            f"{where}: a case needs a value, but has none; drop such cases with data.missing: mask."
        )
    absent = np.argwhere(np.isnan(values))
    if len(absent):
        step, feature = absent[0]
        dimension = f" of dimension {feature + 1}" if values.shape[1] > 1 else ""
        raise DataError(
            f"{where}: value {step + 1}{dimension} is missing ({len(absent)} in this case); fill "
            "them in, or make gaps of them with data.missing: mask."
        )


def _notes(
    cases: Mapping[str, Cases], labelled: Mapping[str, _Labelled], classes: Sequence[str]
) -> list[str]:
    lines = []
    for part, own in cases.items():
        lengths = [len(values) for values in own.values]
        low, high = min(lengths), max(lengths)
        span = f"{low}" if low == high else f"{low} to {high}"
        lines.append(
            f"{own.path.name}: {len(lengths)} cases of {span} steps, {len(own.features)} "
            f"dimension(s), read as {own.format} (data.format)"
        )
        lines += own.notes
        dropped = len(lengths) - len(labelled[part].sequences)
        if dropped:
            lines.append(f"{own.path.name}: {dropped} cases dropped: no label, or no whole step")
    if classes:
        lines.append(_balance(cases["train"], classes))
    return lines


def _balance(cases: Cases, classes: Sequence[str]) -> str:
    """How many cases each class has in a file, and which the header declares but no file shows."""
    counts = Counter(cases.labels)
    shown = [f"{name} {counts[name]}" for name in classes]
    line = f"{len(classes)} classes in {cases.path.name}: {', '.join(shown)}"
    if len(classes) > _NAMED_CLASSES:
        sizes = [counts[name] for name in classes]
        line = f"{len(classes)} classes in {cases.path.name}, of {min(sizes)} to {max(sizes)} cases"
    unseen = [name for name in cases.classes if name not in classes]
    return f"{line}; declared, but without a case: {', '.join(unseen)}" if unseen else line


SEQUENCES = Source(SequencesOptions, load_sequences, load_folds=load_sequence_folds)
