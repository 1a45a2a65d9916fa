"""Categories among the inputs, checked: features that hold ids, as `contract.Category` says."""

from __future__ import annotations

import numpy as np

from trainers.data.blocks import blocks_of
from trainers.data.contract import Array, Category, Picked, SequenceData, SequenceSet
from trainers.data.views import owner
from trainers.errors import DataError


def check_categories(data: SequenceData) -> None:
    """Check categories, and that their features hold ids where steps exist.

    Raises:
        DataError: they do not; one line names part, sequence and step.
    """
    features = [category.feature for category in data.categories]
    if features != sorted(set(features)):
        raise DataError(f"categories must be in the order of their features, but got {features}.")
    for category in data.categories:
        if not category.values or category.embedding_size < 1:
            raise DataError(
                f"category {category.name!r} must have a value and an embedding_size >= 1, but got "
                f"{len(category.values)} values and embedding_size={category.embedding_size}."
            )
        for name, part in data.parts().items():
            _check_ids(name, part, category)


def _check_ids(name: str, part: SequenceSet, category: Category) -> None:
    """Check that a feature holds ids, given that it is finite where it exists."""
    feature, count = category.feature, len(category.values)
    if part.inputs.ndim != 3 or not 0 <= feature < part.inputs.shape[2]:
        raise DataError(
            f"category {category.name!r} must be one of the inputs' features, but is feature "
            f"{feature} of {part.inputs.shape}."
        )
    steps = _steps_of(part.inputs)
    if steps is not None and not any(
        _is_no_id(block[:, feature], count).any() for _, block, _ in blocks_of(steps, None)
    ):
        return
    for start, block, shown in blocks_of(part.inputs, part.input_mask):
        bad = _is_no_id(block[..., feature], count)
        if shown is not None:
            bad &= shown
        if bad.any():
            row, step = np.argwhere(bad)[0]
            raise DataError(
                f"{name}: category {category.name!r} must hold whole ids from 0 (unknown) to "
                f"{count}, but got {block[row, step, feature]} in sequence {start + row}, step "
                f"{step}."
            )


def _is_no_id(values: Array, count: int) -> Array:
    return np.asarray(~((values >= 0) & (values <= count) & (values == np.trunc(values))))


def _steps_of(values: Array | Picked) -> Array | None:
    """All the steps `(steps, features)` that windows are views of; None where they are no views."""
    array = values.array if isinstance(values, Picked) else values
    base = owner(array)
    if base.ndim != 2 or not base.flags.c_contiguous or base.dtype != array.dtype:
        return None
    row = base.shape[1] * base.itemsize
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    whole = base.shape[1] == array.shape[-1] and array.strides[-1] == base.itemsize
    return base if whole and offset % row == 0 and array.strides[1] % row == 0 else None
