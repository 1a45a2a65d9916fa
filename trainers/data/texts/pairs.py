r"""Pairs of texts: one that is read, one that answers it, as a sentence and its translation.

A line is a pair, `text<TAB>answer`; or two files have texts and answers line by line; or a table
has a column of each. Both vocabularies are the training part's. Every answer ends in a symbol of
its own, which the network has to give as well: so it knows when to stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.division import divide, shares_beside, with_given_parts
from trainers.data.files import find_files, read_text, require_different_files
from trainers.data.options import means, path_means, require
from trainers.data.padding import padded, prefix_mask
from trainers.data.reading import PairReading
from trainers.data.source import Source
from trainers.data.tables.columns import require_columns
from trainers.data.tables.formats import is_table
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions, carried
from trainers.data.texts.vocabulary import (
    END,
    PADDING,
    UNKNOWN,
    Level,
    Vocabulary,
    fit_vocabulary,
    split_text,
)
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_DEFAULT_SPLIT = (0.8, 0.1, 0.1)


@dataclass(frozen=True)
class PairOptions:
    """Which pairs, what their tokens are, and how they are divided."""

    path: str = field(
        metadata=path_means("file, folder or pattern; lines `text<TAB>answer`, or tables")
    )
    answers_path: str | None = field(
        default=None, metadata=path_means("answers line by line, where path has only the texts")
    )
    test_path: str | None = field(
        default=None, metadata=path_means("pairs of the test part; split then has two shares")
    )
    text_column: str | None = field(default=None, metadata=means("column of texts, in tables"))
    answer_column: str | None = field(default=None, metadata=means("column of answers, in tables"))
    level: Level = field(
        default="character", metadata=means("tokens are characters, or words and marks")
    )
    lowercase: bool = field(default=False, metadata=means("turn capitals into small letters"))
    max_words: int | None = field(
        default=None,
        metadata=means("most frequent tokens to keep of each side; null: all"),
    )
    split: tuple[float, ...] = field(
        default=_DEFAULT_SPLIT, metadata=means("shares of train, validation and test")
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    reading: ReadingOptions = field(
        default=ReadingOptions(), metadata=means("how tables are to be understood")
    )

    def __post_init__(self) -> None:
        words = self.max_words
        require(words is None or words >= 1, "max_words >= 1", "max_words", words)
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)
        if (self.text_column is None) != (self.answer_column is None):
            raise DataError(
                "tables need both of data.text_column and data.answer_column, but got "
                f"text_column={self.text_column!r}, answer_column={self.answer_column!r}."
            )
        others = self.text_column is not None or self.test_path is not None
        if self.answers_path is not None and others:
            raise DataError(
                "data.answers_path has the answers to the lines of data.path, so it goes with "
                "neither columns nor data.test_path; leave one of them out."
            )
        _ = self.shares  # checks them

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the parts to divide `path` into: two beside a test part of its own."""
        given = () if self.test_path is None else ("test",)
        return shares_beside(self.split, _DEFAULT_SPLIT, given, (0.9, 0.1))


@dataclass(frozen=True)
class _Pairs:
    """Texts and answers split into tokens, as many of each; how further tables are read; notes."""

    texts: list[Sequence[str]]
    answers: list[Sequence[str]]
    table: ReadingOptions
    notes: tuple[str, ...]


def load_pairs(options: PairOptions, base_dir: Path, reader: TableReader) -> SequenceData:
    """Read the pairs, divide them and turn texts into ids.

    Raises:
        DataError: a file isn't there, a pair has no text or no answer, or a part has no pair.
    """
    files = find_files(options.path, base_dir)
    pairs, given = _read(files, options, base_dir, reader), {}
    if options.test_path is not None:
        test_files = find_files(options.test_path, base_dir, "test_path")
        require_different_files({"train": files, "test": test_files})
        test = _read(test_files, options, base_dir, reader)
        given = {"test": len(test.texts)}
    count = len(pairs.texts)
    rows = with_given_parts(divide(count, options.shares, options.seed), given)
    if given:
        pairs.texts.extend(test.texts)
        pairs.answers.extend(test.answers)
    train = rows["train"]
    texts, answers = (
        fit_vocabulary((side[row] for row in train), special, options.max_words)
        for side, special in ((pairs.texts, [PADDING, UNKNOWN]), (pairs.answers, [END, UNKNOWN]))
    )
    sets = {
        part: _encoded(
            texts.encode_all([pairs.texts[row] for row in chosen]),
            answers.encode_all([[*pairs.answers[row], END] for row in chosen]),
        )
        for part, chosen in rows.items()
    }
    return SequenceData(
        name=files[0].stem if len(files) == 1 else "pairs",
        task="classification",
        train=sets["train"],
        validation=sets["validation"],
        test=sets.get("test"),
        input_size=len(texts),
        output_size=len(answers),
        digest="",
        target_names=answers.tokens,
        notes=(*pairs.notes, *_notes(sets, texts, answers)),
        vocabulary_size=len(texts),
        tokens=texts.tokens,
        reading=PairReading(
            options.level, options.lowercase, by_line=True, table=pairs.table,
            text_column=options.text_column,
        ),
        pairs=True,
    )  # fmt: skip


