"""Who may come in: Ray's token, its files, and clusters that must not be used.

Whoever reaches a Ray cluster without a token can run code on it (CVE-2023-48022). So off loopback
nothing is joined, and nothing submitted, without a token, nor where the cluster does not ask for
one; `--allow-open-cluster` or the variable RNN_SWEEP_ALLOW_OPEN_CLUSTER overrides this, loudly.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import AccessError

OVERRIDE_VARIABLE = "RNN_SWEEP_ALLOW_OPEN_CLUSTER"
_MODE = "RAY_AUTH_MODE"
_TOKEN = "RAY_AUTH_TOKEN"
_TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
_TLS_FILES = ("RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT")
_PRIVATE = 0o600
_mended: set[Path] = set()


@dataclass(frozen=True)
class TlsFiles:
    """What Ray encrypts its connections with, as its variables RAY_TLS_* name it."""

    certificate: Path
    key: Path
    authority: Path


def token_file() -> Path:
    """Return the file in which Ray looks for its token where RAY_AUTH_TOKEN is not set."""
    given = os.environ.get(_TOKEN_PATH)
    return Path(given).expanduser() if given else Path.home() / ".ray" / "auth_token"


def find_token() -> str | None:
    """Return the token that Ray would send: RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token.

    A file that others can read is made private.

    Raises:
        AccessError: RAY_AUTH_TOKEN_PATH names no file that can be read, or an empty one; or what
            is there can't be a token.
    """
    text = os.environ.get(_TOKEN, "").strip()
    if text:
        return _well_formed(text, _TOKEN)
    path = token_file()
    if path.is_file():
        _keep_private(path)
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = path.read_text(encoding="utf-8").strip()
    if text:
        return _well_formed(text, str(path))
    if os.environ.get(_TOKEN_PATH):
        raise AccessError(
            f"{_TOKEN_PATH} must name a file that holds a token and that you may read, but names "
            f"{path}; write the cluster's token there, or unset it."
        )
    return None


def make_token() -> None:
    """Make sure that there is a token, for a Ray that starts here; a new file is private at once.

    Raises:
        AccessError: RAY_AUTH_TOKEN_PATH names no token.
    """
    if find_token() is not None:
        return
    path, token = token_file(), secrets.token_hex(32)
    new = path.with_name(f".auth_token.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(token)
        if path.is_file():  # an empty one
            new.replace(path)
        else:
            with contextlib.suppress(
                FileExistsError
            ):  # another process was faster: its token holds
                path.hardlink_to(new)
    except OSError:  # a home that is read-only: this process and its children know the token
        os.environ[_TOKEN] = token
    finally:
        with contextlib.suppress(OSError):
            new.unlink()


def use_tokens(wanted: bool) -> None:
    """Make Ray send and ask for tokens, or not: both ends of a cluster must do the same.

    A driver that asks its workers for a token which they don't have, loses them.
    """
    os.environ[_MODE] = "token" if wanted else "disabled"
    if os.environ.get(_TOKEN_PATH):
        os.environ[_TOKEN_PATH] = str(token_file())  # Ray does not expand ~
    if "ray" in sys.modules:  # imported before us, by a notebook say: it has read the mode by then
        from ray import _raylet

        names = vars(_raylet)
        names["Config"].initialize("")  # as Ray does where it turns tokens on by itself
        names["AuthenticationTokenLoader"].instance().reset_cache()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by the loopback interface, whatever its name resolves to."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host.strip("[]"), None)}
    except (OSError, UnicodeError):  # a name that nobody knows, or that can be none
        return False
    return bool(found) and all(
        ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found
    )


def needs_token(place: str, host: str, token: str | None, allow_open: bool) -> None:
    """Refuse to go off loopback without a token, before anything is sent there.

    Raises:
        AccessError: `host` is another machine, and there is no token.
    """
    if token is None and not is_loopback(host) and not open_allowed(allow_open):
        raise AccessError(
            f"a cluster on another machine must be reached with a token, but for {place} there is "
            f"none in {_TOKEN}, {_TOKEN_PATH} or ~/.ray/auth_token; copy the cluster's there (on "
            f"its head: ray get-auth-token). {_way_out()}"
        )


def admit(place: str, host: str, token: str | None, is_open: bool, allow_open: bool) -> None:
    """Refuse a cluster that lets everybody in, and one that asks for a token that we don't have.

    Args:
        place: The cluster's address, for the message.
        host: The address's host.
        token: What we would send.
        is_open: Whether the cluster answers who sends no token.
        allow_open: Whether the user said --allow-open-cluster.

    Raises:
        AccessError: the cluster is open and off loopback, or closed and we have no token.
    """
    if not is_open:
        if token is None:
            raise AccessError(
                f"the cluster at {place} asks for a token, but there is none in {_TOKEN}, "
                f"{_TOKEN_PATH} or ~/.ray/auth_token; copy the cluster's there (on its head: ray "
                "get-auth-token)."
            )
        return
    if is_loopback(host):
        return
    if not open_allowed(allow_open):
        raise AccessError(
            f"a cluster must ask for a token, but {place} answers without one: whoever reaches it "
            f"can run code on it (CVE-2023-48022); start it with {_MODE}=token. {_way_out()}"
        )
    say(
        f"THE CLUSTER AT {place} IS OPEN: whoever reaches it can run code on it, read your data "
        f"and your weights (CVE-2023-48022). Start it with {_MODE}=token."
    )


def wrong_token(place: str) -> AccessError:
    """Return the error for a token that the cluster refuses."""
    origin = _TOKEN if os.environ.get(_TOKEN, "").strip() else str(token_file())
    return AccessError(
        f"the cluster at {place} must accept our token, but refuses the one in {origin}; copy the "
        "cluster's there (on its head: ray get-auth-token)."
    )


def tls_files() -> TlsFiles | None:
    """Return what Ray encrypts with, None where RAY_USE_TLS is off.

    Raises:
        AccessError: TLS is on, and a variable is not set or names no readable file.
    """
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return None
    for name in _TLS_FILES:
        path = os.environ.get(name)
        if not path or not os.access(path, os.R_OK):
            raise AccessError(
                f"RAY_USE_TLS needs {', '.join(_TLS_FILES)} to name readable files, but {name} "
                f"is {path or 'not set'}."
            )
    return TlsFiles(*(Path(os.environ[name]) for name in _TLS_FILES))


def say(text: str) -> None:
    """Warn the user, on standard error."""
    sys.stderr.write(f"warning: {text}\n")
    sys.stderr.flush()


def open_allowed(allow_open: bool) -> bool:
    """Return whether a user has said, by option or variable, that open clusters may be used."""
    return allow_open or os.environ.get(OVERRIDE_VARIABLE, "").lower() in ("1", "true", "yes")


def _way_out() -> str:
    return (
        "Where you trust everybody in that network: submit --allow-open-cluster, or "
        f"{OVERRIDE_VARIABLE}=1."
    )


def _well_formed(token: str, origin: str) -> str:
    """Return the token; what can't stand in a header is refused here, and not shown there."""
    if not all("!" <= letter <= "~" for letter in token):
        raise AccessError(
            f"a token must be one word of ASCII letters, digits and signs, but what {origin} holds "
            "is not; copy it again."
        )
    return token


def _keep_private(path: Path) -> None:
    """Take a token file's other readers away; one that isn't ours is its owner's to protect."""
    with contextlib.suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & 0o077 == 0:
            return
        path.chmod(_PRIVATE)
        if path not in _mended:
            _mended.add(path)
            say(f"{path} could be read by other users; it is yours alone now (0600).")
