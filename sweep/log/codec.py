"""Frozen dataclasses to plain JSON values and back, by their fields; what can't be read is named.

Made for the kinds of events: once per class the fields are turned into readers, so that reading a
line costs microseconds. Keys that a class does not know are left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import partial
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_Read = Callable[[str, Any], Any]
_NUMBERS = frozenset((int, float))
_WORDS = {float: "a number", str: "text", int: "a whole number", bool: "true or false"}
STORED = {"stored": True}
"""Metadata of a field whose default is written too: only older lines lack its key."""
_MAX_SHOWN = 60


class Unreadable(Exception):
    """Plain values are not what a class needs; the message says which, and what was there."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    plain: type | None
    read: _Read
    required: bool
    default: Any
    always: bool


class Codec(Generic[_T]):
    """Turns one class's objects into plain values and back."""

    def __init__(self, kind: type[_T]) -> None:
        """Look at the class's fields once."""
        self._kind = kind
        hints = get_type_hints(kind)
        given = fields(kind)  # type: ignore[arg-type]
        self._fields = [_field(each, hints[each.name]) for each in given]
        self._optional = [each for each in self._fields if not each.always]
        self._nested = [each.name for each in given if _is_nested(hints[each.name])]

    def decode(self, values: object, inside: str = "") -> _T:
        """Return the object that plain values describe.

        Args:
            values: What `json.loads` gave.
            inside: Where they stand, ending with a dot; empty at the top.

        Raises:
            Unreadable: a key is missing or its value of another type.
        """
        if type(values) is not dict:
            raise Unreadable(_must(inside.rstrip("."), "an object", values))
        found = {}
        for each in self._fields:
            name = each.name
            if name in values:
                value = found[name] = values[name]
                if type(value) is not each.plain:
                    found[name] = each.read(inside + name, value)
            elif each.required:
                raise Unreadable(f"{inside + name!r} is missing among {_shown([*values])}")
        return self._kind(**found)

    def encode(self, content: _T) -> dict[str, Any]:
        """Return what `decode` reads; the values are ready for `json.dumps`."""
        values = {each.name: getattr(content, each.name) for each in self._fields}
        for each in self._optional:
            if values[each.name] == each.default:
                del values[each.name]
        for name in self._nested:
            if name in values:
                values[name] = _plain(values[name])
        return values


def codec(kind: type[_T]) -> Codec[_T]:
    """Return the codec of a class, made at its first use."""
    found = _CODECS.get(kind)
    if found is None:
        found = _CODECS[kind] = Codec(kind)
    return found


_CODECS: dict[type, Codec[Any]] = {}


def _field(given: Field[Any], hint: Any) -> _Field:
    factory = given.default_factory
    default = given.default if factory is MISSING else factory()
    required = default is MISSING
    always = required or "stored" in given.metadata
    plain = hint if hint in _WORDS else None
    return _Field(given.name, plain, _reader(hint), required, default, always)


def _reader(hint: Any) -> _Read:
    """Return what checks, and where need be converts, a value of this type."""
    if hint is Any:
        return _anything
    if hint in _WORDS:
        return partial(_scalar, hint)
    if is_dataclass(hint):
        return lambda name, value: codec(hint).decode(value, f"{name}.")  # type: ignore[arg-type]
    inner = get_args(hint)
    if isinstance(hint, UnionType) and inner[1:] == (NoneType,):
        return partial(_or_none, _reader(inner[0]))
    if get_origin(hint) is tuple and inner[1:] == (...,):
        return partial(_items, _reader(inner[0]))
    if get_origin(hint) is dict and inner[0] is str:
        return _metrics if inner[1] is float else partial(_mapping, _reader(inner[1]))
    raise TypeError(f"an event's field must be of a JSON type, but got {hint}.")


def _anything(_name: str, value: Any) -> Any:
    return value


def _scalar(kind: type, name: str, value: Any) -> Any:
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise Unreadable(_must(name, _WORDS[kind], value))
    return value


def _or_none(read: _Read, name: str, value: Any) -> Any:
    return None if value is None else read(name, value)


def _items(read: _Read, name: str, value: Any) -> Any:
    if type(value) is not list:
        raise Unreadable(_must(name, "a list", value))
    return tuple([read(f"{name}[{index}]", item) for index, item in enumerate(value)])


def _mapping(read: _Read, name: str, value: Any) -> Any:
    if type(value) is not dict:
        raise Unreadable(_must(name, "an object", value))
    return value if read is _anything else {k: read(f"{name}.{k}", v) for k, v in value.items()}


def _metrics(name: str, value: Any) -> Any:
    if type(value) is dict and _NUMBERS.issuperset(map(type, value.values())):
        return value
    return _mapping(partial(_scalar, float), name, value)


def _is_nested(hint: Any) -> bool:
    """Return whether objects of a class of our own stand in values of this type."""
    return is_dataclass(hint) or any(map(_is_nested, get_args(hint)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return codec(type(value)).encode(value) if is_dataclass(value) else value


def _must(name: str, words: str, value: Any) -> str:
    where = f"{name!r} must be" if name else "must be"
    return f"{where} {words}, but is {_shown(value)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
