"""Options of a data source: frozen dataclasses, checked by name, type and law.

A source declares its options as a frozen dataclass whose fields say what they mean (`means`,
`path_means`); what the user wrote (YAML scalars and lists) is turned into it by `build_options`. An
option may be a frozen dataclass of options itself, written as a mapping.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar, get_type_hints

from trainers.annotations import Misfit, conform, words
from trainers.errors import DataError

OptionsT = TypeVar("OptionsT")


@dataclasses.dataclass(frozen=True)
class OptionDescription:
    """One option of a source, for people: `required` options have no default."""

    name: str
    kind: str
    default: Any
    required: bool
    meaning: str


def means(text: str) -> dict[str, str]:
    """Return the metadata of an option's dataclass field: what the option means, for people."""
    return {"meaning": text}


def path_means(text: str) -> dict[str, Any]:
    """Return the same for an option that names a file, a folder or a pattern of files."""
    return {"meaning": text, "path": True}


def path_names(cls: type[Any]) -> tuple[str, ...]:
    """Return the options of an options class that are paths."""
    return tuple(f.name for f in dataclasses.fields(cls) if f.metadata.get("path"))


def describe_class(cls: type[Any]) -> tuple[OptionDescription, ...]:
    """Return name, kind, default and meaning of every option of an options class."""
    hints = get_type_hints(cls)
    return tuple(_describe_field(f, hints[f.name]) for f in dataclasses.fields(cls))


def _describe_field(f: dataclasses.Field[Any], hint: Any) -> OptionDescription:
    required = f.default is dataclasses.MISSING
    default = None if required else f.default
    return OptionDescription(f.name, words(hint), default, required, f.metadata["meaning"])


def build_options(cls: type[OptionsT], source: str, values: Mapping[str, Any]) -> OptionsT:
    """Build a source's options from what the user wrote.

    Raises:
        DataError: an option is unknown, missing, of the wrong type, or breaks its law.
    """
    return _build(cls, f"data source {source!r}", "data", values)


def _build(cls: type[OptionsT], owner: str, place: str, values: Mapping[str, Any]) -> OptionsT:
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    names = [f.name for f in fields]
    for name in values:
        if name not in names:
            raise DataError(
                f"{owner} has no option {name!r};{nearest(str(name), names)} "
                f"valid options are: {', '.join(names)}."
            )
    missing = [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in values]
    if missing:
        raise DataError(f"{owner} needs the option {missing[0]!r}: set {place}.{missing[0]}.")
    hints = get_type_hints(cls)
    return cls(**{name: _conform(f"{place}.{name}", hints[name], v) for name, v in values.items()})


def _conform(place: str, hint: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return _build(hint, place, place, value)
    try:
        return conform(hint, value)
    except Misfit as error:
        raise DataError(f"{place} {error}") from error


def nearest(name: str, valid: Collection[str]) -> str:
    """Return " did you mean 'x'?" for the nearest valid name, or nothing when none is near."""
    found = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f" did you mean {found[0]!r}?" if found else ""


def require(holds: bool, law: str, name: str, value: object) -> None:
    """Raise `DataError` naming the law and the value received, unless the law holds."""
    if not holds:
        raise DataError(f"`{law}` must hold, but got data.{name}={value!r}.")
