"""Months by their names, English and German, written out or cut to three letters or more."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainers.data.contract import Array

_NAMES = (
    ("january", "januar", "jänner"),
    ("february", "februar"),
    ("march", "märz", "maerz", "mrz"),
    ("april",),
    ("may", "mai"),
    ("june", "juni"),
    ("july", "juli"),
    ("august",),
    ("september",),
    ("october", "oktober"),
    ("november",),
    ("december", "dezember"),
)


def month_numbers(texts: Any) -> Array:
    """Numbers 1 to 12 of an arrow array of names, 0 for what is no month, int64 `(rows,)`."""
    coded = texts.dictionary_encode()
    numbers = [_number(name.casefold()) for name in coded.dictionary.to_pylist()]
    rows = coded.indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.asarray(numbers, dtype=np.int64)[rows])


def _number(name: str) -> int:
    if len(name) < 3:
        return 0
    found = [n for n, names in enumerate(_NAMES, 1) if any(w.startswith(name) for w in names)]
    return found[0] if found else 0
