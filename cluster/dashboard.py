"""A cluster's Jobs server, which is its dashboard: reached, checked, and asked over HTTP.

Ray's own client for it overrides the address by RAY_ADDRESS, waits without limit and sends no token
unless it is told to. Here each request has a limit, goes where the user said, and follows no
redirect, which would carry the token elsewhere.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cluster.auth import admit, find_token, is_loopback, needs_token, say, tls_files, wrong_token
from cluster.errors import ConnectError, JobError, VersionError
from cluster.head import Versions

ANSWER_SECONDS = 30.0
REACH_SECONDS = 10.0
UPLOAD_SECONDS = 600.0
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON; ValueError where it is none."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Dashboard:
    """A Jobs server that let us in.

    Attributes:
        url: As `http://HOST:8265`, without a slash at the end.
        is_open: Whether it asks for no token.
        versions: What the cluster runs.
    """

    url: str
    is_open: bool
    versions: Versions
    token: str | None = field(repr=False, default=None)

    def get(self, path: str) -> Answer:
        """GET `path`; a status of 500 or more is an error, others are answers.

        Raises:
            ConnectError: nobody answers.
            JobError: the server failed.
        """
        return self._ask("GET", path)

    def post(self, path: str, values: Any = None) -> Answer:
        """POST JSON; errors as `get`."""
        return self._ask("POST", path, json.dumps(values or {}).encode())

    def put(self, path: str, body: bytes) -> Answer:
        """PUT bytes, with time for an upload; errors as `get`."""
        return self._ask("PUT", path, body, UPLOAD_SECONDS)

    def headers(self) -> dict[str, str]:
        """Return what every request bears."""
        return _headers(self.token)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, seconds: float = ANSWER_SECONDS
    ) -> Answer:
        answer = _request(self.url, method, path, self.token, body, seconds)
        if answer.status in (401, 403):
            raise wrong_token(self.url)
        if answer.status >= 500:
            lines = answer.body.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise JobError(f"the Jobs server at {self.url} failed at {method} {path}: {lines[-1]}")
        return answer


def open_dashboard(address: str, allow_open: bool = False) -> Dashboard:
    """Reach a Jobs server and check that it may be used: token, openness, Ray's version.

    Args:
        address: As `http://HOST:8265` or `https://…`.
        allow_open: Whether to use one off loopback that asks for no token, with a loud warning.

    Raises:
        ConnectError: the address is malformed, or nobody answers there as a Jobs server.
        AccessError: there is no token, a wrong one, or the cluster is open.
        VersionError: it runs another Ray, or a Python too old for us.
    """
    url, host = _checked(address)
    token = find_token()
    needs_token(url, host, token, allow_open)
    probe = _request(url, "GET", "/api/version", None, None, REACH_SECONDS)
    if probe.status not in (200, 401, 403):
        raise _no_server(url, f"status {probe.status}")
    is_open = probe.status == 200
    admit(url, host, token, is_open, allow_open)
    if is_open:
        token = None  # it is not asked for, and everybody there could read it
    if token is not None and url.startswith("http:") and not is_loopback(host):
        say(
            f"the token travels to {url} unencrypted; take https, or a tunnel: "
            f"ssh -L 8265:127.0.0.1:8265 {host}"
        )
    versions = _versions(url, token)
    _check_versions(url, versions)
    return Dashboard(url, is_open, versions, token)


def _checked(address: str) -> tuple[str, str]:
    """Return URL and host of a well-formed address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    law = "--address must be the cluster's Jobs server, as http://HOST:8265"
    plain = address.isascii() and address.isprintable() and " " not in address
    if host is None or parts.scheme not in ("http", "https") or port == 0 or not plain:
        raise ConnectError(f"{law}, but got {address.rpartition('@')[2]!r}.")
    if parts.username is not None or parts.query or parts.fragment:
        shown = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        raise ConnectError(
            f"{law}, without user, password or query, but got more than {shown}; a token goes into "
            "RAY_AUTH_TOKEN."
        )
    return address.rstrip("/"), host


def _versions(url: str, token: str | None) -> Versions:
    answer = _request(url, "GET", "/api/version", token, None, REACH_SECONDS)
    if answer.status in (401, 403):
        raise wrong_token(url)
    try:
        ray = str(answer.json()["ray_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise _no_server(url, "it does not say which Ray it runs") from error
    detail = _request(url, "GET", "/api/v0/cluster_metadata", token, None, REACH_SECONDS)
    try:
        return Versions(ray, str(detail.json()["data"]["pythonVersion"]))
    except (ValueError, KeyError, TypeError):
        return Versions(ray, "unknown")


def _check_versions(url: str, theirs: Versions) -> None:
    ours = Versions.ours()
    if theirs.ray.split(".")[:2] != ours.ray.split(".")[:2]:
        raise VersionError(
            f"the cluster must run Ray {'.'.join(ours.ray.split('.')[:2])}, but {url} runs "
            f"{theirs}, and this is {ours}; use an image with that Ray, or the rnn-sweep for it."
        )
    numbers = theirs.python.split(".")
    if all(n.isdecimal() for n in numbers[:2]) and tuple(map(int, numbers[:2])) < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise VersionError(
            f"the cluster must run Python {oldest} or newer, but {url} runs {theirs}, and this is "
            f"{ours}; use an image with a newer Python."
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def tls_context() -> ssl.SSLContext:
    """Return what https trusts: the system's authorities, and Ray's own where it has one."""
    context = ssl.create_default_context()
    files = tls_files()
    if files is not None:
        context.load_verify_locations(files.authority)
    return context


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _request(
    url: str, method: str, path: str, token: str | None, body: bytes | None, seconds: float
) -> Answer:
    host = urlsplit(url).hostname or ""
    handlers: list[Any] = [_NoRedirect, urllib.request.HTTPSHandler(context=tls_context())]
    if is_loopback(host):  # no proxy leads here, whatever the environment says
        handlers.append(urllib.request.ProxyHandler({}))
    headers = {**_headers(token), "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, body, headers, method=method)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=seconds) as reply:
            return Answer(reply.status, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read())
    except urllib.error.URLError as error:
        raise _unreachable(url, error.reason) from error
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error


def _unreachable(url: str, reason: object) -> ConnectError:
    text = str(reason) or repr(reason)
    if isinstance(reason, OSError) and reason.errno and not isinstance(reason, ssl.SSLError):
        text = reason.strerror or text
    if isinstance(reason, ssl.SSLCertVerificationError):
        text = f"{reason.verify_message}; a private authority's certificate goes in SSL_CERT_FILE"
    return ConnectError(f"a Ray cluster's Jobs server must answer at --address {url}, but: {text}.")


def _no_server(url: str, reason: str) -> ConnectError:
    return ConnectError(
        f"a Ray cluster's Jobs server must answer at --address {url}, but what answers there is "
        f"none ({reason})."
    )
