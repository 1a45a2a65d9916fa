"""Which sequences of a table are in which part: at random, by a column of parts, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.division import PARTS, divide
from trainers.data.folds import Folds, divisions
from trainers.data.sequences.alignment import Aligned
from trainers.data.sequences.grouping import Groups, Table, constant_of, group, values_of
from trainers.data.sequences.table_options import TableOptions
from trainers.errors import DataError


@dataclass(frozen=True)
class Pool:
    """The sequences that are to be divided.

    Attributes:
        sequences: By id, in order.
        tables: Where their rows were read.
        labels: Where their labels were read, perhaps the same.
        labelled: Whose rows the labels are.
    """

    sequences: Mapping[str, Aligned]
    tables: Sequence[Table]
    labels: Sequence[Table]
    labelled: Groups


def parted(pool: Pool, options: TableOptions, folds: Folds | None) -> list[list[Array]]:
    """Return the numbers of train, validation and perhaps test, once or for each fold.

    Sequences that have one class each are stratified, unless they go by groups.

    Raises:
        DataError: a column is not what it must be, or a part gets no sequence.
    """
    groups = None
    if options.group is not None:
        names = _constant(pool, options.group, "group", options)
        groups = np.unique(names, return_inverse=True)[1]
    classes = _one_class(pool.sequences, options) if groups is None else None
    if options.split_column is not None:
        divided = _by_column(pool, options.split_column, options)
    elif groups is None:
        divided = divide(len(pool.sequences), options.shares, options.seed, classes)
    else:
        chosen = divide(int(groups.max()) + 1, options.shares, options.seed)
        divided = [np.flatnonzero(np.isin(groups, own)) for own in chosen]
    if folds is None:
        return [divided]
    return divisions(divided, folds, options.seed, classes, groups)


def _one_class(sequences: Mapping[str, Aligned], options: TableOptions) -> Array | None:
    """The class of each sequence that has one, `(sequences,)`; None where they have others."""
    if options.alignment != "one_label" or options.task != "classification":
        return None
    classes = [np.nanmax(sequence.targets) for sequence in sequences.values()]
    return np.array(classes, dtype=np.int64)


def _constant(pool: Pool, column: str, option: str, options: TableOptions) -> list[str]:
    """The one value that a column has over each sequence."""
    in_labels = column in pool.labels[0].frame.columns
    where = pool.labels if in_labels else pool.tables
    groups = pool.labelled if in_labels else group(where, options.sequence, None)
    values = constant_of(groups, values_of(where, column, "error"), option, column)
    by_name = dict(zip(groups.names, values, strict=True))
    return [by_name[name] for name in pool.sequences]


def _by_column(pool: Pool, column: str, options: TableOptions) -> list[Array]:
    chosen = _constant(pool, column, "split_column", options)
    wrong = [value for value in chosen if value not in PARTS]
    if wrong:
        raise DataError(
            f"data.split_column: column {column!r} must hold train, validation or test, but got "
            f"{wrong[0]!r}."
        )
    rows = [np.flatnonzero([value == part for value in chosen]) for part in PARTS]
    for part, own in zip(PARTS[:2], rows[:2], strict=True):
        if len(own) == 0:
            raise DataError(f"data.split_column: no sequence of {column!r} is in the {part} part.")
    return rows
