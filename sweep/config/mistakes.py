"""Turn pydantic's findings into one line: dotted key, value received, what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sweep.config.section import IN_WORDS

_WANTED = {
    "bool": "true or false",
    "dict": "a mapping (key: value)",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "model": "a section (key: value)",
    "string": "text",
    "tuple": "a list",
}


def one_line(error: ValidationError, root: type[BaseModel]) -> str:
    """Say the first finding in one line, and how many more there are."""
    findings = error.errors(include_url=False)
    # A misspelt key comes first: a missing one is often the same mistake seen from behind.
    first = min(findings, key=lambda finding: finding["type"] != "extra_forbidden")
    path = tuple(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        text = unknown_key(path, siblings(root, path), set(_dotted(root)))
    else:
        text = _wrong_value(".".join(path), first)
    others = len({finding["loc"] for finding in findings}) - 1
    return text if not others else f"{text} ({others} more to mend after this)"


def unknown_key(path: tuple[str, ...], valid: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """Say that a key is unknown and which valid one is nearest.

    Args:
        path: The key, part by part.
        valid: The keys that may stand in its place.
        elsewhere: Dotted keys of the whole file, for a key that stands in the wrong section.
    """
    names, key = sorted(valid), path[-1]
    parent = ".".join(path[:-1])
    near = difflib.get_close_matches(key, names, n=1)
    misplaced = [dotted for dotted in sorted(elsewhere) if dotted.rpartition(".")[2] == key]
    if misplaced:  # spelt right, so nothing that is only spelt alike was meant
        hint = f"did you mean {misplaced[0]}?"
    else:
        hint = f"did you mean {parent + '.' if parent else ''}{near[0]}?" if near else ""
    known = f"known keys {'of ' + parent if parent else 'here'}: {', '.join(names)}."
    return " ".join(filter(None, [f"{'.'.join(path)} is not a known key;", hint, known]))


def siblings(root: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand where the last part of `path` stands."""
    model = root
    for part in path[:-1]:
        field = model.model_fields.get(part)
        inner = None if field is None else _model_in(field.annotation)
        model = inner or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the section class in `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)


def _dotted(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is None:
            yield prefix + name
        elif get_args(field.annotation) == ():
            chosen = (m.sections() for m in field.metadata if hasattr(m, "sections"))
            for section in (inner, *(section for sections in chosen for _, section in sections)):
                yield from _dotted(section, f"{prefix}{name}.")


def _wrong_value(key: str, finding: Any) -> str:
    kind, context, got = finding["type"], finding.get("ctx", {}), finding["input"]
    if kind == "value_error":
        text = str(context["error"])
        # A law over several keys names them itself.
        return f"{key} {text}." if text.startswith("must") else f"{text}."
    if kind == "missing":
        return f"{key} must be given, but the file does not have it."
    return f"{key} must be {_wanted(kind, context)}, but got {got!r}."


def _wanted(kind: str, context: dict[str, Any]) -> str:
    bounds = {"greater_than_equal": ("ge", ">="), "greater_than": ("gt", ">")}
    bounds |= {"less_than_equal": ("le", "<="), "less_than": ("lt", "<")}
    if kind in bounds:
        name, sign = bounds[kind]
        return f"{sign} {context[name]:.12g}"
    if kind == "literal_error":
        return f"one of {context['expected']}".replace("'", "")
    if kind == "string_pattern_mismatch":
        return IN_WORDS[context["pattern"]]
    if kind == "invalid_key":
        return "text: put it in quotes"
    if kind == "string_too_short":
        return "some text"
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters long"
    if kind == "finite_number":
        return "a finite number"
    return _WANTED.get(kind.partition("_")[0], f"valid ({kind})")
