"""`data.reading`: how a table's file is to be understood, where that should not be guessed.

Null means: look at the file. What was found is said in a note; see `trainers.data.tables.table`.
"""

from __future__ import annotations

import codecs
import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from trainers.data.options import means, nearest
from trainers.data.tables.formats import FORMATS
from trainers.errors import DataError

Decimal = Literal[".", ","]
WHITESPACE = "whitespace"
_SEPARATOR_WORDS = {
    "tab": "\t",
    "\\t": "\t",
    "space": WHITESPACE,
    " ": WHITESPACE,
    WHITESPACE: WHITESPACE,
    "comma": ",",
    "semicolon": ";",
}


@dataclass(frozen=True)
class ReadingOptions:
    """What a user may say of a table's file."""

    format: str = field(
        default="auto", metadata=means("auto, by the file's ending and content, or a format's name")
    )
    separator: str | None = field(
        default=None,
        metadata=means("between fields: one character, or tab, or whitespace; null: sniffed"),
    )
    decimal: Decimal | None = field(
        default=None, metadata=means("decimal point or decimal comma; null: sniffed")
    )
    thousands: str | None = field(
        default=None,
        metadata=means('mark between groups of three digits, "" for none; null: sniffed'),
    )
    encoding: str | None = field(
        default=None, metadata=means("utf-8, cp1252, utf-16, ...; null: sniffed")
    )
    quote: str | None = field(
        default=None, metadata=means('sign around a field, "" for none; null: sniffed')
    )
    skip_rows: int | None = field(
        default=None, metadata=means("lines before the header; null: sniffed")
    )
    header: bool | None = field(
        default=None,
        metadata=means("whether a row names the columns; without, they are called 0, 1, ..."),
    )
    columns: tuple[str, ...] | None = field(
        default=None, metadata=means("the columns' names, instead of the header's")
    )
    units_rows: int | None = field(
        default=None, metadata=means("rows of units under the header; null: sniffed")
    )
    index: bool | None = field(
        default=None,
        metadata=means("whether the first column only counts the rows and is left out"),
    )
    missing_values: tuple[str | int | float, ...] = field(
        default=(), metadata=means("further marks for a missing value, as ? or -9999")
    )
    usual_missing_values: bool = field(
        default=True,
        metadata=means("whether NA, None, null, nan and pandas' other marks are missing values"),
    )
    short_rows: Literal["error", "missing"] = field(
        default="error",
        metadata=means("rows with too few fields: an error, or their last values are missing"),
    )
    sheet: str | int | None = field(
        default=None, metadata=means("an Excel file's sheet, by name or number from 0")
    )

    def __post_init__(self) -> None:
        _require(self.format in ("auto", *FORMATS), "format", self.format, _formats(self.format))
        single = self.separator is None or self.delimiter is not None
        _require(single, "separator", self.separator, "one character, tab or whitespace")
        for name in ("thousands", "quote"):
            value = getattr(self, name)
            _require(value is None or len(value) < 2, name, value, 'one character, or ""')
        for name in ("skip_rows", "units_rows"):
            value = getattr(self, name)
            _require(value is None or value >= 0, name, value, "at least 0")
        differ = not self.decimal or self.decimal != self.thousands
        _require(differ, "thousands", self.thousands, "another mark than data.reading.decimal")
        _require(_is_codec(self.encoding), "encoding", self.encoding, "an encoding, as cp1252")
        names = self.columns or ("all",)
        unique = len(set(names)) == len(names) and all(names) and self.columns != ()
        _require(unique, "columns", self.columns, "one name a column, each another")

    @property
    def delimiter(self) -> str | None:
        """The separator as one character or `WHITESPACE`; None where it is to be sniffed."""
        if self.separator is None:
            return None
        single = self.separator if len(self.separator) == 1 else None
        return _SEPARATOR_WORDS.get(self.separator, single)


def carried(given: ReadingOptions, found: ReadingOptions) -> ReadingOptions:
    """Return how another file of the same kind is read on the same terms.

    What numbers and names mean stays as it was found; how the file is written (separator, encoding,
    lines before the header) is sniffed anew unless it was given.
    """
    kept = {name: getattr(found, name) for name in ("decimal", "thousands", "header", "columns")}
    return dataclasses.replace(given, **kept)


def _require(holds: bool, name: str, value: object, law: str) -> None:
    if not holds:
        raise DataError(f"data.reading.{name} must be {law}, but got {value!r}.")


def _formats(given: str) -> str:
    return f"one of auto, {', '.join(FORMATS)}{nearest(given, FORMATS).rstrip('?')}"


def _is_codec(name: str | None) -> bool:
    try:
        return name is None or bool(codecs.lookup(name))
    except LookupError:
        return False
