"""Texts as token ids: how a text is split, and a vocabulary fitted on the training part.

The ids of a vocabulary begin with its special tokens (padding, unknown); the others follow.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainers.data.contract import Array

Level = Literal["character", "word"]

PADDING = "<pad>"
UNKNOWN = "<unk>"
END = "<end>"
# A word with its inner apostrophes, a mark, or the end of a line.
_WORDS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\n")

_NO_SPACE_BEFORE = frozenset("\n.,;:!?)]}…")
_NO_SPACE_AFTER = frozenset("\n([{")


def split_text(text: str, level: Level) -> Sequence[str]:
    r"""Split a text into characters, or into words, punctuation marks and line ends `\n`."""
    return text if level == "character" else _WORDS.findall(text)


def joined_text(tokens: Sequence[str], level: Level) -> str:
    """Join tokens to a text that `split_text` splits into the same ones.

    Of words with one space between, but none at a line's end, before a closing mark or after an
    opening one.
    """
    if level == "character" or not tokens:
        return "".join(tokens)
    gaps = (gap_between(before, after) for before, after in itertools.pairwise(tokens))
    return tokens[0] + "".join(gap + token for gap, token in zip(gaps, tokens[1:], strict=True))


def gap_between(before: str, after: str) -> str:
    """Return what stands between two tokens of words."""
    bare = before in _NO_SPACE_AFTER or after in _NO_SPACE_BEFORE
    return "" if bare else " "


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids; `unknown` is the id of every token that isn't among them.

    Attributes:
        tokens: One text per id, special tokens first.
        unknown: Id of the unknown token.
    """

    tokens: tuple[str, ...]
    unknown: int

    def __len__(self) -> int:
        return len(self.tokens)

    def encode_all(self, texts: Iterable[Sequence[str]]) -> list[Array]:
        """Return the ids of several texts, each `(tokens,)` int64."""
        ids = {token: index for index, token in enumerate(self.tokens)}
        return [
            np.fromiter((ids.get(token, self.unknown) for token in text), np.int64, len(text))
            for text in texts
        ]


def fit_vocabulary(
    texts: Iterable[Sequence[str]],
    special: Sequence[str],
    largest: int | None = None,
    *,
    sort: Literal["frequency", "text"] = "frequency",
) -> Vocabulary:
    """Collect the tokens of the training texts.

    Args:
        texts: The training part, split into tokens.
        special: Special tokens, which get the first ids; `UNKNOWN` is one of them.
        largest: How many tokens to keep beside the special ones, the most frequent first (of
            equally frequent ones the first by text); None keeps all.
        sort: Order of the kept tokens' ids.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    for token in special:
        counts.pop(token, None)
    kept = sorted(counts, key=lambda token: (-counts[token], token))[:largest]
    if sort == "text":
        kept.sort()
    return Vocabulary((*special, *kept), list(special).index(UNKNOWN))
