"""Sequences of a table that a trained network is asked about, encoded as training data were."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from trainers.data.features.encoding import encode
from trainers.data.features.requests import Asked
from trainers.data.sequences.choosing import ChosenInputs, input_frame
from trainers.data.sequences.grouping import Groups, Table
from trainers.data.sequences.inputs import rows_in_order
from trainers.data.sequences.reading import TableReading


def asked_sequences(
    tables: Sequence[Table], groups: Groups, reading: TableReading
) -> Iterator[Asked]:
    """Encode each sequence of tables.

    Args:
        tables: With all columns that were inputs.
        groups: Which rows make up which sequence.
        reading: Of the training data.

    Raises:
        DataError: a column is missing, or holds what it must not; the file is named.
    """
    columns = reading.encoding.recipe.columns
    categories = frozenset(column.name for column in columns if column.values is not None)
    frame = input_frame(tables, ChosenInputs(reading.columns, categories), "mask")
    rows = rows_in_order(frame, groups.names, groups.rows)
    encoded = encode(reading.encoding, rows, consume=True)
    for begin, end in itertools.pairwise(rows.bounds.tolist()):
        yield Asked(encoded.values[begin:end], encoded.present[begin:end])
