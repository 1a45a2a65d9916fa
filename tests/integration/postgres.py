"""A PostgreSQL cluster for a test: made in a folder of its own, gone with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.integration.mlflow_server import free_port, wait_for

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`, if PostgreSQL's server is installed."""
    for pattern in _PLACES:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (folder / "initdb").exists():
                return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def let_in(folder: Path) -> None:
    """Open pytest's folders, which are closed to others, so far that they can be passed."""
    for parent in (folder, *folder.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)


def initialise(folder: Path, port: int) -> tuple[list[str | Path], int, list[str | Path]]:
    """Make an empty cluster in `folder`; return its server's command and user, and a probe.

    PostgreSQL refuses to run as root: root runs it as `nobody`.
    """
    place = binaries()
    assert place is not None, "ask `binaries` first"
    data = folder / "postgres"
    data.mkdir(mode=0o700)
    owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    if owner != os.geteuid():
        os.chown(data, owner, -1)
        let_in(folder)
    initdb = [place / "initdb", "-D", data, "-U", "me", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, user=owner, cwd=data, check=True, stdout=subprocess.DEVNULL)
    options = ["-p", str(port), "-k", "", "-h", "127.0.0.1", "-F"]
    ready = [place / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    return [place / "postgres", "-D", data, *options], owner, ready


class Server:
    """A PostgreSQL server over a cluster in a folder; it may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        """Make the cluster, start the server."""
        port = free_port()
        self._folder = folder
        self._command, self._owner, self._ready = initialise(folder, port)
        self.url = f"postgresql://me:secret@127.0.0.1:{port}/postgres"
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        if self._owner != os.geteuid():
            let_in(self._folder)  # another pytest closes its folders again
        data = self._folder / "postgres"
        with (self._folder / "postgres.log").open("ab") as log:
            self._server = subprocess.Popen(
                self._command, user=self._owner, cwd=data, stdout=log, stderr=log
            )
        wait_for(lambda: subprocess.run(self._ready, check=False).returncode == 0, 60)

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL; its children end as soon as they notice."""
        self._server.kill()
        self._server.wait()

    def freeze(self) -> None:
        """Stop all its processes: their connections stay open, and nothing is answered."""
        for process in self._family():
            process.suspend()

    def thaw(self) -> None:
        """Let them go on."""
        for process in self._family():
            process.resume()

    def _family(self) -> list[psutil.Process]:
        leader = psutil.Process(self._server.pid)
        return [leader, *leader.children(recursive=True)]

    def stop(self) -> None:
        """Shut down fast: mlflow keeps connections open."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run a server whose cluster lies in `folder`."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield the URI of an empty database; its cluster lies in `folder`."""
    with running(folder) as server:
        yield server.url
