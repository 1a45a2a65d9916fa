"""The only `ray.init` of the project."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Mapping
from typing import Any

from cluster.auth import admit, find_token, make_token, needs_token, use_tokens, wrong_token
from cluster.errors import ConnectError
from cluster.head import Versions, ask_head, check_versions

_LOG = logging.getLogger(__name__)
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
        address: None for a private local Ray; otherwise HOST:PORT of a head, or `auto` for the
            cluster that this machine belongs to.
        cpus: CPU cores that a local Ray may hand out.
        data_bytes: Size of the data that will be put once; a local store holds at least twice it.

    Raises:
        ConnectError: nothing answers at the address, it may not be joined (no token or a wrong
            one, an open cluster off loopback, another version), or Ray does not start.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if address is None:
            make_token()
            use_tokens(True)
            _start_local(cpus, 2 * data_bytes + _STORE_FLOOR_BYTES)
        else:
            _join(address)


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
    host, port = _find_head(address)
    token = find_token()
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    needs_token(place, host, token, allow_open=False)
    _check_reachable(address, host, port)
    head = ask_head(place, token)
    admit(place, host, token, head.is_open, allow_open=False)
    if not head.token_fits or head.versions is None:
        raise wrong_token(place)
    check_versions(place, head.versions, Versions.ours())
    use_tokens(not head.is_open)
    _check_is_node(place)
    import ray
    import ray._private.worker

    # Ray prints what raylets say as they die, whatever `log_to_driver` is.
    vars(ray._private.worker)["print_to_stdstream"] = _note
    try:
        ray.init(
            address=place, logging_level=logging.ERROR, log_to_driver=False, namespace=NAMESPACE
        )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        lines = str(error).strip().splitlines() or [repr(error)]
        raise ConnectError(
            f"a Ray cluster must answer at --address {address}, but: {lines[0]}"
        ) from error


def _note(data: Mapping[str, Any], ignore_prefix: bool = False) -> None:
    """Take down the first line of what Ray would print."""
    lines = "\n".join(data.get("lines", [])).strip().splitlines()
    if lines:
        _LOG.info("Ray: %s", lines[0])


def _find_head(address: str) -> tuple[str, int]:
    """Return host and port of the head; `auto` is the cluster that this machine belongs to."""
    if address == "auto":
        return _split(_own_cluster(), address)
    return _split(address, address)


def _split(text: str, address: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or "/" in text or not port.isdecimal() or not 0 < int(port) < 65536:
        shown = address.rpartition("@")[2]
        way_out = "to a http:// address sweeps go with `rnn-sweep submit`"
        raise ConnectError(
            f"--address must be auto or a head's HOST:PORT, but got {shown!r}; {way_out}."
        )
    return host.strip("[]"), int(port)


def _own_cluster() -> str:
    """Return the address of the cluster that runs on this machine, or that RAY_ADDRESS names."""
    from ray._private import services

    vars(services)["find_gcs_addresses"].cache_clear()  # a head may have died and come back
    try:
        return str(services.canonicalize_bootstrap_address_or_die("auto"))
    except (ConnectionError, ValueError, RuntimeError) as error:
        several = "multiple" in str(error)
        raise ConnectError(
            "--address auto needs one Ray cluster on this machine, but there "
            f"{'are several' if several else 'is none'}; "
            f"{'name one by its HOST:PORT' if several else 'start one (ray start --head)'}, or "
            "leave --address out: then a private Ray is started."
        ) from error


def _check_reachable(address: str, host: str, port: int) -> None:
    """Fail within seconds where nobody listens: `ray.init` itself tries for minutes."""
    try:
        socket.create_connection((host, port), timeout=REACH_SECONDS).close()
    except (OSError, UnicodeError) as error:
        raise ConnectError(
            f"a Ray cluster must answer at --address {address}, but: {error}"
        ) from error


def _check_is_node(place: str) -> None:
    """Refuse what Ray would try for a minute: a driver needs a raylet on its own machine."""
    from ray._private import services

    if not services.find_node_ids():  # type: ignore[no-untyped-call]
        raise ConnectError(
            f"this machine must be a node of the cluster at {place}, but no Ray runs here; from "
            "elsewhere a sweep goes there with `rnn-sweep submit --address http://HOST:8265`."
        )
