"""A table put together from pieces: one kind a column, and no more memory than it needs.

A small table keeps its numbers as they are. In a large one, numbers are kept in as few bytes as
hold them: whole ones exactly, others as float32 where that rounds by less than a millionth of the
column's spread.
"""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainers.data.contract import Array

if TYPE_CHECKING:
    import pandas as pd

LARGE = 4_000_000
"""Values from which on a table is large."""
_ROUNDING = 2.0**-24
_EXACT = 2**24
_TOLERANCE = 1e-6
_WHOLE = (np.int8, np.int16, np.int32, np.int64)
PieceKind = Literal["missing", "number", "truth", "other"]


class Gathered:
    """Pieces of a table, first to last, with the same columns.

    Args:
        last: Keep only so many of the last rows; None keeps all.
    """

    def __init__(self, last: int | None = None) -> None:
        self.rows = 0
        self.mixed: list[str] = []
        """Columns whose pieces are of different kinds; the table lacks them."""
        self._last = last
        self._pieces: dict[str, list[pd.Series[Any]]] = {}
        self._numbers: dict[str, Growing] = {}
        self._lengths: deque[int] = deque()

    def add(self, frame: pd.DataFrame) -> None:
        """Take one more piece."""
        self._lengths.append(len(frame))
        self.rows += len(frame)
        for name in [str(name) for name in frame.columns if str(name) not in self.mixed]:
            if name in self._numbers:
                self._grow(name, frame[name])
            else:
                self._pieces.setdefault(name, []).append(frame[name])
        self._forget()
        if self._last is None and not self._numbers and self.rows * len(frame.columns) > LARGE:
            self._begin_to_grow()

    def _forget(self) -> None:
        """Let go of pieces that lie before the last rows to keep."""
        while self._last is not None and sum(self._lengths) - self._lengths[0] >= self._last:
            self._lengths.popleft()
            for pieces in self._pieces.values():
                pieces.pop(0)

    def _begin_to_grow(self) -> None:
        for name in list(self._pieces):
            if all(_kind(piece) in ("number", "missing") for piece in self._pieces[name]):
                pieces = self._pieces.pop(name)
                self._numbers[name] = Growing()
                for piece in pieces:
                    self._grow(name, piece)

    def _grow(self, name: str, piece: pd.Series[Any]) -> None:
        if _kind(piece) in ("number", "missing"):
            self._numbers[name].add(piece.to_numpy(dtype=None if piece.dtype != object else float))
        else:
            self.mixed.append(name)
            del self._numbers[name]

    def frame(self) -> pd.DataFrame:
        """Join the pieces, column by column; what is joined is given up."""
        import pandas as pd

        columns = {}
        for name in [*self._pieces, *self._numbers]:
            if name in self._numbers:
                columns[name] = pd.Series(self._numbers.pop(name).values(), copy=False)
                continue
            joined = _joined(self._pieces.pop(name))
            if joined is None:
                self.mixed.append(name)
            else:
                columns[name] = joined if self._last is None else joined.iloc[-self._last :]
        return pd.DataFrame(columns, copy=False).reset_index(drop=True)


