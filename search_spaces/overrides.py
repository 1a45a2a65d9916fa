"""What a sweep file says of a dimension, read against the dimension that it narrows or replaces.

A scalar pins it, a list gives its choices, a mapping `{low, high, log, step}` its range; keys
that a mapping leaves out are taken from the range it narrows.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from search_spaces.dimensions import Categorical, Dimension, Fixed, Float, Int, Value
from search_spaces.errors import DimensionError

RANGE_KEYS = ("low", "high", "log", "step", "choices")


def dimension_from(name: str, written: Any, base: Dimension | None = None) -> Dimension:
    """Read one dimension as written in a sweep file.

    Args:
        name: The parameter's name, for messages.
        written: A scalar, a list or a mapping; or a finished dimension.
        base: The dimension that is narrowed or replaced, when there is one.

    Raises:
        DimensionError: what is written breaks a law; the message begins with the name.
    """
    try:
        return _read(written, base)
    except DimensionError as error:
        raise DimensionError(f"parameter {name!r}: {error}") from None


def _read(written: Any, base: Dimension | None) -> Dimension:
    if isinstance(written, Float | Int | Categorical | Fixed):
        return written
    if isinstance(written, Mapping):
        return _read_mapping(written, base)
    if isinstance(written, list | tuple):
        return Categorical(tuple(_scalar(value, base) for value in written))
    return Fixed(_scalar(written, base))


def _read_mapping(written: Mapping[str, Any], base: Dimension | None) -> Dimension:
    for key in written:
        if key not in RANGE_KEYS:
            near = difflib.get_close_matches(str(key), RANGE_KEYS, n=1)
            hint = f" did you mean {near[0]!r}?" if near else ""
            raise DimensionError(
                f"a range has no key {key!r};{hint} valid keys are: {', '.join(RANGE_KEYS)}."
            )
    if "choices" in written:
        if len(written) > 1 or not isinstance(written["choices"], list | tuple):
            raise DimensionError(f"choices is a list and stands alone, but got {dict(written)}.")
        return _read(written["choices"], base)
    return _read_range(written, base)


def _read_range(written: Mapping[str, Any], base: Dimension | None) -> Dimension:
    keys: dict[str, Any] = {}
    if isinstance(base, Float | Int):
        keys = {"low": base.low, "high": base.high, "log": base.log, "step": base.step}
        if written.get("step") is not None and "log" not in written:
            keys["log"] = False
        if written.get("log") is True and "step" not in written:
            keys["step"] = None
    keys |= {key: value if key == "log" else _number(value) for key, value in written.items()}
    missing = [key for key in ("low", "high") if keys.get(key) is None]
    if missing:
        raise DimensionError(f"a range needs low and high, but got {dict(written)}.")
    whole = all(isinstance(keys[key], int) for key in ("low", "high"))
    step = keys.get("step")
    if isinstance(base, Int) or (whole and not isinstance(base, Float) and not _fraction(step)):
        return Int(keys["low"], keys["high"], keys.get("log", False), 1 if step is None else step)
    return Float(keys["low"], keys["high"], keys.get("log", False), step)


def _fraction(step: Any) -> bool:
    return isinstance(step, float)


def _scalar(value: Any, base: Dimension | None) -> Value:
    """One value; YAML 1.1 reads `1e-3` as text, so text is a number where a range stood."""
    if isinstance(value, Mapping | list | tuple):
        raise DimensionError(
            f"a choice must be a number, a text, true, false or null, but got {value!r}."
        )
    read: Value = _number(value) if isinstance(base, Float | Int) else value
    return read


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        raise DimensionError(f"a number is needed, but got the text {value!r}.") from None
