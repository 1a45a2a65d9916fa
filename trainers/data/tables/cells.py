"""What kind of thing a cell of a table holds, judged by its text alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

Kind = Literal["empty", "mark", "number", "date", "text"]

USUAL_MARKS = (
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Words that pandas takes for missing values."""
_MARK = re.compile(r"[?\-–—*.]+|#N/?[AV]|n\.?[av]\.?|(?i:missing)")
_NUMBER = re.compile(
    r"[+\-−]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+\-]?\d+)?|(?i:[+\-]?inf(inity)?)"
    r"|[+\-−]?\d{1,3}(?:[.,' \u00a0\u202f’]\d{3})+(?:[.,]\d+)?"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
_ZONE = r"\s?(?:Z|UTC|GMT|[+\-]\d{2}:?\d{2}|[+\-]\d{2})?"
_DAY = r"(?:\d{1,4}([\-/.])\d{1,2}(?:\1\d{1,4})?\.?|\d{8}|\d{1,2}[\- ]?[A-Za-z]{3}[\- ]?\d{2,4})"
_DATE = re.compile(rf"(?:{_DAY}(?:[T ,_]\s?{_CLOCK}{_ZONE}|T\d{{2,6}}{_ZONE})?|{_CLOCK}{_ZONE})")


def kind_of(cell: str) -> Kind:
    """Return the kind of a cell's text."""
    text = cell.strip()
    if not text:
        return "empty"
    if _NUMBER.fullmatch(text):
        return "number"
    if _DATE.fullmatch(text):
        return "date"
    return "mark" if text in USUAL_MARKS or _MARK.fullmatch(text) else "text"


def usual_kind(cells: Sequence[str]) -> Kind:
    """Return the kind that most of a column's cells have, of those that say something."""
    kinds = Counter(kind_of(cell) for cell in cells)
    told = [(count, kind) for kind, count in kinds.items() if kind not in ("empty", "mark")]
    return max(told)[1] if told else "empty"
