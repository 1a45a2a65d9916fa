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
        for parent in (folder, *folder.parents):  # pytest's folders are closed to others
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
    initdb = [place / "initdb", "-D", data, "-U", "me", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, user=owner, cwd=data, check=True, stdout=subprocess.DEVNULL)
    options = ["-p", str(port), "-k", "", "-h", "127.0.0.1", "-F"]
    ready = [place / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    return [place / "postgres", "-D", data, *options], owner, ready


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Yield the URI of an empty database; its cluster lies in `folder`."""
    port = free_port()
    command, owner, ready = initialise(folder, port)
    with (folder / "postgres.log").open("wb") as log:
        server = subprocess.Popen(
            command, user=owner, cwd=folder / "postgres", stdout=log, stderr=log
        )
    try:
        wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, 60)
        yield f"postgresql://me:secret@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: mlflow keeps connections open
        server.wait()
