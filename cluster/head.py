"""What a cluster's head says of itself, asked before Ray's driver is: within seconds, and quietly.

`ray.init` tries a wrong token for twenty seconds and prints a line a second. The head's own answer
to one question tells whether it asks for a token, takes ours, and which Ray and Python it runs.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from cluster.auth import TlsFiles, tls_files
from cluster.errors import ConnectError, VersionError

ANSWER_SECONDS = 5.0
_QUESTION = "/ray.rpc.InternalKVGcsService/InternalKVGet"
_NO_PROXY = (("grpc.enable_http_proxy", 0),)


@dataclass(frozen=True)
class Versions:
    """Ray's version and Python's."""

    ray: str
    python: str

    @classmethod
    def ours(cls) -> Versions:
        """Return what this process runs; Ray is not imported for it."""
        return cls(version("ray"), platform.python_version())

    def __str__(self) -> str:
        """Return both, as a person says it."""
        return f"Ray {self.ray} on Python {self.python}"


@dataclass(frozen=True)
class Head:
    """What a head answered.

    Attributes:
        is_open: Whether it answers who sends no token.
        token_fits: Whether it answers our token.
        versions: What it runs; None where it does not answer us.
    """

    is_open: bool
    token_fits: bool
    versions: Versions | None


def ask_head(address: str, token: str | None) -> Head:
    """Ask the head (GCS) at HOST:PORT, first without a token, then with ours.

    Raises:
        ConnectError: whoever listens there is no Ray head, or does not answer in time.
        AccessError: TLS is on, and its files are not there.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with _channel(address, tls_files()) as channel:
        anonymous = _ask(channel, address, None)
        if anonymous is not None:
            return Head(is_open=True, token_fits=True, versions=anonymous)
        ours = None if token is None else _ask(channel, address, token)
        return Head(is_open=False, token_fits=ours is not None, versions=ours)


def check_versions(place: str, theirs: Versions, ours: Versions) -> None:
    """Refuse a cluster that a driver of ours can't join: Ray wants both to be equal.

    Raises:
        VersionError: Ray's version or Python's differ.
    """
    level = os.environ.get("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL", "patch")  # Ray's own leniency
    parts = 2 if level == "minor" else 3
    same_python = theirs.python.split(".")[:parts] == ours.python.split(".")[:parts]
    if theirs.ray != ours.ray or not same_python:
        raise VersionError(
            f"a driver must run what its cluster runs, but {place} runs {theirs}, and this is "
            f"{ours}; use the cluster's versions here, or `rnn-sweep submit`, which runs there."
        )


def _channel(address: str, tls: TlsFiles | None) -> Any:
    import grpc  # type: ignore[import-untyped]

    if tls is None:
        return grpc.insecure_channel(address, options=_NO_PROXY)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=tls.authority.read_bytes(),
        private_key=tls.key.read_bytes(),
        certificate_chain=tls.certificate.read_bytes(),
    )
    return grpc.secure_channel(address, credentials, options=_NO_PROXY)


def _ask(channel: Any, address: str, token: str | None) -> Versions | None:
    """Return what the head runs, None where it wants a (another) token."""
    import grpc
    from ray.core.generated import gcs_service_pb2

    question = gcs_service_pb2.InternalKVGetRequest(  # type: ignore[attr-defined]
        key=b"CLUSTER_METADATA", namespace=b"cluster"
    )
    headers = [] if token is None else [("authorization", f"Bearer {token}")]
    try:
        raw = channel.unary_unary(_QUESTION)(
            question.SerializeToString(), timeout=ANSWER_SECONDS, metadata=headers
        )
        answer = gcs_service_pb2.InternalKVGetReply.FromString(raw)  # type: ignore[attr-defined]
        stored = json.loads(answer.value)
        return Versions(stored["ray_version"], stored["python_version"])
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return None
        raise _no_head(address, error.code().name.lower().replace("_", " ")) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _no_head(address, "it does not say what it runs") from error


def _no_head(address: str, reason: str) -> ConnectError:
    tls = (
        "Do both sides' TLS files fit?"
        if tls_files()
        else "A cluster with TLS needs RAY_USE_TLS=1 here too."
    )
    return ConnectError(
        f"a Ray head must answer at --address {address}, but what listens there does not speak as "
        f"one ({reason}); is it the head's own port, as 6379? {tls}"
    )
