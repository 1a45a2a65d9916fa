"""Passwords and tokens in a sweep's settings, masked before anything is shown or sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = "password|passwd|secret|token|credential|api_?key|access_?key"
_SECRET = re.compile(_WORDS, re.IGNORECASE)
_NOT_SECRET = frozenset({"tokens", "max_tokens", "tokenizer"})
_MASK = "***"
_HTTP = ("http:", "https:")
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*:)?//(?P<rest>[^\s'\"<>]+)")
_SECRET_QUERY = re.compile(
    rf"(?P<name>[?&;](?:[^=&;#]*(?:{_WORDS}|signature)[^=&;#]*|sig)=)(?P<value>[^&;#]+)",
    re.IGNORECASE,
)


def masked(value: Any, key: str = "") -> Any:
    """Return plain values without passwords: by their key, and inside of addresses."""
    if isinstance(value, Mapping):
        return {k: masked(v, str(k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, key) for item in value]
    if value is not None and key not in _NOT_SECRET and _SECRET.search(key):
        return _MASK
    return shown(value) if isinstance(value, str) else value


def shown(text: str) -> str:
    """Return a text as it may be printed: addresses in it without user, password and tokens."""
    return _ADDRESS.sub(_bare, text)


def holds_password(text: str) -> bool:
    """Whether an address in the text holds a password or a token.

    A user's name alone is one where it goes to an HTTP server.
    """
    for address in _ADDRESS.finditer(text):
        user, rest = _without_user(address)
        alone = bool(user) and address["scheme"] in _HTTP
        if alone or user.partition(":")[2] or _SECRET_QUERY.search(rest):
            return True
    return False


def password_key(values: Mapping[str, Any]) -> str | None:
    """Return the dotted key of the first value that is a password by its key, or holds one."""
    for key, value in _leaves(values):
        named = value is not None and masked("", key.rpartition(".")[2]) != ""
        if named or (isinstance(value, str) and holds_password(value)):
            return key
    return None


def _bare(address: re.Match[str]) -> str:
    user, rest = _without_user(address)
    rest = _SECRET_QUERY.sub(rf"\g<name>{_MASK}", rest)
    return f"{address['scheme'] or ''}//{f'{_MASK}@' if user else ''}{rest}"


def _without_user(address: re.Match[str]) -> tuple[str, str]:
    """Return an address' user and password, and what follows them.

    A password that was not quoted may hold what else ends a host: for HTTP, whose paths may hold an
    @, then no port stands there.
    """
    rest = address["rest"]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        user, _, host = authority.rpartition("@")
        return user, host + rest[len(authority) :]
    _, colon, port = authority.rpartition(":")
    is_port = authority.startswith("[") or (address["scheme"] in _HTTP and port.isdecimal())
    before_query = rest.partition("?")[0] if port.isdecimal() else rest
    if colon and not is_port and "@" in before_query:
        user, _, _ = before_query.rpartition("@")
        return user, rest[len(user) + 1 :]
    return "", rest


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, key)
    else:
        yield key, value
