"""MLflow's own server over the record of a folder of sweeps, with as few processes as it allows."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from sweep.config.tracking_uri import (
    ARTIFACT_FOLDER,
    STORE_FILE,
    default_tracking_uri,
    is_server,
    local_store,
)
from sweep.errors import UserError
from sweep.words.redaction import shown

_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # a dozen processes that nothing here needs
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def serve(directory: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Become MLflow's server; where a server holds the record already, only say where it is.

    Raises:
        UserError: there is no record yet, or the port is taken.
    """
    uri = default_tracking_uri(directory)
    if is_server(uri):
        say(f"The record is on the server at {shown(uri)}")
        return
    if uri == local_store(directory) and not (directory / STORE_FILE).is_file():
        raise UserError(
            f"MLflow's record must lie in {directory / STORE_FILE}, but there is none yet; run a "
            "sweep first, or name its folder with --dir."
        )
    _require_free(host, port)
    say(f"MLflow: http://{host}:{port} (ready in about 20 s; Ctrl-C ends it)")
    command = server_command(directory, host, port)
    # signals reach MLflow itself
    os.execve(command[0], command, os.environ | server_environment(uri))


def server_environment(uri: str) -> dict[str, str]:
    """Return the server's variables: its store is named here, since a password may stand in it.

    Everybody on a machine may read command lines.
    """
    return _ENVIRONMENT | {"MLFLOW_BACKEND_STORE_URI": uri}


def server_command(directory: Path, host: str, port: int) -> list[str]:
    """Return the command line of the server."""
    artifacts = str(directory.resolve() / ARTIFACT_FOLDER)
    options = {
        "--artifacts-destination": artifacts,
        "--host": host,
        "--port": str(port),
        "--workers": "1",
    }
    words = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "mlflow", "server", *words]


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            raise UserError(
                f"--host must be an address of this machine, but for {host}: {error.strerror}."
            ) from error
        except OSError as error:
            raise UserError(
                f"port {port} of {host} must be free, but {error.strerror}; choose another --port."
            ) from error