def _read(
    files: Sequence[Path], options: PairOptions, base_dir: Path, reader: TableReader
) -> _Pairs:
    """Read the pairs of several files, in the files' order."""
    found, terms, notes = list[tuple[str, str, str]](), options.reading, list[str]()
    if reader.limit is not None and options.text_column is None:
        raise reader.limit.refused("these are lines of text")
    if options.answers_path is not None:
        found = list(_side_by_side(files, find_files(options.answers_path, base_dir)))
    for file in files if options.answers_path is None else ():
        if options.text_column is None:
            found.extend(_lines(file))
            continue
        columns = [options.text_column, str(options.answer_column)]
        read = reader.read(file, terms, columns_used={*columns})
        terms, notes = carried(options.reading, read.reading), [*notes, *read.notes]
        require_columns(read.frame, columns[:1], "text_column")
        require_columns(read.frame, columns[1:], "answer_column")
        found.extend(_rows(file, read.frame[columns]))
    texts, answers = [], []
    for where, *sides in found:
        if not all(side.strip() for side in sides):
            raise DataError(f"{where}: a pair needs a text and its answer, but one is empty.")
        text, answer = (side.lower() if options.lowercase else side for side in sides)
        texts.append(split_text(text, options.level))
        answers.append(split_text(answer, options.level))
    return _Pairs(texts, answers, terms, tuple(dict.fromkeys(notes)))


def _rows(path: Path, frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Rows of a table with a column of texts and one of answers."""
    for row, (text, answer) in enumerate(frame.itertuples(index=False)):
        where = f"{path.name}, data row {row} (counted from 0)"
        for name, value in zip(frame.columns, (text, answer), strict=True):
            if value != value:
                raise DataError(f"{where}: column {name!r} must be filled; leave the row out.")
        yield where, str(text), str(answer)


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    if is_table(path):
        raise DataError(f"{path} is a table: set data.text_column and data.answer_column.")
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        text, tab, answer = line.partition("\t")
        if not tab:
            raise DataError(
                f"{path.name}, line {number}: must be a text, a tab and its answer, but got "
                f"{line[:60]!r}; data.answers_path names a file of the answers alone."
            )
        yield f"{path.name}, line {number}", text, answer


def _side_by_side(files: Sequence[Path], others: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    """Lines of two files, or of several in the same order."""
    if len(files) != len(others):
        raise DataError(
            "data.answers_path must name a file for each of data.path, but got "
            f"{len(others)} for {len(files)}."
        )
    for file, other in zip(files, others, strict=True):
        texts, answers = (read_text(one).rstrip("\n").split("\n") for one in (file, other))
        if len(texts) != len(answers):
            raise DataError(
                f"every line needs its answer, but {file.name} has {len(texts)} lines and "
                f"{other.name} {len(answers)}; bring as many."
            )
        for number, pair in enumerate(zip(texts, answers, strict=True), start=1):
            yield f"{file.name}, line {number}", *pair


def _encoded(texts: Sequence[Array], answers: Sequence[Array]) -> SequenceSet:
    """Put ids of texts and answers under one axis, as long as the longest of both."""
    steps = max(map(len, (*texts, *answers)))
    sides = []
    for ids in (texts, answers):
        values, _ = padded([*ids, np.zeros(steps, dtype=np.int64)])
        sides.append((values[:-1], prefix_mask(np.array([len(one) for one in ids]), steps)))
    (inputs, input_mask), (targets, target_mask) = sides
    return SequenceSet(inputs.astype(np.int32), targets, input_mask, target_mask)


def _notes(sets: dict[str, SequenceSet], texts: Vocabulary, answers: Vocabulary) -> list[str]:
    lines = [f"{len(texts)} token ids of texts, {len(answers)} of answers, their end among them"]
    for name, part in sets.items():
        unknown = int(np.count_nonzero(_shown(part) == answers.unknown))
        lines.append(f"{name}: {len(part)} pairs, {unknown} tokens of answers unknown")
    return lines


def _shown(part: SequenceSet) -> Array:
    targets = np.asarray(part.targets)
    return targets if part.target_mask is None else targets[np.asarray(part.target_mask)]


PAIRS = Source(PairOptions, load_pairs, reads_tables=True)
