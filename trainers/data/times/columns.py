"""One column of a table as times, whatever it holds: dates, texts, numbers, categories of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.civil import FIRST_YEAR, LAST_YEAR
from trainers.data.times.counts import read_numbers, read_years
from trainers.data.times.day_order import order_of_format
from trainers.data.times.formats import ns_of, read_format
from trainers.data.times.options import TimeOptions
from trainers.data.times.reads import Read
from trainers.data.times.texts import read_texts
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = r"^\d{1,18}$"
_TIME_ONLY = re.compile(r"\d{1,2}:\d{2}(:\d{2}.*)?")
_NUMBER = r"^[+-]?\d+[.,]?\d*(?:[eE][+-]?\d+)?$"


def read_column(column: pd.Series[Any], name: str, options: TimeOptions) -> Read:
    """Read a column as times by its own clock.

    Raises:
        DataError: a value is missing or no time, or could be several.
    """
    column = plain(column)
    require_present(column, name)
    read = _read(column, name, options)
    wrong = np.flatnonzero(~read.fits)
    if len(wrong):
        raise DataError(_misfit(column, int(wrong[0]), name, options, read))
    return read


def plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return Arrow's own types as pandas' usual ones, and periods as their starts."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(column.dtype, pd.ArrowDtype):
        usual: pd.Series[Any] = pa.array(column).to_pandas()
        return usual
    return column.dt.to_timestamp() if isinstance(column.dtype, pd.PeriodDtype) else column


def require_present(column: pd.Series[Any], name: str) -> None:
    """Check that every row has a value.

    Raises:
        DataError: a value is missing.
    """
    absent = column.isna().to_numpy()
    if column.dtype == "str":
        absent = absent | (column == "").to_numpy(dtype=bool)
    missing = np.flatnonzero(absent)
    if len(missing):
        raise DataError(
            f"every row must have a time, but {len(missing)} of {len(column)} have none in column "
            f"{name!r}, the first in data row {missing[0]} (counted from 0); fill it in, or take "
            "the row out of the file."
        )


def _read(column: pd.Series[Any], name: str, options: TimeOptions) -> Read:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = pd.Series(column.cat.categories)
        return _read(categories, name, options).take(column.cat.codes.to_numpy())
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _read_dates(column)
    if pd.api.types.is_bool_dtype(dtype):
        raise DataError(f"time column {name!r} must hold times, but holds true and false.")
    if options.format is not None:
        order = order_of_format(options.format)
        texts = as_texts(column)
        return (
            read_format(texts, options.format) if order is None else read_texts(texts, name, order)
        )
    if pd.api.types.is_numeric_dtype(dtype):
        return read_numbers(_numbers(column), name, options.unit)
    return _read_any_text(as_texts(column), name, options)


def _read_dates(column: pd.Series[Any]) -> Read:
    """Read pandas' own dates; aware ones keep the clock of their zone."""
    local, fits = ns_of(column.dt.tz_localize(None))
    if column.dt.tz is None:
        return Read(local, fits)
    utc, _ = ns_of(column.dt.tz_convert("UTC").dt.tz_localize(None))
    return Read(local, fits, local - utc, str(column.dt.tz))


def _numbers(column: pd.Series[Any]) -> Array:
    import pandas as pd

    whole = pd.api.types.is_integer_dtype(column.dtype)
    return column.to_numpy(dtype=np.int64 if whole else np.float64)


def as_texts(column: pd.Series[Any]) -> Any:
    """Return an arrow array of texts; whole numbers without a decimal point."""
    import pandas as pd
    import pyarrow as pa

    if pd.api.types.is_float_dtype(column.dtype) and (column == np.floor(column)).all():
        column = column.astype(np.int64)
    array = pa.array(column.astype("str"), type=pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _read_any_text(texts: Any, name: str, options: TimeOptions) -> Read:
    """Read texts as numbers where all are, as dates in any other case."""
    import pyarrow.compute as pc

    if all_digits(texts):
        whole = pc.cast(texts, "int64").to_numpy(zero_copy_only=False)
        read = read_years(whole, name) if options.unit is None else None
        return read or read_numbers(whole, name, options.unit)
    if _all_match(texts, _NUMBER):
        values = pc.cast(pc.replace_substring(texts, ",", "."), "float64")
        return read_numbers(values.to_numpy(zero_copy_only=False), name, options.unit)
    if options.unit is not None:
        raise DataError(
            f"data.time_unit counts numbers, but column {name!r} holds {texts[0].as_py()!r} "
            "(data row 0, counted from 0); leave data.time_unit out."
        )
    return read_texts(texts, name)


def all_digits(texts: Any) -> bool:
    """Whether all texts of an arrow array are whole numbers without a sign."""
    return _all_match(texts, _DIGITS)


def _all_match(texts: Any, pattern: str) -> bool:
    import pyarrow.compute as pc

    first = pc.match_substring_regex(texts[:1], pattern)[0].as_py()
    return bool(first and pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _misfit(column: pd.Series[Any], row: int, name: str, options: TimeOptions, read: Read) -> str:
    """One line on a value that was not understood."""
    value = column.iloc[row]
    text = str(value).strip()
    if text[:4].isdigit() and not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        return (
            f"column {name!r} must lie in the years {FIRST_YEAR} to {LAST_YEAR}, but got {text} in "
            f"data row {row} (counted from 0); mend it, or take the row out of the file."
        )
    shown = repr(value) if isinstance(value, str) else str(value)
    got = f"got {shown} in data row {row} (counted from 0)"
    if options.format is not None:
        return (
            f"times of column {name!r} must be as data.time_format {options.format!r} says, but "
            f"{got}; mend the value or the option."
        )
    if _TIME_ONLY.fullmatch(text):
        return (
            f"column {name!r} must hold dates, but {got}; name the column of the dates before it, "
            f"as data.time_column: [date, {name}]."
        )
    if read.offsets is not None:
        return (
            f"times of column {name!r} must all have an offset from UTC, or none, but {got} "
            "while others differ; write the offset in every row."
        )
    first = f"; data row 0 has {column.iloc[0]!s}" if row else ""
    return (
        f"column {name!r} must hold times, all written alike, but {got}{first}; mend it, or say "
        'how times are written, as data.time_format: "%d.%m.%Y %H:%M".'
    )
