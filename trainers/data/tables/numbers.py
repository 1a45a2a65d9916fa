"""Numbers as people write them: decimal comma or point, and marks between thousands.

`1.234` and `1,234` can be read in two ways. What the other numbers of a column, or of a file, show
decides; where nothing does, nothing is converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.tables.reading_options import Decimal

if TYPE_CHECKING:
    import pandas as pd

_SIGN = r"[+\-−]?"
_POWER = r"(?:[eE][+\-]?\d+)?"
_GAP = " \u00a0\u202f\u2009'’"
"""What may stand between thousands and is never a decimal mark."""
_FORMS = {
    "whole": rf"{_SIGN}(?:\d+{_POWER}|(?i:inf|infinity))",
    "point": rf"{_SIGN}(?:\d+\.\d*|\.\d+){_POWER}",
    "comma": rf"{_SIGN}(?:\d+,\d*|,\d+){_POWER}",
    "either_point": rf"{_SIGN}[1-9]\d{{0,2}}\.\d{{3}}",
    "either_comma": rf"{_SIGN}[1-9]\d{{0,2}},\d{{3}}",
    "grouped_point": rf"{_SIGN}\d{{1,3}}(?:(?:\.\d{{3}}){{2,}}|(?:\.\d{{3}})+,\d+)",
    "grouped_comma": rf"{_SIGN}\d{{1,3}}(?:(?:,\d{{3}}){{2,}}|(?:,\d{{3}})+\.\d+)",
    "gaps": rf"{_SIGN}\d{{1,3}}(?:[{_GAP}]\d{{3}})+",
    "gaps_point": rf"{_SIGN}\d{{1,3}}(?:[{_GAP}]\d{{3}})+\.\d+",
    "gaps_comma": rf"{_SIGN}\d{{1,3}}(?:[{_GAP}]\d{{3}})+,\d+",
}
"""Every value that is a number in some way has one form, `either_…` besides `point` or `comma`."""
_ANY = "|".join(_FORMS.values())
_UNIT_SIGN = r"[%‰€$£¥]"
_WITH_SIGN = rf"{_UNIT_SIGN}\s*(?:{_ANY})|(?:{_ANY})\s*{_UNIT_SIGN}"


@dataclass(frozen=True)
class Forms:
    """How many values of a column have which form; only numbers are counted.

    Attributes:
        counts: By form's name.
        numbers: Values that are numbers in any form.
        values: All values that are there.
    """

    counts: dict[str, int]
    numbers: int
    values: int

    @property
    def mostly(self) -> bool:
        """Whether at least half of the values are numbers."""
        return 0 < self.values <= 2 * self.numbers

    @property
    def points(self) -> int:
        """Values that show a decimal point."""
        sure = self.counts["point"] - self.counts["either_point"]
        return sure + self.counts["grouped_comma"] + self.counts["gaps_point"]

    @property
    def commas(self) -> int:
        """Values that show a decimal comma."""
        sure = self.counts["comma"] - self.counts["either_comma"]
        return sure + self.counts["grouped_point"] + self.counts["gaps_comma"]

    @property
    def decimal(self) -> Decimal | None:
        """The decimal mark that the values show; None where they show none, or both."""
        if bool(self.points) == bool(self.commas):
            return None
        return "." if self.points else ","


def forms_of(values: pd.Series[Any]) -> Forms:
    """Count the forms of a text column's values; missing ones do not count."""
    import pyarrow.compute as pc

    texts = trimmed(values)
    counts = {name: _count(texts, form) for name, form in _FORMS.items()}
    valid = len(texts) - texts.null_count
    empty = pc.sum(pc.equal(texts, "")).as_py() or 0
    return Forms(counts, _count(texts, _ANY), valid - empty)


def is_number(values: pd.Series[Any]) -> Array:
    """Which values are numbers in any form, bool `(rows,)`."""
    return _mask(trimmed(values), _ANY)


def has_sign(values: pd.Series[Any]) -> Array:
    """Which values are numbers beside a sign of per cent or of money, bool `(rows,)`."""
    return _mask(trimmed(values), _WITH_SIGN)


def converted(values: pd.Series[Any], decimal: str, thousands: str | None) -> Array | None:
    """Return a text column as float64 or int64, missing values as NaN; None if one is no number.

    Args:
        values: Texts.
        decimal: The decimal mark.
        thousands: The mark between groups of three digits, "" for none; None for any.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = trimmed(values)
    marks = _marks(decimal, thousands)
    whole = _FORMS["whole"]
    broken = _FORMS["point" if decimal == "." else "comma"]
    pattern = f"{whole}|{broken}"
    if marks:
        cells = "|".join(rf"(?:{mark}\d{{3}})+" for mark in marks)
        pattern += rf"|{_SIGN}\d{{1,3}}(?:{cells})(?:[{decimal}]\d+)?"
    if not pc.all(pc.match_substring_regex(texts, f"^(?:{pattern})$"), min_count=0).as_py():
        return None
    for mark in marks:
        texts = pc.replace_substring_regex(texts, mark, "")
    texts = pc.replace_substring_regex(pc.replace_substring(texts, "−", "-"), r"^\+", "")
    if texts.null_count == 0 and pc.all(pc.match_substring_regex(texts, r"^-?\d{1,18}$")).as_py():
        return np.asarray(pc.cast(texts, pa.int64()))
    numbers = pc.cast(pc.replace_substring(texts, decimal, "."), pa.float64())
    return np.asarray(pc.fill_null(numbers, np.nan))


def plain_numbers(column: pd.Series[Any]) -> Array | None:
    """Return a column that is no column of numbers as such, if it holds texts or objects that are.

    None where a value is no number, or one that can be read in two ways.
    """
    import pandas as pd

    if column.dtype == object:
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
        return None if (np.isnan(numbers) & column.notna().to_numpy()).any() else numbers
    if not isinstance(column.dtype, pd.StringDtype):
        return None
    read = converted(column, ".", "")
    return None if read is None or forms_of(column).counts["either_point"] else read


def trimmed(values: pd.Series[Any]) -> Any:
    """Return a text column as an Arrow array, without the spaces around its values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(values, type=pa.large_string(), from_pandas=True)
    return pc.utf8_trim_whitespace(array)


def _marks(decimal: str, thousands: str | None) -> list[str]:
    """Patterns of the marks that may stand between thousands."""
    if thousands is not None:
        return [f"[{_GAP}]" if thousands in _GAP else rf"\{thousands}"] if thousands else []
    return [r"\," if decimal == "." else r"\.", f"[{_GAP}]"]


def _mask(texts: Any, pattern: str) -> Array:
    import pyarrow.compute as pc

    found = pc.match_substring_regex(texts, f"^(?:{pattern})$")
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False))


def _count(texts: Any, pattern: str) -> int:
    return int(_mask(texts, pattern).sum())
