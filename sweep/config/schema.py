"""The sweep file's JSON schema, for editors; `rnn-sweep settings` reads it as well."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from sweep.config.sweep_config import SweepConfig
from trainers.config.declaration import Setting, plain
from trainers.config.settings import settings


def config_schema() -> dict[str, Any]:
    """Return the sweep file's JSON schema, `train` spelled out."""
    schema = SweepConfig.model_json_schema()
    schema["properties"]["train"] |= {
        "properties": {name: setting_schema(setting) for name, setting in settings().items()},
        "additionalProperties": False,
    }
    schema["required"].remove("name")  # a file's own name stands in for it
    schema["title"] = "rnn-sweep file"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def setting_schema(setting: Setting) -> dict[str, Any]:
    """Return one training setting's JSON schema."""
    schema = TypeAdapter(setting.hint).json_schema()
    if setting.is_open:
        schema["anyOf"] = [{"enum": list(setting.choices)}, {"type": "string", "pattern": ":"}]
    elif setting.choices:
        schema["enum"] = list(setting.choices)
    if setting.within is not None:
        _bound(schema, setting.within.bounds())
    unit = f" ({setting.unit})" if setting.unit else ""
    about = {"description": setting.sentence + unit, "default": plain(setting.default)}
    return about | schema


def _bound(schema: dict[str, Any], bounds: dict[str, float]) -> None:
    """Put bounds on every number of a schema, those in lists too."""
    for part in (schema, *schema.get("anyOf", ())):
        if part.get("type") in ("integer", "number"):
            part.update(bounds)
        elif part.get("type") == "array":
            _bound(part["items"], bounds)
