r"""Labelled texts as token sequences, one label each (Keras' `imdb_lstm` example, from text).

A line of a text file is one example, `text<TAB>label`, split at its last tab (or `label<TAB>text`,
at its first); or a table has a column of texts and one of labels. The vocabulary is the training
part's. Ids: 0 padding, 1 unknown, then words from the most frequent on. Sequences are padded on
the right; `max_length` keeps a text's end, as Keras' `maxlen` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.classes import ClassWeights, class_ids, class_weights, missing_classes_note
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.division import divide, shares_beside, with_given_parts
from trainers.data.files import find_files, read_text, require_different_files
from trainers.data.options import means, path_means, require, search_means
from trainers.data.padding import one_label_set, padded
from trainers.data.reading import TextReading
from trainers.data.source import Source
from trainers.data.tables.columns import require_columns
from trainers.data.tables.formats import is_table
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions, carried
from trainers.data.texts.swapped import looks_swapped
from trainers.data.texts.vocabulary import (
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
class TokenOptions:
    """Which examples, what their tokens are, and how they are divided."""

    path: str = field(
        metadata=path_means("file, folder or pattern; lines `text<TAB>label`, or tables")
    )
    test_path: str | None = field(
        default=None, metadata=path_means("examples of the test part; split then has two shares")
    )
    text_column: str | None = field(default=None, metadata=means("column of texts, in tables"))
    label_column: str | None = field(default=None, metadata=means("column of labels, in tables"))
    label_first: bool | None = field(
        default=None,
        metadata=means("lines are label<TAB>text; null: text<TAB>label, refused where it looks so"),
    )
    level: Level = field(
        default="word", metadata=search_means("tokens are words and marks, or characters")
    )
    lowercase: bool = field(default=True, metadata=search_means("turn capitals into small letters"))
    max_words: int | None = field(
        default=None,
        metadata=search_means(
            "most frequent training tokens to keep; others are unknown; null: all"
        ),
    )
    max_length: int | None = field(
        default=None,
        metadata=search_means("longest sequence; the end of a longer one is kept; null: any"),
    )
    split: tuple[float, ...] = field(
        default=_DEFAULT_SPLIT,
        metadata=means("shares of train, validation and test; every part has the classes' mix"),
    )
    seed: int = field(default=0, metadata=means("seed of the split"))
    class_weights: ClassWeights = field(
        default="none", metadata=search_means("none, balanced, or one number a class")
    )
    reading: ReadingOptions = field(
        default=ReadingOptions(), metadata=means("how tables are to be understood")
    )

    def __post_init__(self) -> None:
        for name in ("max_words", "max_length"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{name} >= 1", name, value)
        require(self.seed >= 0, "seed >= 0", "seed", self.seed)
        if (self.text_column is None) != (self.label_column is None):
            raise DataError(
                "tables need both of text_column and label_column, but got text_column="
                f"{self.text_column!r}, label_column={self.label_column!r}."
            )
        if self.label_first and self.text_column is not None:
            raise DataError("data.label_first is for lines; of tables name text_column instead.")
        _ = self.shares  # checks them

    @property
    def columns_used(self) -> set[str]:
        """The columns of tables that are needed."""
        return {name for name in (self.text_column, self.label_column) if name is not None}

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the parts to divide `path` into: two beside a test part of its own."""
        given = () if self.test_path is None else ("test",)
        return shares_beside(self.split, _DEFAULT_SPLIT, given, (0.9, 0.1))


@dataclass(frozen=True)
class Examples:
    """Texts and their labels, as long as each other.

    Attributes:
        notes: What was guessed of their tables.
        table: How further tables of the kind are read.
    """

    texts: tuple[str, ...]
    labels: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    table: ReadingOptions = ReadingOptions()


def load_tokens(options: TokenOptions, base_dir: Path, reader: TableReader) -> SequenceData:
    """Read the examples, divide them and turn texts into ids.

    Raises:
        DataError: a file isn't there, an example has no text or no label, or a part has no example.
    """
    files = find_files(options.path, base_dir)
    examples = read_examples(files, options, reader)
    test = None
    if options.test_path is not None:
        test_files = find_files(options.test_path, base_dir, "test_path")
        require_different_files({"train": files, "test": test_files})
        test = read_examples(test_files, options, reader)
    name = files[0].stem if len(files) == 1 else "tokens"
    return tokens_from_examples(examples, test, options, name)


def read_examples(files: Sequence[Path], options: TokenOptions, reader: TableReader) -> Examples:
    """Read the examples of several files, in the files' order."""
    if reader.limit is not None and options.text_column is None:
        raise reader.limit.refused("these are lines of text")
    texts: list[str] = []
    labels: list[Any] = []
    notes: list[str] = []
    terms = options.reading
    for file in files:
        if options.text_column is None:
            rows = _read_lines(file, options)
        else:
            read = reader.read(file, terms, columns_used=options.columns_used)
            terms = carried(options.reading, read.reading)
            notes += read.notes
            rows = _rows(file, read.frame, options)
        for where, text, label in rows:
            if not text.strip():
                raise DataError(f"{where}: an example needs a text, but got only the label.")
            texts.append(text.lower() if options.lowercase else text)
            labels.append(label)
    if options.label_first is None:
        _check_not_swapped(texts, [str(label) for label in labels], files[0], options)
    return Examples(tuple(texts), tuple(labels), tuple(dict.fromkeys(notes)), terms)


