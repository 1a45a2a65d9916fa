"""Whether targets are counts, which some losses need: whole numbers >= 0, as they are."""

from __future__ import annotations

import weakref

import numpy as np

from trainers.data.blocks import blocks_of
from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.errors import ConfigError

# A sweep asks for hundreds of configurations: a part is looked through once.
_found: dict[int, tuple[weakref.ref[SequenceSet], str | None]] = {}


def check_counts(loss: str, data: SequenceData) -> None:
    """Check that targets are counts that nobody scaled or shifted.

    Raises:
        ConfigError: they are not; the message says which option mends it.
    """
    needs = f"loss={loss} needs counts as they are"
    if data.target_transform != "none":
        raise ConfigError(
            f"{needs}, but got targets under data.target_transform={data.target_transform}; set "
            "data.target_transform: none and data.scale_targets: false."
        )
    if (scaled := _scaled(data)) is not None:
        raise ConfigError(f"{needs}, but {scaled}, or another train.loss.")
    for name, part in data.parts().items():
        if (found := _looked_at(part, data)) is not None:
            raise ConfigError(
                f"{needs}, whole numbers >= 0, but {found} in the {name} part; set train.loss: "
                "gaussian, or another."
            )


def _scaled(data: SequenceData) -> str | None:
    """Return what was done to targets, and the options that undo it."""
    if data.train.rescale is not None:
        return (
            "targets are scaled by series, or changes; set data.scale_targets: false and "
            "data.target_transform: none"
        )
    scale, shift = data.target_scale, data.target_shift
    found = []
    if scale is not None and (scale != 1).any():
        found.append(f"divided by {scale[scale != 1][0]:.4g}")
    if shift is not None and shift.any():
        found.append(f"shifted by {shift[shift != 0][0]:.4g}")
    return f"targets are {' and '.join(found)}; set data.scale_targets: false" if found else None


def _looked_at(part: SequenceSet, data: SequenceData) -> str | None:
    known = _found.get(id(part))
    if known is None or known[0]() is not part:
        known = _found[id(part)] = (weakref.ref(part), _no_count(part, data))
    return known[1]


def _no_count(part: SequenceSet, data: SequenceData) -> str | None:
    """Return the first target that is none, in words."""
    given = part.input_mask if part.target_mask is None else part.target_mask
    for start, values, mask in blocks_of(part.targets, given):
        wrong: Array = (values < 0) | (values != np.floor(values))
        if mask is not None:
            wrong &= mask if mask.ndim == 3 else mask[..., None]
        if wrong.any():
            row, step, output = np.argwhere(wrong)[0]
            names = data.target_names
            said = f" of {names[output]!r}" if names else ""
            value = values[row, step, output]
            return f"the target{said} is {value:g} at step {step} of sequence {start + row}"
    return None
