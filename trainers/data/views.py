"""Arrays that share memory: strided views, and some rows of them, picked when they are asked for.

Windows over long series are views, and those of many series, or without those that miss a target,
are picked rows of one view: nothing is copied until a batch gathers its rows. Both stay what they
are when a set is pickled, so that one `ray.put` of the series serves every worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Picked:
    """Rows of an array, in an order of their own; indexed as an array of them would be.

    Attributes:
        array: `(places, …)`, perhaps a strided view.
        rows: `(rows,)` int, the place of each row.
    """

    array: Array
    rows: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """As of the array that `np.asarray` makes of it."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its elements."""
        return self.array.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """Return gathered rows; with a slice of rows another `Picked`, nothing gathered yet."""
        first, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(first, slice):
            array = self.array[(slice(None), *rest)] if rest else self.array
            return Picked(array, self.rows[first])
        return self.array[(self.rows[first], *rest)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        gathered = self.array[self.rows]
        return gathered if dtype is None else gathered.astype(dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"array": compact(self.array), "rows": self.rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "array", restored(state["array"]))
        object.__setattr__(self, "rows", state["rows"])


@dataclass(frozen=True)
class ArrayView:
    """A strided view, as its contiguous base plus geometry; `offset` and `strides` in bytes."""

    base: Array
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


def as_range(rows: Array) -> range | None:
    """Return ascending, evenly spaced numbers `(rows,)` as a range; None where they are not."""
    if len(rows) == 0:
        return None
    step = int(rows[1] - rows[0]) if len(rows) > 1 else 1
    even = range(int(rows[0]), int(rows[-1]) + 1, step) if step > 0 else range(0)
    return even if len(even) == len(rows) and (np.diff(rows) == step).all() else None


def picked(array: Array, rows: Array) -> Array | Picked:
    """Return rows of an array: a plain view where they are evenly spaced, otherwise `Picked`."""
    even = as_range(rows)
    if even is None:
        return Picked(array, rows)
    return array[even.start : even.stop : even.step]


def owner(array: Array) -> Array:
    """Follow `.base` to the array that owns the memory.

    `as_strided` puts a plain holder between the two, so not every link is an array.
    """
    base: Any = array
    while getattr(base, "base", None) is not None:
        base = base.base
        if isinstance(base, np.ndarray):
            array = base
    return array


def compact(array: Array | Picked | range | None) -> Array | ArrayView | Picked | range | None:
    """Return the array, or its base and geometry where that is smaller: what is pickled and hashed.

    A view that is smaller than its base is copied instead.
    """
    if array is None or isinstance(array, Picked | range) or array.flags.c_contiguous:
        return array
    base = owner(array)
    if not base.flags.c_contiguous or base.dtype != array.dtype or base.nbytes > array.nbytes:
        return np.ascontiguousarray(array)
    return view_of(base, array)


def view_of(base: Array, array: Array) -> ArrayView:
    """Return where an array lies in the one that owns its memory."""
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return ArrayView(base, offset, array.shape, array.strides, array.dtype.str)


def restored(state: Array | ArrayView | Picked | range | None) -> Array | Picked | range | None:
    """Return what `compact` was given, not to be written to where it is a view."""
    if not isinstance(state, ArrayView):
        return state
    flat = state.base.reshape(-1)
    start = flat[state.offset // flat.itemsize :]
    return np.lib.stride_tricks.as_strided(start, state.shape, state.strides, writeable=False)


def owners(array: Array | Picked) -> list[Array]:
    """Return the arrays whose memory it takes."""
    return [owner(array.array), owner(array.rows)] if isinstance(array, Picked) else [owner(array)]
