"""A Ray head of a test's own, on loopback, that asks for a token."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
TOKEN = "token-of-the-test-head-0123456789"


@dataclass(frozen=True)
class Head:
    """Where it listens, and where it writes."""

    address: str
    url: str
    folder: Path


def free_ports(count: int) -> list[int]:
    """Return ports that are free together."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def token_head(
    token: str = TOKEN, cpus: int = 2, environment: Mapping[str, str] | None = None
) -> Iterator[Head]:
    """Start a head with its Jobs server; everything of it is gone afterwards.

    The folder is short for the sake of Ray's sockets. `python` on the cluster is ours.
    """
    folder = tempfile.mkdtemp(prefix="head")
    gcs, dashboard, agent, client = free_ports(4)
    command = [str(BIN / "ray"), "start", "--head", "--block", "--node-ip-address=127.0.0.1"]
    command += [f"--port={gcs}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1"]
    command += [f"--dashboard-agent-listen-port={agent}", f"--ray-client-server-port={client}"]
    command += [f"--num-cpus={cpus}", "--object-store-memory=150000000", f"--temp-dir={folder}"]
    env = {**(environment or os.environ), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    env |= {"RAY_USAGE_STATS_ENABLED": "0", "PATH": f"{BIN}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(process, f"http://127.0.0.1:{dashboard}", token)
        yield Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", Path(folder))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
        _kill_rest(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], url: str, token: str) -> None:
    request = urllib.request.Request(
        f"{url}/api/version", headers={"Authorization": f"Bearer {token}"}
    )
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None, "the head ended"
        assert time.monotonic() < deadline, "the head's Jobs server does not answer"
        try:
            with urllib.request.urlopen(request, timeout=2):
                return
        except OSError:
            time.sleep(0.2)


def _kill_rest(folder: str) -> None:
    """Kill what has left the head's process group: its workers, which know the folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if folder.encode() in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)