def _read_lines(path: Path, options: TokenOptions) -> list[tuple[str, str, Any]]:
    if is_table(path):
        raise DataError(f"{path} is a table: set data.text_column and data.label_column.")
    examples = []
    # Not `splitlines`: texts hold characters (U+0085 in imdb_labelled.txt) that it takes for ends.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        text, tab, label = line.rpartition("\t")
        if options.label_first:
            label, tab, text = line.partition("\t")
        if not tab or not label.strip():
            wanted = "label, tab and text" if options.label_first else "text, a tab and a label"
            raise DataError(f"{path}, line {number}: must be {wanted}, but got {line[:60]!r}.")
        examples.append((f"{path}, line {number}", text, label.strip()))
    return examples


def _rows(path: Path, frame: pd.DataFrame, options: TokenOptions) -> list[tuple[str, str, Any]]:
    text_column, label_column = options.text_column or "", options.label_column or ""
    require_columns(frame, [text_column], "text_column")
    require_columns(frame, [label_column], "label_column")
    for column in (text_column, label_column):
        missing = np.flatnonzero(frame[column].isna().to_numpy())
        if len(missing):
            raise DataError(
                f"{path}: column {column!r} must be filled, but {len(missing)} of {len(frame)} "
                f"are missing, the first in data row {missing[0]} (counted from 0); fill it in, or "
                "keep words such as NA with data.reading.usual_missing_values: false."
            )
    return [
        (f"{path}, data row {row}", str(text), label)
        for row, (text, label) in enumerate(
            zip(frame[text_column], frame[label_column].tolist(), strict=True)
        )
    ]


def _check_not_swapped(
    texts: Sequence[str], labels: Sequence[str], file: Path, options: TokenOptions
) -> None:
    if not looks_swapped(texts, labels):
        return
    way_out = "set data.label_first: true where lines are label<TAB>text, false where they are not"
    if options.text_column is not None:
        way_out = (
            f"set data.text_column: {options.label_column} and data.label_column: "
            f"{options.text_column}, or data.label_first: false where this is right"
        )
    raise DataError(
        f"{file.name}: texts and labels look swapped: {len(set(labels))} different labels, as "
        f"{labels[0][:40]!r}, but {len(set(texts))} different texts, as {texts[0][:20]!r}; "
        f"{way_out}."
    )


def tokens_from_examples(
    examples: Examples, test: Examples | None, options: TokenOptions, name: str
) -> SequenceData:
    """Divide examples, fit the vocabulary to the training part and encode them."""
    split = [split_text(text, options.level) for text in examples.texts]
    count = len(split)
    if test is not None:
        split += [split_text(text, options.level) for text in test.texts]
    labels, names = class_ids([*examples.labels, *(test.labels if test is not None else ())])
    given = {} if test is None else {"test": len(test.texts)}
    rows = with_given_parts(divide(count, options.shares, options.seed, labels[:count]), given)
    vocabulary = fit_vocabulary(
        (split[row] for row in rows["train"]), [PADDING, UNKNOWN], options.max_words
    )
    sets = {
        part: _encode([split[row] for row in chosen], labels[chosen], vocabulary, options)
        for part, chosen in rows.items()
    }
    train = sets["train"]
    return SequenceData(
        name=name,
        task="classification",
        train=train,
        validation=sets["validation"],
        test=sets.get("test"),
        input_size=len(vocabulary),
        output_size=len(names),
        digest="",
        target_names=names,
        one_target=True,
        notes=(*examples.notes, *_notes(sets, vocabulary), *missing_classes_note(train, names)),
        vocabulary_size=len(vocabulary),
        class_weights=class_weights(options.class_weights, train, names),
        tokens=vocabulary.tokens,
        reading=TextReading(
            options.level,
            options.lowercase,
            options.max_length,
            by_line=True,
            table=examples.table,
        ),
    )


def _encode(
    texts: Sequence[Sequence[str]], labels: Array, vocabulary: Vocabulary, options: TokenOptions
) -> SequenceSet:
    kept = texts if options.max_length is None else [text[-options.max_length :] for text in texts]
    ids = [row.astype(np.int32) for row in vocabulary.encode_all(kept)]
    return one_label_set(*padded(ids), labels)


def _notes(sets: dict[str, SequenceSet], vocabulary: Vocabulary) -> list[str]:
    """The vocabulary's size, and one line a part: its sequences, tokens and unknown tokens."""
    lines = [f"{len(vocabulary)} token ids, padding and unknown among them"]
    for name, part in sets.items():
        shown = np.asarray(part.inputs)
        shown = shown if part.input_mask is None else shown[np.asarray(part.input_mask)]
        unknown = int(np.count_nonzero(shown == vocabulary.unknown))
        lines.append(
            f"{name}: {len(part)} sequences of up to {part.time_steps} tokens, "
            f"{unknown} of {shown.size} unknown"
        )
    return lines


TOKENS = Source(TokenOptions, load_tokens, reads_tables=True)
