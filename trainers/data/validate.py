"""The sequence contract, checked once when data are loaded, and the digest of what was loaded.

Every check names the part, the row and the step at fault. Padding (masked steps) may hold
anything, NaN included; what a mask shows has to be finite.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from typing import get_args

import numpy as np

from trainers.data.blocks import BLOCK_ELEMENTS, blocks_of
from trainers.data.category_ids import check_categories
from trainers.data.contract import Array, Picked, SequenceData, SequenceSet, TargetTransform, Walk
from trainers.data.views import ArrayView, compact
from trainers.errors import DataError

_FIELDS = ("inputs", "targets", "input_mask", "target_mask")


def checked(data: SequenceData) -> SequenceData:
    """Return the data with their digest, once they hold to the contract.

    Raises:
        DataError: shapes, types, values or masks break the contract.
    """
    for name, part in data.parts().items():
        _check_shapes(name, part, data)
        _check_masks(name, part, data)
        _check_values(name, part, data)
        if data.one_target:
            _check_one_target(name, part)
        if part.rescale is not None:
            _check_rescale(name, part.rescale, len(part), data)
        _check_past(name, part, data)
    _check_horizon(data)
    check_categories(data)
    _check_scaling(data)
    _check_transform(data)
    data = _with_vocabulary(data)
    _check_walk(data)
    _check_class_weights(data)
    return dataclasses.replace(data, digest=digest(data))


def digest(data: SequenceData) -> str:
    """SHA-256 over all rows of all parts, masks, sizes and scaling included.

    A view is hashed as its base and its geometry, so windows cost no more than their series.
    """
    seen: dict[int, bytes] = {}
    total = hashlib.sha256(f"{data.task} {data.input_size} {data.output_size}".encode())
    for name, part in data.parts().items():
        for field in _FIELDS:
            total.update(f"|{name}.{field}|".encode())
            total.update(_fingerprint(getattr(part, field), seen))
        for field in ("resets", "rescale", "ahead"):
            if getattr(part, field) is not None:
                total.update(f"|{name}.{field}|".encode())
                total.update(_fingerprint(getattr(part, field), seen))
    for field in ("target_scale", "target_shift"):
        total.update(f"|{field}|".encode())
        total.update(_fingerprint(getattr(data, field), seen))
    if data.target_transform != "none":
        total.update(f"|target_transform {data.target_transform}|".encode())
    if data.class_weights is not None:
        total.update(b"|class_weights|" + _fingerprint(data.class_weights, seen))
    if data.pairs:
        total.update(b"|pairs|")
    if data.walk != "sequences":
        total.update(f"|walk {data.walk}|".encode())
    # The same ids under other words are other data.
    for token in data.tokens:
        total.update(f"|token {token!r}".encode())
    for category in data.categories:
        total.update(f"|category {category.feature} {category.values!r}".encode())
    return total.hexdigest()


def _fingerprint(array: Array | Picked | None, seen: dict[int, bytes]) -> bytes:
    """Hash one array; `seen` maps the id of a base that several views share to its hash."""
    if array is None:
        return b"none"
    if isinstance(array, Picked):
        return b"picked" + _fingerprint(array.array, seen) + _fingerprint(array.rows, seen)
    state = compact(array)
    if isinstance(state, ArrayView):
        key = id(state.base)
        if key not in seen:
            seen[key] = hashlib.sha256(state.base.reshape(-1).view(np.uint8).data).digest()
        geometry = f"{state.offset} {state.shape} {state.strides} {state.dtype}"
        return seen[key] + geometry.encode()
    content = np.ascontiguousarray(array)
    head = f"{array.shape} {array.dtype.str}".encode()
    return head + hashlib.sha256(content.reshape(-1).view(np.uint8).data).digest()


def _check_shapes(name: str, part: SequenceSet, data: SequenceData) -> None:
    inputs, targets = part.inputs, part.targets
    tokens = inputs.ndim == 2 and np.issubdtype(inputs.dtype, np.integer)
    if not tokens and not (inputs.ndim == 3 and inputs.dtype == np.float32):
        raise DataError(
            f"{name}: inputs must be (sequences, time, features) float32 or (sequences, time) "
            f"integer token ids, but got shape {inputs.shape} of {inputs.dtype}."
        )
    if len(inputs) == 0 or inputs.shape[1] == 0:
        raise DataError(f"{name}: needs at least one sequence of one step, but got {inputs.shape}.")
    if not tokens and inputs.shape[2] != data.input_size:
        raise DataError(
            f"{name}: inputs must have {data.input_size} features, but got {inputs.shape[2]}."
        )
    wanted, kind = ((), np.int64) if _are_ids(part, data) else ((data.output_size,), np.float32)
    _expect(name, "targets", targets, (*inputs.shape[:2], *wanted), kind)
    if part.input_mask is not None:
        _expect(name, "input_mask", part.input_mask, inputs.shape[:2], np.bool_)
    if part.resets is not None:
        _expect(name, "resets", part.resets, inputs.shape[:2], np.bool_)
    mask = part.target_mask
    if mask is not None:
        per_output = mask.ndim == 3 and not _are_ids(part, data)
        _expect(
            name, "target_mask", mask, targets.shape if per_output else inputs.shape[:2], np.bool_
        )


def _are_ids(part: SequenceSet, data: SequenceData) -> bool:
    """Whether targets are class ids: not numbers, nor labels of 0 and 1 side by side."""
    return data.task == "classification" and part.targets.ndim != 3


def _expect(
    name: str, field: str, array: Array | Picked, shape: tuple[int, ...], kind: type
) -> None:
    if array.shape != shape or array.dtype != kind:
        raise DataError(
            f"{name}: {field} must have shape {shape} and type {np.dtype(kind)} to fit inputs, but "
            f"got {array.shape} of {array.dtype}."
        )


def _check_masks(name: str, part: SequenceSet, data: SequenceData) -> None:
    empty: list[int] = []
    shows_one = part.target_mask is None
    for start, shown, valid in _mask_blocks(part):
        empty += (start + np.flatnonzero(~shown.any(axis=1))).tolist()
        hidden = valid & ~shown
        if part.input_mask is not None and not data.pairs and hidden.any():
            row, step = np.argwhere(hidden)[0]
            raise DataError(
                f"{name}: a target needs its input step, but sequence {start + row} has a target "
                f"at step {step}, which input_mask hides; pass a target_mask that hides it too."
            )
        shows_one = shows_one or bool(valid.any())
    if empty:
        raise DataError(
            f"{name}: every sequence needs at least one step that its input_mask shows, but "
            f"{len(empty)} have none, the first at index {empty[0]}; leave them out."
        )
    if not shows_one:
        raise DataError(f"{name}: at least one target must be present, but target_mask hides all.")


def _mask_blocks(part: SequenceSet) -> Iterator[tuple[int, Array, Array]]:
    """Walk over rows in blocks of bounded size: first row, steps that exist, steps with a target.

    Both are `(rows, time)`; where no mask hides anything they are one row that stands for all.
    """
    one = np.ones((1, part.time_steps), dtype=np.bool_)
    if part.input_mask is None and (part.target_mask is None or _is_one_row(part.target_mask)):
        yield 0, one, one if part.target_mask is None else _with_target(part.target_mask[:1])
        return
    rows = max(1, BLOCK_ELEMENTS // max(1, part.time_steps))
    for start in range(0, len(part), rows):
        span = slice(start, start + rows)
        shown = one if part.input_mask is None else np.asarray(part.input_mask[span])
        valid = one if part.target_mask is None else _with_target(part.target_mask[span])
        yield start, shown, valid


def _is_one_row(mask: Array | Picked) -> bool:
    """Whether a mask is one row, broadcast over all."""
    return not isinstance(mask, Picked) and mask.strides[0] == 0


def _with_target(mask: Array | Picked) -> Array:
    """Steps with a target in any output, `(rows, time)`."""
    block = np.asarray(mask)
    return np.asarray(block.any(axis=2) if block.ndim == 3 else block)


def has_one_target(part: SequenceSet) -> bool:
    """Whether every sequence has a single target, at its last valid step."""
    return _without_one_target(part) is None


def _check_one_target(name: str, part: SequenceSet) -> None:
    wrong = _without_one_target(part)
    if wrong is not None:
        raise DataError(
            f"{name}: with one target per sequence it stands at the last valid step, and only "
            f"there, but target_mask of sequence {wrong} shows other steps."
        )


def _without_one_target(part: SequenceSet) -> int | None:
    """Index of the first sequence whose targets are not just one, at the last valid step."""
    time = np.arange(part.time_steps)
    for start, shown, valid in _mask_blocks(part):
        last = part.time_steps - 1 - shown[:, ::-1].argmax(axis=1)
        wrong = np.flatnonzero((valid != (time == last[:, None])).any(axis=1))
        if len(wrong):
            return int(start + wrong[0])
    return None


def _check_values(name: str, part: SequenceSet, data: SequenceData) -> None:
    if part.inputs.ndim == 3:
        _check_finite(name, "inputs", part.inputs, part.input_mask)
    else:
        _check_ids(name, "inputs", part.inputs, part.input_mask, data.input_size)
    if _are_ids(part, data):
        _check_ids(name, "targets", part.targets, part.target_mask, data.output_size)
        return
    _check_finite(name, "targets", part.targets, part.target_mask)
    if data.task == "classification":
        _check_labels(name, part)


def _check_labels(name: str, part: SequenceSet) -> None:
    """Labels that do not exclude each other are 0 or 1."""
    for start, block, shown in blocks_of(part.targets, part.target_mask):
        bad = (block != 0) & (block != 1)
        if shown is not None:
            bad &= shown if shown.ndim == bad.ndim else shown[..., None]
        if bad.any():
            row, step, column = np.argwhere(bad)[0]
            raise DataError(
                f"{name}: labels must be 0 or 1, but got {block[row, step, column]} in sequence "
                f"{start + row}, step {step}, column {column}."
            )


def _check_finite(
    name: str, field: str, values: Array | Picked, mask: Array | Picked | None
) -> None:
    state = compact(values.array if isinstance(values, Picked) else values)
    if isinstance(state, ArrayView) and all(
        np.isfinite(block).all() for _, block, _ in blocks_of(state.base, None)
    ):
        return
    for start, block, shown in blocks_of(values, mask):
        bad = ~np.isfinite(block)
        if shown is not None:
            bad &= shown if shown.ndim == bad.ndim else shown[..., None]
        if bad.any():
            row, step, column = np.argwhere(bad)[0]
            raise DataError(
                f"{name}: {field} must be finite where the mask shows them, but got "
                f"{block[row, step, column]} in sequence {start + row}, step {step}, column "
                f"{column}; fill it in, or hide the step with a mask."
            )


def _check_ids(
    name: str, field: str, ids: Array | Picked, mask: Array | Picked | None, count: int
) -> None:
    for start, block, shown in blocks_of(ids, mask):
        bad = (block < 0) | (block >= count)
        if shown is not None:
            bad &= shown
        if bad.any():
            row, step = np.argwhere(bad)[0]
            raise DataError(
                f"{name}: `0 <= id < {count}` must hold for {field}, but got {block[row, step]} in "
                f"sequence {start + row}, step {step}."
            )


def _check_rescale(name: str, rescale: Array | Picked, rows: int, data: SequenceData) -> None:
    if data.task != "regression" or data.walk == "stream":
        raise DataError(
            f"{name}: rescale is of numeric targets of single sequences, but got the task "
            f"{data.task!r} with walk={data.walk!r}."
        )
    _expect(name, "rescale", rescale, (rows, 2, data.output_size), np.float64)
    for start, block, _ in blocks_of(rescale, None):
        bad = ~np.isfinite(block).all(axis=1) | (block[:, 0] <= 0)
        if bad.any():
            row, output = np.argwhere(bad)[0]
            raise DataError(
                f"{name}: rescale must hold a factor > 0 and an offset, both finite, but got "
                f"{block[row, :, output].tolist()} for output {output} of sequence {start + row}."
            )


def _check_past(name: str, part: SequenceSet, data: SequenceData) -> None:
    for field in ("latest", "season_ago"):
        values = getattr(part, field)
        if values is not None:
            _expect(name, field, values, (len(part), data.output_size), np.float32)


def _check_horizon(data: SequenceData) -> None:
    if data.horizon < 1 or (data.horizon > 1 and data.output_size % data.horizon):
        raise DataError(
            "outputs must be step by step, a whole number for each step of the horizon, but got "
            f"(output_size={data.output_size}, horizon={data.horizon})."
        )
    errors, shape = data.seasonal_errors, (2, data.output_size)
    if errors is not None and (errors.shape != shape or not np.isfinite(errors).all()):
        raise DataError(
            f"seasonal_errors must hold finite numbers of shape {shape}, but got {errors.tolist()}."
        )


def _check_scaling(data: SequenceData) -> None:
    for side, size in (("target", data.output_size), ("input", data.input_size)):
        scale, shift = getattr(data, f"{side}_scale"), getattr(data, f"{side}_shift")
        for name, array in ((f"{side}_scale", scale), (f"{side}_shift", shift)):
            if array is None:
                continue
            if array.shape != (size,) or not np.isfinite(array).all():
                raise DataError(
                    f"{name} must hold {size} finite numbers, but got {array.tolist()}."
                )
        if scale is not None and (scale <= 0).any():
            raise DataError(f"`{side}_scale > 0` must hold, but got {scale.tolist()}.")


def _check_transform(data: SequenceData) -> None:
    if data.target_transform not in get_args(TargetTransform):
        raise DataError(
            f"target_transform must be one of {get_args(TargetTransform)}, but got "
            f"{data.target_transform!r}."
        )
    if data.target_transform != "none" and data.task != "regression":
        raise DataError(
            f"target_transform={data.target_transform!r} is of numbers, but the task is "
            f"{data.task!r}; leave it at none."
        )


def _with_vocabulary(data: SequenceData) -> SequenceData:
    """Return the data with their `vocabulary_size`, once it fits inputs and tokens."""
    ids = [part.inputs.ndim == 2 for part in data.parts().values()]
    if any(ids) != all(ids):
        raise DataError("inputs of every part must be token ids, or of none, but got both kinds.")
    size = data.vocabulary_size
    if not ids[0]:
        if size is not None or data.tokens:
            raise DataError(
                "a vocabulary needs token ids (sequences, time) as inputs, but got features with "
                f"vocabulary_size={size} and {len(data.tokens)} tokens."
            )
        return data
    if size not in (None, data.input_size):
        raise DataError(
            "`input_size == vocabulary_size` must hold for token ids, but got "
            f"(input_size={data.input_size}, vocabulary_size={size})."
        )
    if data.tokens and len(data.tokens) != data.input_size:
        raise DataError(
            f"tokens must name all {data.input_size} token ids, but got {len(data.tokens)}."
        )
    return dataclasses.replace(data, vocabulary_size=data.input_size)


def _check_walk(data: SequenceData) -> None:
    if data.walk not in get_args(Walk):
        raise DataError(f"walk must be one of {get_args(Walk)}, but got {data.walk!r}.")
    if data.pairs and (data.walk == "stream" or data.one_target or data.horizon > 1):
        raise DataError(
            "pairs are sequences with an answer each, but got pairs=True with walk="
            f"{data.walk!r}, one_target={data.one_target}, horizon={data.horizon}."
        )
    if data.walk == "stream" and data.one_target:
        raise DataError(
            "a stream has targets all along, but got walk='stream' with one target per sequence; "
            "set walk to 'sequences'."
        )


def _check_class_weights(data: SequenceData) -> None:
    weights = data.class_weights
    if weights is None:
        return
    if data.task != "classification":
        raise DataError(f"class_weights need classes, but got the task {data.task!r}.")
    fits = weights.shape == (data.output_size,) and np.isfinite(weights).all()
    if not fits or (weights < 0).any() or not (weights > 0).any():
        raise DataError(
            f"class_weights must hold {data.output_size} finite numbers >= 0, not all of them 0, "
            f"but got {weights.tolist()}."
        )