class Growing:
    """One column of numbers that grows in place, in the narrowest type that holds all of it.

    The system gives memory when it is written to, so that room ahead costs none.
    """

    def __init__(self) -> None:
        self._held = np.empty(0, dtype=np.int8)
        self._length = 0

    def add(self, piece: Array) -> None:
        """Take more values."""
        values = narrow_values(piece)
        end = self._length + len(values)
        held = self._held[: self._length]
        dtype = _common(held, values) if self._length else values.dtype
        if dtype != held.dtype:
            self._held = held.astype(dtype)
        del held
        if end > len(self._held):
            self._held.resize(end + max(end // 2, 2**16), refcheck=False)
        self._held[self._length : end] = values
        self._length = end

    def values(self) -> Array:
        """Return all of it; nothing can be added any more."""
        self._held.resize(self._length, refcheck=False)
        return self._held


def narrowed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of numbers in as few bytes as hold them; others as they are."""
    import pandas as pd

    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "iuf":
        return column
    return pd.Series(narrow_values(column.to_numpy()), index=column.index, copy=False)


def narrow_values(values: Array) -> Array:
    """Return numbers in as few bytes as hold them."""
    if not len(values):
        return values
    if values.dtype.kind in "iu":
        low, high = int(values.min()), int(values.max())
        held = (t for t in _WHOLE if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
        return values.astype(next(held, values.dtype))
    finite = values[np.isfinite(values)]
    if values.dtype.itemsize <= 4 or not len(finite):
        return values.astype(np.float32)
    low, high = finite.min(), finite.max()
    most = max(abs(low), abs(high))
    fits = most * _ROUNDING <= _TOLERANCE * (high - low) and most < np.finfo(np.float32).max
    if not fits and most < np.finfo(np.float32).max:
        fits = bool((finite.astype(np.float32) == finite).all())
    return values.astype(np.float32) if fits else values


def _common(held: Array, values: Array) -> Any:
    """The narrowest type that holds both; whole numbers up to 2^24 fit among float32."""
    kinds = {held.dtype.kind, values.dtype.kind}
    whole, floats = (held, values) if held.dtype.kind == "i" else (values, held)
    if kinds == {"i", "f"} and floats.dtype == np.float32:
        return np.float32 if max(-int(whole.min()), int(whole.max())) <= _EXACT else np.float64
    return np.promote_types(held.dtype, values.dtype)


def typed_objects(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns of Python objects have types where their values have one.

    Numbers among words become words.
    """
    import pandas as pd

    frame = frame.infer_objects()
    dtypes = {str(name): frame[name].dtype for name in frame.columns}
    for name in [name for name, dtype in dtypes.items() if dtype == np.dtype(object)]:
        kind = pd.api.types.infer_dtype(frame[name], skipna=True)
        if kind == "boolean":
            frame[name] = frame[name].astype("boolean")
        elif kind.startswith("mixed"):
            simple = frame[name].map(lambda value: isinstance(value, str | int | float))
            if simple.all():
                frame[name] = frame[name].astype("str")
    return frame


def _kind(series: pd.Series[Any]) -> PieceKind:
    import pandas as pd

    if series.dtype == np.bool_:
        return "truth"
    if series.dtype == object:
        kind = pd.api.types.infer_dtype(series, skipna=True)
        return {"boolean": "truth", "empty": "missing"}.get(kind, "other")  # type: ignore[return-value]
    if series.isna().all():
        return "missing"
    return (
        "number" if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iuf" else "other"
    )


def _joined(pieces: Sequence[pd.Series[Any]]) -> pd.Series[Any] | None:
    """Return pieces of one kind as one column; None where their kinds differ."""
    import pandas as pd

    kinds = [_kind(piece) for piece in pieces]
    told = {kind for kind in kinds if kind != "missing"}
    if len(told) > 1:
        return None
    if told == {"truth"}:
        truths: pd.Series[Any] = pd.concat(pieces) if len(pieces) > 1 else pieces[0]
        return truths if truths.dtype == np.bool_ else truths.astype("boolean")
    if len(pieces) == 1:
        return pieces[0]
    if told == {"number"} or all(piece.dtype.kind == "f" for piece in pieces):
        return pd.Series(np.concatenate([piece.to_numpy() for piece in pieces]), copy=False)
    dtype = next(p.dtype for p, kind in zip(pieces, kinds, strict=True) if kind != "missing")
    alike = [piece if piece.dtype == dtype else piece.astype(dtype) for piece in pieces]
    return _in_one_piece(pd.concat(alike))


def _in_one_piece(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts as one array, which whoever needs it whole then need not copy."""
    import pandas as pd
    import pyarrow as pa

    if not isinstance(column.dtype, pd.StringDtype):
        return column
    texts = pa.array(column)
    release_freed()
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return pd.Series(whole, dtype=column.dtype)


def release_freed() -> None:
    """Give memory that was freed back to the system: Arrow's pool would keep it, and glibc's."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
