"""The input columns of whole sequences: which they are, their rows in order, and their features.

A sequence is a series of rows: categories, fillings and scales are those of long series.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.encoding import Encoding, encode, fit_encoding
from trainers.data.features.input_columns import (
    category_column,
    embedded_categories,
    number_column,
)
from trainers.data.features.recipe import Recipe
from trainers.data.features.rows import Rows
from trainers.data.features.scales import Fit
from trainers.data.sequences.alignment import Aligned
from trainers.data.sequences.assembling import Inputs
from trainers.data.sequences.choosing import ChosenInputs, choose_inputs, input_frame
from trainers.data.sequences.grouping import Table, group
from trainers.data.sequences.table_options import TableOptions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RawInputs:
    """Sequences before their columns are encoded.

    Attributes:
        rows: Of all sequences, one after another, each in order.
        chosen: The columns.
        present: `(rows,)` bool, rows that miss nothing, or only what is filled.
        extents: By part its sequences' ids, and the rows of each.
    """

    rows: Rows
    chosen: ChosenInputs
    present: Array
    extents: Mapping[str, Mapping[str, slice]]

    def marks(self, rows: slice) -> Array:
        """`(rows, 1)`: 0, and NaN where a row misses something; what labels are aligned to."""
        return np.where(self.present[rows], 0.0, np.nan)[:, None]


def raw_inputs(tables: Mapping[str, Sequence[Table]], options: TableOptions) -> RawInputs:
    """Choose the input columns, and put the rows of each part's sequences in order.

    Raises:
        DataError: a column is missing, or holds what it must not; the file is named.
    """
    every = [table for own in tables.values() for table in own]
    groups = {part: group(own, options.sequence, options.order) for part, own in tables.items()}
    starts = np.cumsum([0, *(sum(len(t.frame) for t in own) for own in tables.values())])
    found = [
        (part, name, own + start)
        for (part, of), start in zip(groups.items(), starts[:-1], strict=True)
        for name, own in zip(of.names, of.rows, strict=True)
    ]
    codes = np.empty(int(starts[-1]), dtype=np.int64)
    for number, (_, _, own) in enumerate(found):
        codes[own] = number
    chosen = choose_inputs(every, codes, options)
    names = tuple(name for _, name, _ in found)
    frame = input_frame(every, chosen, options.gaps)
    rows = rows_in_order(frame, names, [own for _, _, own in found])
    ends = itertools.pairwise(rows.bounds.tolist())
    extents: dict[str, dict[str, slice]] = {part: {} for part in tables}
    for (part, name, _), (begin, end) in zip(found, ends, strict=True):
        extents[part][name] = slice(begin, end)
    return RawInputs(rows, chosen, _present(rows, chosen, options), extents)


def rows_in_order(frame: pd.DataFrame, names: Sequence[str], rows: Sequence[Array]) -> Rows:
    """Put the rows of a frame in the order of sequences, by name the numbers of each one's."""
    codes = np.repeat(np.arange(len(rows)), [len(own) for own in rows])
    ordered = frame.iloc[np.concatenate(rows)].reset_index(drop=True)
    return Rows(ordered, codes, tuple(names), None, None, ())


def _present(rows: Rows, chosen: ChosenInputs, options: TableOptions) -> Array:
    needed = [n for n in chosen.names if n in chosen.categories or options.missing != "fill"]
    return np.asarray(rows.frame[needed].notna().all(axis=1))


def encode_inputs(
    raw: RawInputs,
    sequences: Mapping[str, Mapping[str, Aligned]],
    train: Collection[str],
    options: TableOptions,
) -> tuple[Inputs, Encoding]:
    """Make features of the columns, fitted on the training sequences.

    Args:
        raw: The columns.
        sequences: By part the sequences that are kept, aligned to their labels.
        train: Ids of the training ones, in the part "train".
        options: See there.

    Raises:
        DataError: a column holds nothing that could be fitted to.
    """
    rows, chosen = raw.rows, raw.chosen
    of_train = np.zeros(len(rows.codes), dtype=np.bool_)
    for name in train:
        of_train[raw.extents["train"][name]] = True
    columns = []
    for name in chosen.names:
        make = category_column if name in chosen.categories else number_column
        columns.append(make(rows.frame, name, of_train, options.column_rules))
    fitted = fit_encoding(Recipe(tuple(columns)), rows, of_train, Fit(options.scaling), ())
    scales = fitted.encoding.scales
    values = encode(fitted.encoding, rows, consume=True).values
    inputs = Inputs(
        values=[
            _placed(one, values[raw.extents[part][name]])
            for part, own in sequences.items()
            for name, one in own.items()
        ],
        names=fitted.names,
        scale=np.array([scale.scale for scale in scales]),
        shift=np.array([scale.shift for scale in scales]),
        categories=embedded_categories(fitted, options.embedding_size),
    )
    return inputs, fitted.encoding


def _placed(one: Aligned, values: Array) -> Array:
    """Put the values of a sequence's rows to the steps that brought them, 0 to the others."""
    placed: Array = np.zeros((len(one.brought), values.shape[1]), dtype=np.float32)
    placed[one.brought] = values
    return placed
