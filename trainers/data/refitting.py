"""Train and validation as one training part, where the source does not divide its data anew.

Scales, vocabularies and categories stay those of the training part alone: `data_to_refit` of a
sweep's models says so in a note. Rows in time are rather divided anew (`trainers.data.folds`,
origins in the test part), which fits all of that on both.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from trainers.data.contract import Array, Picked, SequenceData, SequenceSet
from trainers.data.validate import checked


def joined(data: SequenceData) -> SequenceData:
    """Return the data with their validation part's sequences behind the training part's.

    The validation part stays as it is; nothing may be chosen by it any more. Long series of a
    stream are joined in time where both parts have equally many, with a reset in between.

    Raises:
        DataError: the parts don't fit together.
    """
    train, validation = data.train, data.validation
    if data.walk == "stream" and len(train) == len(validation):
        whole = _in_time(train, validation)
    else:
        whole = _one_after_another(train, validation)
    return checked(dataclasses.replace(data, train=whole))


def _one_after_another(first: SequenceSet, second: SequenceSet) -> SequenceSet:
    steps = max(first.time_steps, second.time_steps)
    pair = [_padded(part, steps) for part in (first, second)]
    return _joined(pair[0], pair[1], axis=0)


def _in_time(first: SequenceSet, second: SequenceSet) -> SequenceSet:
    marks = [
        np.zeros((len(part), part.time_steps), np.bool_) if part.resets is None else part.resets
        for part in (first, second)
    ]
    begins = np.array(marks[1])
    begins[:, 0] = True
    parts = (
        dataclasses.replace(first, resets=marks[0]),
        dataclasses.replace(second, resets=begins),
    )
    return _joined(*parts, axis=1)


def _joined(first: SequenceSet, second: SequenceSet, axis: int) -> SequenceSet:
    """Join every array that both have; a mask or mark that one lacks holds everywhere, or nowhere.

    Args:
        axis: 0 joins sequences, 1 steps of the same sequences.
    """
    found: dict[str, Any] = {}
    for field in dataclasses.fields(SequenceSet):
        pair = [getattr(part, field.name) for part in (first, second)]
        if field.name in _EVERYWHERE and any(one is not None for one in pair):
            pair = [
                np.full((len(part), part.time_steps), _EVERYWHERE[field.name])
                if one is None
                else one
                for part, one in zip((first, second), pair, strict=True)
            ]
        per_sequence = field.name in _BY_SEQUENCE
        if any(one is None for one in pair):
            found[field.name] = None
        elif per_sequence and axis == 1:
            found[field.name] = pair[0]
        else:
            found[field.name] = np.concatenate(_alike([np.asarray(one) for one in pair]), axis)
    return SequenceSet(**found)


_EVERYWHERE = {"input_mask": True, "target_mask": True, "resets": False}
_BY_SEQUENCE = ("origins", "series", "rescale", "ahead", "latest", "season_ago")


def _alike(pair: list[Array]) -> list[Array]:
    """Give masks of steps and of outputs one shape."""
    most = max(one.ndim for one in pair)
    wide = next(one.shape[2:] for one in pair if one.ndim == most)
    return [
        one if one.ndim == most else np.broadcast_to(one[..., None], (*one.shape, *wide))
        for one in pair
    ]


def _padded(part: SequenceSet, steps: int) -> SequenceSet:
    """Return a part with as many steps, those that are added under its masks."""
    more = steps - part.time_steps
    if not more:
        return part
    own = np.ones((len(part), part.time_steps), np.bool_)
    masks = {
        "input_mask": own if part.input_mask is None else part.input_mask,
        "target_mask": own if part.target_mask is None else part.target_mask,
    }
    values = {"inputs": part.inputs, "targets": part.targets, **masks}
    if part.resets is not None:
        values["resets"] = part.resets
    return dataclasses.replace(part, **{name: _longer(one, more) for name, one in values.items()})


def _longer(array: Array | Picked, more: int) -> Array:
    values = np.asarray(array)
    return np.pad(values, [(0, 0), (0, more), *[(0, 0)] * (values.ndim - 2)])
