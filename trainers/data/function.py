"""A source of the user's own: `path.py:function`, called with the options of the sweep file.

The function returns a `SequenceData`, or a mapping: `task`, `train`, `validation`, perhaps
`test` (each a mapping of `inputs`, `targets`, perhaps `input_mask`, `target_mask`, `resets`), and
perhaps any of `name`, `target_names`, `target_scale`, `target_shift`, `input_names`, `input_scale`,
`input_shift`, `units`, `classes`, `walk`, `class_weights`, `vocabulary_size`, `tokens`, `notes`,
`pairs`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trainers.data.contract import Array, Picked, SequenceData, SequenceSet
from trainers.data.options import nearest
from trainers.data.validate import has_one_target
from trainers.errors import DataError

PART_NAMES = ("train", "validation", "test")
ARRAY_NAMES = ("inputs", "targets", "input_mask", "target_mask", "resets")
OTHER_NAMES = (
    *("task", "name", "target_names", "target_scale", "target_shift", "units", "classes"),
    *("walk", "class_weights", "vocabulary_size", "tokens", "notes"),
    *("pairs", "input_names", "input_scale", "input_shift"),
)


def load_function(
    function: Callable[..., Any], source: str, options: Mapping[str, Any]
) -> SequenceData:
    """Call the function with the options and put its answer into the contract.

    Args:
        function: The user's own; what it raises is let through.
        source: What to call it.
        options: Its keyword arguments.

    Raises:
        DataError: it takes other options, or its answer can't be put into the contract.
    """
    _check_options(function, options, source)
    answer = function(**options)
    if isinstance(answer, SequenceData):
        return answer
    if not isinstance(answer, Mapping):
        raise DataError(
            f"data source {source!r} must return a SequenceData or a dict, but got "
            f"{type(answer).__name__}."
        )
    return _from_mapping(answer, source, source.rpartition(":")[2])


def with_inferred_target(data: SequenceData) -> SequenceData:
    """Return checked data, marked `one_target` where its masks show that it is."""
    one = all(has_one_target(part) for part in data.parts().values())
    return dataclasses.replace(data, one_target=one and data.walk == "sequences" and not data.pairs)


def _check_options(function: Callable[..., Any], options: Mapping[str, Any], source: str) -> None:
    signature = inspect.signature(function)
    for name, does in (("limit", "cuts"), ("folds", "divides")):
        if name in signature.parameters:
            raise DataError(
                f"data source {source!r}: data.{name} {does} what any source loads, so a "
                f"function's own argument must have another name, but this one takes `{name}`; "
                "rename it."
            )
    try:
        signature.bind(**options)
    except TypeError as error:
        raise DataError(
            f"data source {source!r}: {error}; its options are: "
            f"{', '.join(signature.parameters) or 'none'}."
        ) from error


def _from_mapping(answer: Mapping[str, Any], source: str, name: str) -> SequenceData:
    _check_names(answer, (*PART_NAMES, *OTHER_NAMES), ("task", "train", "validation"), source)
    task = answer["task"]
    if task not in ("regression", "classification"):
        raise DataError(
            f"data source {source!r}: task must be regression or classification, but got {task!r}."
        )
    parts = {
        part: _part(answer[part], part, task, source)
        for part in PART_NAMES
        if answer.get(part) is not None
    }
    everything = list(parts.values())
    names = tuple(str(n) for n in answer.get("target_names", ()))
    tokens = tuple(str(t) for t in answer.get("tokens", ()))
    vocabulary_size = answer.get("vocabulary_size", len(tokens) or None)
    if vocabulary_size is not None and type(vocabulary_size) is not int:
        raise DataError(
            f"data source {source!r}: vocabulary_size must be an int, but got {vocabulary_size!r}."
        )
    return SequenceData(
        name=str(answer.get("name", name)),
        task=task,
        train=parts["train"],
        validation=parts["validation"],
        test=parts.get("test"),
        input_size=_input_size(everything, vocabulary_size),
        output_size=_output_size(everything, task, answer.get("classes", len(names))),
        digest="",
        target_scale=_numbers(answer.get("target_scale")),
        target_shift=_numbers(answer.get("target_shift")),
        target_names=names,
        units=str(answer.get("units", "")),
        notes=tuple(str(note) for note in answer.get("notes", ())),
        vocabulary_size=vocabulary_size,
        walk=answer.get("walk", "sequences"),
        pairs=bool(answer.get("pairs", False)),
        class_weights=_numbers(answer.get("class_weights")),
        tokens=tokens,
        input_scale=_numbers(answer.get("input_scale")),
        input_shift=_numbers(answer.get("input_shift")),
        input_names=tuple(str(n) for n in answer.get("input_names", ())),
    )


def _check_names(
    answer: Mapping[str, Any], valid: tuple[str, ...], needed: tuple[str, ...], source: str
) -> None:
    for key in answer:
        if key not in valid:
            raise DataError(
                f"data source {source!r} returns the unknown name {key!r};"
                f"{nearest(str(key), valid)} valid names are: {', '.join(valid)}."
            )
    missing = [key for key in needed if answer.get(key) is None]
    if missing:
        raise DataError(f"data source {source!r} must return {missing[0]!r}, but it does not.")


def _part(given: Any, name: str, task: str, source: str) -> SequenceSet:
    if isinstance(given, SequenceSet):
        return given
    if not isinstance(given, Mapping):
        raise DataError(
            f"data source {source!r}: {name} must be a dict of {', '.join(ARRAY_NAMES)}, but got "
            f"{type(given).__name__}."
        )
    where = f"{source}, {name}"
    _check_names(given, ARRAY_NAMES, ("inputs", "targets"), where)
    arrays = {key: np.asarray(value) for key, value in given.items() if value is not None}
    inputs = arrays["inputs"]
    tokens = inputs.ndim == 2 and inputs.dtype.kind in "iu"
    arrays["inputs"] = inputs if tokens else _floats(inputs, where, "inputs")
    convert = _floats if task == "regression" else _class_ids
    arrays["targets"] = convert(arrays["targets"], where, "targets")
    return SequenceSet(**arrays)


def _floats(array: Array, where: str, field: str) -> Array:
    if array.dtype.kind not in "fiub" or array.ndim != 3:
        raise DataError(
            f"data source {where}: {field} must be numbers of shape (sequences, time, n), but got "
            f"shape {array.shape} of {array.dtype}."
        )
    return array.astype(np.float32, copy=False)


def _class_ids(array: Array, where: str, field: str) -> Array:
    if array.dtype.kind not in "iu" or array.ndim != 2:
        raise DataError(
            f"data source {where}: {field} must be whole class ids of shape (sequences, time), but "
            f"got shape {array.shape} of {array.dtype}."
        )
    return array.astype(np.int64, copy=False)


def _input_size(parts: list[SequenceSet], vocabulary_size: int | None) -> int:
    first = parts[0].inputs
    if first.ndim == 3:
        return int(first.shape[2])
    if vocabulary_size is not None:
        return vocabulary_size
    return max(_largest_id(part.inputs, part.input_mask) for part in parts) + 1


def _output_size(parts: list[SequenceSet], task: str, classes: int) -> int:
    if task == "regression":
        return int(parts[0].targets.shape[2])
    return classes or max(_largest_id(part.targets, part.target_mask) for part in parts) + 1


def _largest_id(given: Array | Picked, mask: Array | Picked | None) -> int:
    ids = np.asarray(given)
    shown = ids if mask is None or mask.shape != ids.shape else ids[np.asarray(mask)]
    return int(shown.max(initial=0))


def _numbers(given: Any) -> Array | None:
    return None if given is None else np.atleast_1d(np.asarray(given, dtype=np.float64))
