"""Values against annotations: what fits, and how an annotation reads to a person.

An annotation is int, float, str, bool or None, a Literal of texts, a tuple of one kind
(`tuple[int, ...]`), a dataclass, or a union of these. Values are what YAML and JSON hold.
"""

from __future__ import annotations

import dataclasses
import math
import types
from typing import Any, Literal, Union, get_args, get_origin

_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    types.NoneType: "null",
}


class Misfit(ValueError):
    """A value does not fit its annotation; the message reads on from the value's name."""


def conform(hint: Any, value: Any) -> Any:
    """Return the value as its annotation has it: a list as a tuple, an integer as a float.

    A bool is no number, and a number is finite. One text is a list of texts.

    Raises:
        Misfit: it is of another kind.
    """
    fits, result = _fit_any(hint, value)
    if fits:
        return result
    endless = isinstance(value, float) and not math.isfinite(value)
    raise Misfit(f"must be {'finite' if endless else words(hint)}, but got {value!r}.")


def words(hint: Any) -> str:
    """Return what a value of this annotation is: `a whole number or null`."""
    return " or ".join(_word(candidate) for candidate in _alternatives(hint))


def choices(hint: Any) -> tuple[str, ...]:
    """Return the texts of a Literal; nothing for other annotations."""
    return get_args(hint) if get_origin(hint) is Literal else ()


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _fit(hint: Any, value: Any) -> tuple[bool, Any]:
    if get_origin(hint) is Literal:
        return value in get_args(hint), value
    if get_origin(hint) is tuple:
        return _fit_tuple(get_args(hint)[0], value)
    if isinstance(value, bool):
        return hint is bool, value
    if hint is float:
        fits = isinstance(value, int | float) and math.isfinite(value)
        return fits, float(value) if fits else None
    return isinstance(value, hint), value


def _fit_tuple(item: Any, value: Any) -> tuple[bool, Any]:
    if isinstance(value, str) and str in _alternatives(item):
        return True, (value,)
    if not isinstance(value, list | tuple):
        return False, None
    fitted = [_fit_any(item, v) for v in value]
    return all(fits for fits, _ in fitted), tuple(result for _, result in fitted)


def _fit_any(hint: Any, value: Any) -> tuple[bool, Any]:
    fitted = (_fit(candidate, value) for candidate in _alternatives(hint))
    return next((one for one in fitted if one[0]), (False, None))


def _word(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(hint))
    if get_origin(hint) is tuple:
        return f"a list, each item {words(get_args(hint)[0])}"
    if dataclasses.is_dataclass(hint):
        return "a section (key: value)"
    return _WORDS[hint]
