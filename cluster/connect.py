"""The only `ray.init` of the project."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import warnings
from pathlib import Path

from cluster.errors import ConnectError

NAMESPACE = "rnn-sweep"
REACH_SECONDS = 5.0
STARTS = 3
_TIMED_OUT = "timed out during startup"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_STORE_FLOOR_BYTES = 128 * 2**20
# Nobody reads the metrics and task events of a private Ray; they cost a fifth of its time.
_NO_TELEMETRY = {"enable_metrics_collection": False, "task_events_report_interval_ms": 0}


def connect(address: str | None, cpus: int, data_bytes: int) -> None:
    """Start Ray on this machine, or join the cluster at `address`.

    Args:
        address: None for a private local Ray; otherwise what `ray.init(address=…)` takes.
        cpus: CPU cores that a local Ray may hand out.
        data_bytes: Size of the data that will be put once; a local store holds at least twice it.

    Raises:
        ConnectError: nothing answers at the address, or Ray does not start.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    send_token()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if address is None:
            _start_local(cpus, 2 * data_bytes + _STORE_FLOOR_BYTES)
            send_token()
        else:
            _join(address)


def send_token() -> None:
    """Make Ray send its token where there is one: a client sends none unless it is told to.

    Ray writes the token readable by everybody; it is made private here.
    """
    token = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", "~/.ray/auth_token")).expanduser()
    if token.is_file():
        with contextlib.suppress(PermissionError):  # somebody else's file, and so theirs to protect
            token.chmod(0o600)
    if token.is_file() or os.environ.get("RAY_AUTH_TOKEN"):
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    if "ray" in sys.modules:  # imported before us, by a notebook say: it has read the mode by then
        from ray import _raylet

        vars(_raylet)["Config"].initialize("")  # as Ray does where it turns tokens on by itself


def disconnect() -> None:
    """Leave the cluster; a local Ray is shut down."""
    import ray

    ray.shutdown()


def _start_local(cpus: int, store_bytes: int) -> None:
    """Start Ray; a machine under load may not be ready within the half minute that Ray allows."""
    for left in reversed(range(STARTS)):
        try:
            _init_local(cpus, store_bytes)
        except Exception as error:
            if _TIMED_OUT not in str(error):
                raise
            disconnect()
            if not left:
                raise ConnectError(
                    f"Ray must start on this machine, but {STARTS} times it was not ready after "
                    "30 seconds; run the same command again when the machine is less busy."
                ) from error
        else:
            return


def _init_local(cpus: int, store_bytes: int) -> None:
    import ray

    ray.init(
        address="local",  # or else Ray joins whatever cluster it finds on this machine
        num_cpus=cpus,
        object_store_memory=store_bytes,
        include_dashboard=False,
        _system_config=_NO_TELEMETRY,
        logging_level=logging.ERROR,
        log_to_driver=False,
        namespace=NAMESPACE,
    )


def _join(address: str) -> None:
    import ray

    try:
        _check_reachable(address)
        ray.init(
            address=address, logging_level=logging.ERROR, log_to_driver=False, namespace=NAMESPACE
        )
    except (OSError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [repr(error)]
        raise ConnectError(
            f"a Ray cluster must answer at --address {address}, but: {lines[0]}"
        ) from error


def _check_reachable(address: str) -> None:
    """Fail within seconds where nobody listens: `ray.init` itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
