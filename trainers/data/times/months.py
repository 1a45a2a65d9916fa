"""Months by their names in western languages, written out or cut to three letters or more."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainers.data.contract import Array

_NAMES = (
    "january januar jänner janvier enero gennaio janeiro januari",
    "february februar février fevrier febrero febbraio fevereiro februari",
    "march märz maerz mrz mars marzo março marco maart mrt",
    "april avril abril aprile",
    "may mai mayo maggio maio mei maj",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août aout agosto augustus augusti",
    "september septembre septiembre setiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember décembre decembre diciembre dicembre dezembro",
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
    found = [
        n for n, names in enumerate(_NAMES, 1) if any(w.startswith(name) for w in names.split())
    ]
    return found[0] if len(found) == 1 else 0
