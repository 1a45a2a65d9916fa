"""Passwords and tokens in a sweep's settings, masked before anything is shown or sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sweep.tracking.uri import shown

_SECRET = re.compile(r"password|passwd|secret|token|credential|api_?key|access_?key", re.IGNORECASE)
_NOT_SECRET = frozenset({"tokens", "max_tokens", "tokenizer"})
_MASK = "***"
_PASSWORD = re.compile(r"//[^/@:]*:[^/@]+@|[?&][a-z_]*(password|token|secret)=", re.IGNORECASE)


def masked(value: Any, key: str = "") -> Any:
    """Return plain values without passwords: by their key, and inside of addresses."""
    if isinstance(value, Mapping):
        return {k: masked(v, str(k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, key) for item in value]
    if value is not None and key not in _NOT_SECRET and _SECRET.search(key):
        return _MASK
    return shown(value) if isinstance(value, str) and "://" in value else value


def password_key(values: Mapping[str, Any]) -> str | None:
    """Return the dotted key of the first value that is a password by its key, or holds one."""
    for key, value in _leaves(values):
        named = value is not None and masked("", key.rpartition(".")[2]) != ""
        if named or (isinstance(value, str) and holds_password(value)):
            return key
    return None


def holds_password(text: str) -> bool:
    """Whether an address in the text holds a password."""
    return _PASSWORD.search(text) is not None


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, key)
    else:
        yield key, value
