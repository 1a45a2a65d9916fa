"""What a sweep leans on besides Ray: PostgreSQL and MLflow's server, killed and restarted."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from sweep.tracking.ui import server_command, server_environment
from tests.integration.mlflow_server import answers
from tests.integration.postgres import initialise
from tests.nodes import free_port

START_SECONDS = 180.0


class Service:
    """A server with one command, started again with the same one after its death.

    Args:
        answers: Whether it takes requests.
        owner: User id to run it as; None is ours.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        answers: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
        owner: int | None = None,
    ) -> None:
        self.name = name
        self._command = [str(word) for word in command]
        self._folder = folder
        self._answers = answers
        self._environment = dict(environment or os.environ)
        self._owner = owner
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether its first process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it may take a while to answer."""
        with (self._folder / f"{self.name}.out").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                user=self._owner,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.runs, f"{self.name} ended; see {self._folder / self.name}.out"
            assert time.monotonic() < deadline, f"{self.name} does not answer"
            time.sleep(0.2)

    def kill(self) -> None:
        """Send SIGKILL to all its processes (PostgreSQL's have sessions of their own)."""
        if self._process is None or not self.runs:
            return
        family = psutil.Process(self._process.pid)
        for process in [family, *family.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()


def postgres_service(folder: Path) -> tuple[Service, str]:
    """Return a PostgreSQL server with an empty database, and the database's URL."""
    port = free_port()
    command, owner, ready = initialise(folder, port)
    place = folder / "postgres"

    def reachable() -> bool:
        return subprocess.run(ready, check=False, capture_output=True).returncode == 0

    service = Service("postgres", command, place, reachable, owner=owner)
    return service, f"postgresql://me@127.0.0.1:{port}/postgres"


def tracker_service(folder: Path) -> tuple[Service, str]:
    """Return an MLflow server on a SQLite store in the folder, and its URL."""
    port = free_port()
    store = folder / "mlflow.db"
    command = server_command(folder, "127.0.0.1", port)
    environment = os.environ | server_environment(f"sqlite:///{store}")
    service = Service("tracker", command, folder, lambda: answers(port), environment)
    return service, f"http://127.0.0.1:{port}"
