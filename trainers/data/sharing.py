"""Arrays of equal content in several data sets, kept once.

Choices of a window's length are views of the same series; each was read for itself. What is one
array here is pickled once, and lies in Ray once.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np

from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.views import Array, ArrayView, Picked, compact, owner, restored, view_of


class SharedArrays:
    """Takes data sets one by one and returns them with the arrays that earlier ones have."""

    def __init__(self) -> None:
        self._by_content: dict[str, Array] = {}
        self._views: dict[tuple[Any, ...], Any] = {}  # by base and geometry: pickled as copies
        self._seen: dict[int, tuple[Array, Array]] = {}  # by id; holds the array, so ids last

    def share(self, data: SequenceData) -> SequenceData:
        """Return the data; views stay views."""
        parts = {name: self._part(part) for name, part in data.parts().items()}
        times = data.times if isinstance(data.times, range) else self._array(data.times)
        return dataclasses.replace(data, **parts, times=times)  # type: ignore[arg-type]

    def _part(self, part: SequenceSet) -> SequenceSet:
        names = [f.name for f in dataclasses.fields(part)]
        arrays = {name: self._array(getattr(part, name)) for name in names}
        return SequenceSet(**arrays)

    def _array(self, array: Any) -> Any:
        if isinstance(array, Picked):
            return Picked(self._array(array.array), self._array(array.rows))
        state = compact(array)
        if isinstance(state, ArrayView):
            return restored(dataclasses.replace(state, base=self._one(state.base)))
        if not isinstance(state, np.ndarray) or state is not array:
            return array
        own = owner(array)
        if own is array or own.dtype != array.dtype or not own.flags.c_contiguous:
            return self._one(array)
        view = dataclasses.replace(view_of(own, array), base=self._one(own))
        place = (id(view.base), view.offset, view.shape, view.strides)
        return self._views.setdefault(place, restored(view))

    def _one(self, array: Array) -> Array:
        if id(array) not in self._seen:
            head = f"{array.dtype.str} {array.shape} "
            content = hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()
            one = self._by_content.setdefault(head + content, array)
            self._seen[id(array)] = (array, one)
        return self._seen[id(array)][1]
