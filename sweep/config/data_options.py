"""Options of the data among a space's parameters: `data.input_steps: [24, 48]`.

A choice is one value to Optuna, so a list is drawn as its YAML text, `[load, temp]`, which is also
how people read it in tables.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import yaml

from trainers.config.settings import structural_fields

PREFIX = "data."


def is_data_option(name: str) -> bool:
    """Whether a parameter is an option of the data, not a training setting."""
    return name.startswith(PREFIX)


def flattened(parameters: Any) -> Any:
    """Return parameters with dotted names where `--set` made a section of `data`."""
    if not isinstance(parameters, Mapping) or not isinstance(parameters.get("data"), Mapping):
        return parameters
    inner = {f"{PREFIX}{name}": value for name, value in parameters["data"].items()}
    return {**{name: given for name, given in parameters.items() if name != "data"}, **inner}


def drawable(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return `space.parameters` as a space takes them: choices that are lists as their text."""
    return {
        name: _drawable(written) if is_data_option(name) else written
        for name, written in parameters.items()
    }


def drawable_point(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a known configuration as a space takes it."""
    return {n: spelled(value) if is_data_option(n) else value for n, value in params.items()}


def listed(written: Any) -> list[Any] | None:
    """Return the choices that a parameter lists; None where it is a range or one value."""
    found = written.get("choices") if isinstance(written, Mapping) else written
    return list(found) if isinstance(found, list | tuple) else None


def spelled(value: Any) -> Any:
    """Return a list or mapping as YAML text in one line, anything else as it is."""
    if not isinstance(value, list | tuple | Mapping):
        return value
    plain = list(value) if isinstance(value, tuple) else value
    text: str = yaml.safe_dump(
        plain, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.strip()


def structural_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that fix a trial's structure: who differs in them can't share a pack."""
    fields = structural_fields()
    return {n: value for n, value in params.items() if n in fields or is_data_option(n)}


def _drawable(written: Any) -> Any:
    choices = listed(written)
    return written if choices is None else [spelled(choice) for choice in choices]
