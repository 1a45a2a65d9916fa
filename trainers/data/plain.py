"""Frozen dataclasses as plain values for JSON, and back by their annotations."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_plain(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build a dataclass, and those in its fields, from what `dataclasses.asdict` and JSON made.

    Names that it does not have are left out: a later release may have written them.

    Raises:
        KeyError, TypeError, ValueError: the values are not those of the class.
    """
    hints = get_type_hints(cls)
    fields = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    return cls(**{name: _built(hints[name], v) for name, v in values.items() if name in fields})


def _built(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _built(_alternative(of, value), value)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_plain(hint, value)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list | tuple):
        each = of if len(of) == len(value) and of[-1] is not ... else (of[0],) * len(value)
        return tuple(_built(kind, one) for kind, one in zip(each, value, strict=True))
    if isinstance(value, Mapping) and len(of) == 2:
        return {key: _built(of[1], one) for key, one in value.items()}
    return value


def _alternative(hints: tuple[Any, ...], value: Any) -> Any:
    """The kind of a union that a value is of; the first one where it can't be told."""
    for hint in hints:
        is_mapping = (
            dataclasses.is_dataclass(hint)
            or get_origin(hint) in (dict, Mapping)
            or (isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping))
        )
        is_list = get_origin(hint) is tuple
        if (isinstance(value, Mapping) and is_mapping) or (
            isinstance(value, list | tuple) and is_list
        ):
            return hint
    return next((hint for hint in hints if isinstance(hint, type) and isinstance(value, hint)), Any)
