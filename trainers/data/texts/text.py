r"""A text as a stream for language models: each target is the token that comes next.

Files are documents: before the first token of each the carried state is cleared. A document of
n tokens gives n - 1 steps, so no target lies in another document than its input. The text is
divided in order: training tokens first, then validation, then test; the vocabulary is the
training part's.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.division import PARTS, boundaries_of, shares_beside
from trainers.data.files import find_files, read_text, require_different_files
from trainers.data.options import means, path_means, require
from trainers.data.reading import TextReading
from trainers.data.source import Source
from trainers.data.texts.vocabulary import UNKNOWN, Level, Vocabulary, fit_vocabulary, split_text
from trainers.errors import DataError

TokenText = Sequence[str]

_DEFAULT_SPLIT = (0.9, 0.1, 0.0)


@dataclass(frozen=True)
class TextOptions:
    """Which text, what its tokens are, and how it is divided."""

    path: str = field(
        metadata=path_means(
            "UTF-8 text file, folder or pattern (`books/*.txt`); a file is a document"
        )
    )
    test_path: str | None = field(
        default=None, metadata=path_means("text of the test part; split then has two shares")
    )
    level: Level = field(
        default="character", metadata=means("tokens are characters, or words, marks and line ends")
    )
    lowercase: bool = field(default=False, metadata=means("turn capitals into small letters"))
    max_tokens: int | None = field(
        default=None,
        metadata=means("most frequent tokens to keep; the others become unknown; null: all"),
    )
    split: tuple[float, ...] = field(
        default=_DEFAULT_SPLIT,
        metadata=means("shares of train, validation and test, in the text's order; test may be 0"),
    )

    def __post_init__(self) -> None:
        largest = self.max_tokens
        require(largest is None or largest >= 1, "max_tokens >= 1", "max_tokens", largest)
        given = () if self.test_path is None else ("test",)
        shares_beside(self.split, _DEFAULT_SPLIT, given, (0.9, 0.1))


def load_text(options: TextOptions, base_dir: Path) -> SequenceData:
    """Read the text and lay it out as one stream a part.

    Raises:
        DataError: a file isn't there or isn't text, or a part has no room for a step.
    """
    files = find_files(options.path, base_dir)
    documents = [split_text(_read(file, options), options.level) for file in files]
    test = None
    if options.test_path is not None:
        found = find_files(options.test_path, base_dir, "test_path")
        require_different_files({"train": files, "test": found})
        test = [split_text(_read(file, options), options.level) for file in found]
    name = files[0].stem if len(files) == 1 else "text"
    return stream_from_documents(documents, test, options, name)


def stream_from_documents(
    documents: Sequence[TokenText],
    test: Sequence[TokenText] | None,
    options: TextOptions,
    name: str,
) -> SequenceData:
    """Divide documents, already split into tokens, fit the vocabulary and lay out the streams."""
    has_own_test = test is None and options.split[2] > 0
    split = options.split if has_own_test else options.split[:2]
    parts = dict(zip(PARTS, _divide(documents, split), strict=False))
    if test is not None:
        parts["test"] = list(test)
    vocabulary = fit_vocabulary(parts["train"], [UNKNOWN], options.max_tokens, sort="text")
    sets = {part: _stream(part, vocabulary.encode_all(texts)) for part, texts in parts.items()}
    return SequenceData(
        name=name,
        task="classification",
        train=sets["train"],
        validation=sets["validation"],
        test=sets.get("test"),
        input_size=len(vocabulary),
        output_size=len(vocabulary),
        digest="",
        target_names=vocabulary.tokens,
        notes=(_size_note(vocabulary, options), *_notes(sets, vocabulary)),
        vocabulary_size=len(vocabulary),
        walk="stream",
        tokens=vocabulary.tokens,
        reading=TextReading(options.level, options.lowercase),
    )


def _read(path: Path, options: TextOptions) -> str:
    text = read_text(path)
    return text.lower() if options.lowercase else text


def _divide(documents: Sequence[TokenText], split: Sequence[float]) -> list[list[TokenText]]:
    """Cut the documents, one after another, by shares of all tokens; a cut makes two of one."""
    ends = list(itertools.accumulate(len(document) for document in documents))
    starts = [0, *ends[:-1]]
    parts = []
    for first, stop in itertools.pairwise(boundaries_of(ends[-1], split)):
        cut = [
            document[max(first - start, 0) : max(stop - start, 0)]
            for document, start in zip(documents, starts, strict=True)
        ]
        parts.append([piece for piece in cut if len(piece)])
    return parts


def _stream(name: str, documents: Sequence[Array]) -> SequenceSet:
    """One series of every document's steps: ids `(1, time)`, next ids `(1, time)`, resets."""
    long_enough = [document for document in documents if len(document) > 1]
    if not long_enough:
        raise DataError(
            f"the {name} part needs a document of at least two tokens (an input and the next one), "
            "but has none; give it a larger share of data.split or bring more text."
        )
    begins = np.cumsum([0, *(len(document) - 1 for document in long_enough)])
    resets = np.zeros((1, begins[-1]), dtype=np.bool_)
    resets[0, begins[:-1]] = True
    if len(long_enough) == 1:
        # Inputs and targets share the text's memory.
        inputs, targets = long_enough[0][:-1], long_enough[0][1:]
    else:
        inputs = np.concatenate([document[:-1] for document in long_enough])
        targets = np.concatenate([document[1:] for document in long_enough])
    return SequenceSet(inputs=inputs[None], targets=targets[None], resets=resets)


def _size_note(vocabulary: Vocabulary, options: TextOptions) -> str:
    kind = "characters" if options.level == "character" else "words, marks and line ends"
    return f"{len(vocabulary) - 1} {kind} and the unknown token"


def _notes(sets: dict[str, SequenceSet], vocabulary: Vocabulary) -> list[str]:
    """One line a part: its steps, its documents, and how many of its targets are unknown."""
    lines = []
    for name, part in sets.items():
        documents = 0 if part.resets is None else int(part.resets.sum())
        unknown = int(np.count_nonzero(np.asarray(part.targets) == vocabulary.unknown))
        tail = f", {unknown} targets unknown" if unknown else ""
        lines.append(f"{name}: {part.time_steps} steps, {documents} document(s){tail}")
    return lines


TEXT = Source(TextOptions, load_text)
