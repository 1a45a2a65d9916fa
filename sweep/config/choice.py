"""A section of the sweep file whose keys depend on one of them: `rule: median` brings its own.

Which names there are, and the keys of each, is a registry's affair (`trainers.registry`). An
entry is loaded when a file names it, so that reading a file imports no more than it asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from sweep.config.mistakes import unknown_key
from trainers.registry import Registry, UnknownEntry


class Entry(Protocol):
    """What an entry must have here."""

    @property
    def section(self) -> type[BaseModel]:
        """The section that its keys make; it has the key that names the entry, too."""
        ...


@dataclass(frozen=True)
class ChosenBy:
    """Annotates a field that holds the section of the entry that one of its keys names.

    Attributes:
        key: The key that names the entry.
        default: The entry where the key is not given.
        place: Where the section stands in the file.
        brief: Whether the name alone may stand for the section; then a section that says no more
            than that is written so, too.
    """

    registry: Registry[Any]
    key: str
    default: str
    place: tuple[str, ...]
    brief: bool = False

    def sections(self) -> Iterator[tuple[str, type[BaseModel]]]:
        """Yield the section of every entry, by name."""
        for name, entry in self.registry.items():
            yield name, entry.section

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate and write by the entry that the value names."""
        written = core_schema.plain_serializer_function_ser_schema(self._written, info_arg=True)
        return core_schema.no_info_plain_validator_function(self._read, serialization=written)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the key's names, and of every one the section: each key's text names its own."""
        sections = dict(self.sections())
        shared = set.intersection(*(set(section.model_fields) for section in sections.values()))
        branches: list[dict[str, Any]] = []
        for name, section in sections.items():
            written = handler.resolve_ref_schema(handler(section.__pydantic_core_schema__))
            keys = {
                key: field
                if key in shared
                else {**field, "description": f"{name}: {field.get('description', '')}"}
                for key, field in written["properties"].items()
            }
            needed = [*written.get("required", []), *([] if name == self.default else [self.key])]
            chosen = {**keys[self.key], "const": name}
            branches.append(
                {**written, "properties": {**keys, self.key: chosen}, "required": needed}
            )
        names = list(self.registry)
        about = {**keys[self.key], "enum": names, "default": self.default}
        choices = [{"enum": names}, *branches] if self.brief else branches
        return {"properties": {self.key: about}, "anyOf": choices}

    def _read(self, given: Any) -> BaseModel:
        if isinstance(given, BaseModel):
            return given
        values = {self.key: given} if self.brief and isinstance(given, str) else given
        if not isinstance(values, dict):
            raise PydanticKnownError("model_type", {"class_name": self.key})
        name = values.get(self.key, self.default)
        try:
            entry: Entry = self.registry[name if isinstance(name, str) else repr(name)]
        except UnknownEntry as error:
            raise ValueError(str(error).rstrip(".")) from error
        section = entry.section
        for key in values:
            if key not in section.model_fields:
                problem = unknown_key((*self.place, str(key)), section.model_fields)
                raise ValueError(f"with {self.key}={name} {problem.rstrip('.')}")
        return section.model_validate({**values, self.key: name})

    def _written(self, section: BaseModel, info: core_schema.SerializationInfo) -> Any:
        if not self.brief:
            return section.model_dump(mode=info.mode)
        own = section.model_dump(mode=info.mode, exclude_defaults=True, exclude={self.key})
        name = getattr(section, self.key)
        return {self.key: name, **own} if own else name
