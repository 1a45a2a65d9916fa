"""How raw values become a network's inputs: what a source did to them, kept as plain values.

A model that was trained on a source's arrays is used on what people have: tables, texts. A source
leaves a `Reading` in its `SequenceData`; `unlabelled.py` and `trainers.use.records` go by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainers.data.tables.reading_options import ReadingOptions

CaseFormat = Literal["ts", "ucr", "rows"]


@dataclass(frozen=True)
class Reading:
    """Plain values of one kind; those of tables are in `series.reading`, `sequences.reading`."""


@dataclass(frozen=True)
class TextReading(Reading):
    """Texts as tokens.

    Attributes:
        max_length: The end of a longer text is kept; None keeps all.
        by_line: Whether each line is a text of its own; otherwise a file is.
        table: How further tables of texts are read.
    """

    level: Literal["character", "word"]
    lowercase: bool
    max_length: int | None = None
    by_line: bool = False
    table: ReadingOptions = ReadingOptions()


@dataclass(frozen=True)
class PairReading(TextReading):
    """Texts that are answered by texts, of tokens of the same kind.

    Attributes:
        text_column: Of the texts, where they came in tables.
    """

    text_column: str | None = None


@dataclass(frozen=True)
class CaseReading(Reading):
    """A sequence a row or a case; see `trainers.data.sequences.cases.Cases`.

    Attributes:
        format: What it was trained on: sktime's .ts, UCR, or rows of a table.
        steps: Values of a training row, where all had as many.
        classes: Names of the classes: what a row's label may be.
        target: Column of labels in rows of a table; a table to be asked about may lack it.
        columns: Step columns of rows of a table.
    """

    format: CaseFormat
    steps: int | None = None
    classes: tuple[str, ...] = ()
    target: str | None = None
    columns: tuple[str, ...] = ()
