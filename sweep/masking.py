"""Passwords and tokens in a sweep's settings, masked before anything is shown or sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sweep.tracking_uri import shown

_SECRET = re.compile(r"password|passwd|secret|token|credential|api_?key|access_?key", re.IGNORECASE)
_NOT_SECRET = frozenset({"tokens", "max_tokens", "tokenizer"})
_MASK = "***"


def masked(value: Any, key: str = "") -> Any:
    """Return plain values without passwords: by their key, and inside of addresses."""
    if isinstance(value, Mapping):
        return {k: masked(v, str(k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, key) for item in value]
    if value is not None and key not in _NOT_SECRET and _SECRET.search(key):
        return _MASK
    return shown(value) if isinstance(value, str) and "://" in value else value
