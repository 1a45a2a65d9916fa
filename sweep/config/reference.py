"""Every key that a sweep file may have, read off its JSON schema, for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sweep.config.schema import config_schema
from sweep.errors import ConfigProblem
from sweep.words.console import is_wide
from trainers.config.declaration import Setting, plain
from trainers.config.laws import LAWS
from trainers.config.settings import settings

_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Key:
    """One key of a sweep file.

    Attributes:
        name: Dotted; a key of a list's items has a 0 for their place.
        group: Its section; of a training setting what it is about.
        values: What it may be.
        default: None also where it must be given (`needed`).
    """

    name: str
    group: str
    default: Any
    sentence: str
    values: str
    needed: bool
    unit: str = ""

    @property
    def in_list(self) -> bool:
        """Whether it is a key of a list's items, which `--set` does not reach."""
        return ".0." in self.name


def all_keys() -> list[Key]:
    """Return every key of a sweep file, group by group."""
    root = config_schema()
    found: dict[str, Key] = {}
    for key in _keys(root, root):
        same = found.setdefault(key.name, key)  # several rules have a key of this name
        if key.sentence not in same.sentence:
            found[key.name] = replace(same, sentence=f"{same.sentence}; {key.sentence}")
    for name, setting in settings().items():
        key = found[f"train.{name}"]
        found[key.name] = replace(
            key, group=f"train: {setting.group}", unit=setting.unit, sentence=setting.sentence
        )
    groups = list(dict.fromkeys(key.group for key in found.values()))
    return sorted(found.values(), key=lambda key: groups.index(key.group))


def find_keys(name: str) -> list[Key]:
    """Return the key of this name, or all of a section; `train.` may be left out.

    Raises:
        ConfigProblem: there is none; one line names the nearest.
    """
    keys = {key.name: key for key in all_keys()}
    for full in (name, f"train.{name}"):
        if full in keys:
            return [keys[full]]
    section = [key for full, key in keys.items() if full.startswith(f"{name}.")]
    if not section:
        hint = f" did you mean {near}?" if (near := _nearest(name, keys)) else ""
        raise ConfigProblem(
            f"{name} is not a key of a sweep file;{hint} `rnn-sweep settings` lists all of them."
        )
    return section


def details(key: Key) -> dict[str, Any]:
    """Return more about a training setting: pack, laws and examples; nothing about other keys."""
    section, _, name = key.name.partition(".")
    if section != "train":
        return {}
    setting = settings()[name]
    return {
        "structural": setting.structural,
        "laws": [law.text for law in LAWS if name in law.fields],
        "examples": {
            "train": {name: plain(_other_than_default(setting))},
            "space.parameters": {name: _drawn(setting)} if _can_be_drawn(setting) else None,
        },
    }


def _other_than_default(setting: Setting) -> Any:
    return next(value for value in _candidates(setting) if value != setting.default)


def _can_be_drawn(setting: Setting) -> bool:
    """Return whether a space may hold it: a choice is one value, no list and no model's name."""
    names = any(isinstance(value, str) for value in setting.typical)
    return not (names or isinstance(setting.default, tuple))


def _drawn(setting: Setting) -> Any:
    low, *_, high = candidates = _candidates(setting)
    if setting.choices or isinstance(low, bool):
        return list(candidates)
    return {"low": low, "high": high} | ({"log": True} if is_wide(low, high) else {})


def _candidates(setting: Setting) -> tuple[Any, ...]:
    return setting.typical or tuple(setting.choices) or (False, True)


def _nearest(name: str, keys: Iterable[str]) -> str | None:
    """Return the nearest key, by its whole name or by the last part of it."""
    by_end = {end: key for key in keys for end in (key.rpartition(".")[2], key)}
    near = difflib.get_close_matches(name, by_end, n=1)
    return by_end[near[0]] if near else None


def _keys(schema: Schema, root: Schema, prefix: str = "", group: str = "sweep") -> Iterator[Key]:
    for name, field in schema["properties"].items():
        full, values = prefix + name, _values(field)
        sections = list(_sections(field, root))
        is_list = values.startswith("a list")
        if is_list or not sections or values.startswith("one of") or _is_also_plain(field):
            yield Key(
                name=full,
                group=group,
                default=field.get("default", {} if values == "a mapping" else None),
                sentence=field.get("description", ""),
                values=values,
                needed=name in schema.get("required", ()),
            )
        for section in sections:
            yield from _keys(section, root, f"{full}.0." if is_list else f"{full}.", full)


def _sections(field: Schema, root: Schema) -> Iterator[Schema]:
    """Yield the sections that a field may hold, itself or in a list."""
    if "properties" in field:
        yield field
    if "$ref" in field:
        yield from _sections(root["$defs"][field["$ref"].rpartition("/")[2]], root)
    items = [field["items"]] if "items" in field else []
    for part in (*field.get("anyOf", ()), *field.get("allOf", ()), *items):
        yield from _sections(part, root)


def _is_also_plain(field: Schema) -> bool:
    """Return whether a number may stand in the place of a section."""
    return any(part.get("type") in ("integer", "number") for part in field.get("anyOf", ()))


def _values(field: Schema) -> str:
    """Return in words what a schema lets in."""
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_values(part) for part in field["anyOf"]))
    if "enum" in field:
        return f"one of {', '.join(map(str, field['enum']))}"
    if "const" in field:
        return str(field["const"])
    if field.get("pattern") == ":":
        return "module:object"
    kind = _WORDS[field.get("type", "object")]
    if "type" in field.get("items", {}):
        return f"{kind}, each item {_values(field['items'])}"
    bounds = [f"{sign} {field[bound]:g}" for bound, sign in _BOUNDS.items() if bound in field]
    return f"{kind} {' and '.join(bounds)}".rstrip()
