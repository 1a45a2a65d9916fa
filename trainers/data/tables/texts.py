"""Columns of texts, looked at once more: numbers written in another way, words for missing values.

What stays a text is said where it could be taken for something else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.tables.cells import USUAL_MARKS
from trainers.data.tables.numbers import converted, forms_of, has_sign
from trainers.data.tables.reading_options import Decimal

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 2_000
_STRETCHES = 20


@dataclass
class Finished:
    """What became of the texts.

    Attributes:
        thousands: The marks between thousands that were found.
        decimals: The decimal marks that columns showed by themselves.
        notes: Lines on words for missing values, and on what is no number.
    """

    thousands: set[str] = field(default_factory=set)
    decimals: set[Decimal] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def finish_texts(
    frame: pd.DataFrame, decimal: Decimal | None, thousands: str | None, usual_marks: bool
) -> Finished:
    """Turn columns of texts into numbers where all their values are, and marks into missing values.

    Args:
        frame: Changed in place.
        decimal: The file's decimal mark; None where it shows none.
        thousands: The mark between thousands; "" for none; None for any.
        usual_marks: Whether pandas' words for missing values stand for them.
    """
    found = Finished()
    missing = []
    for name in [str(name) for name in frame.columns if _is_text(frame[name])]:
        texts = frame[name]
        marked = texts.isin(USUAL_MARKS) if usual_marks else None
        if marked is not None and marked.any():
            words = texts[marked].value_counts()
            missing += [f"{count} × {word!r} in column {name!r}" for word, count in words.items()]
            texts = frame[name] = texts.mask(marked)
        if texts.isna().all():
            frame[name] = np.full(len(texts), np.nan)
            continue
        some = evenly(texts)
        forms = forms_of(some)
        if forms.mostly:
            numbers = _numbers(texts, decimal, thousands, found)
            if numbers is not None:
                frame[name] = numbers
                missing = [line for line in missing if not line.endswith(f"in column {name!r}")]
        elif 2 * has_sign(some).sum() >= max(1, forms.values):
            example = str(some[has_sign(some)].iloc[0])
            found.notes.append(
                f"column {name!r} is text, not numbers: its values have signs, as {example!r}; "
                "take them out of the file to use it"
            )
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        found.notes.append(
            f"read as missing: {', '.join(missing[:3])}{more} "
            "(data.reading.usual_missing_values: false keeps such words)"
        )
    return found


def evenly(values: pd.Series[Any], most: int = _LOOKED_AT) -> pd.Series[Any]:
    """Return some of a column's values that are there, in stretches from all of it."""
    import pandas as pd

    if len(values) <= most:
        return values.dropna()
    starts = np.linspace(0, len(values) - most // _STRETCHES, _STRETCHES).astype(int)
    # Slices, since picking rows would copy a column of texts whole.
    some = [values.iloc[start : start + most // _STRETCHES] for start in starts]
    there = pd.concat(some).dropna()
    return there if len(there) else values.dropna().iloc[:most]


def _is_text(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return isinstance(column.dtype, pd.StringDtype)


def _numbers(
    texts: pd.Series[Any], decimal: Decimal | None, thousands: str | None, found: Finished
) -> Any:
    """A column's numbers; None where one is none, or where nothing says how they are written."""
    forms = forms_of(texts)
    own = decimal or forms.decimal
    undecided = forms.counts["either_point"] + forms.counts["either_comma"]
    if own is None and undecided:
        return None
    numbers = converted(texts, own or ".", thousands)
    if numbers is None:
        return None
    if own is not None:
        found.decimals.add(own)
    counts = forms.counts
    if counts["gaps"] + counts["gaps_point"] + counts["gaps_comma"]:
        found.thousands.add(_gap(texts))
    other = "comma" if own == "." else "point"
    if own is not None and counts[f"either_{other}"] + counts[f"grouped_{other}"]:
        found.thousands.add("," if own == "." else ".")
    return numbers if texts.notna().all() else np.asarray(numbers, dtype=np.float64)


def _gap(texts: pd.Series[Any]) -> str:
    """The space or apostrophe that stands between the thousands of a column's first such value."""
    for text in texts.dropna():
        marks = [sign for sign in str(text).strip() if not sign.isdigit() and sign not in "+-.,eE"]
        if marks:
            return marks[0]
    return ""
