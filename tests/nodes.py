"""A Ray cluster of several raylets on this machine, to be killed in every way and closed cleanly.

Every node is a `ray start --block` in a session of its own, as a supervisor or a container would
start it. With `--block` the kernel ends a node's daemons with their leader, and the leader ends
within a second of its raylet. Nothing is left when the context closes (Linux only: /proc).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from tests.processes import belonging, command_lines

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90.0
STORE_BYTES = 100_000_000

# Dead nodes are noticed after about 4 s instead of 15, frozen ones after about 12 instead of 65;
# a node that has lost its head ends after 5 s instead of 60. Anybody may start a head so:
# `RAY_health_check_period_ms=1000 RAY_health_check_timeout_ms=2000
# RAY_health_check_failure_threshold=4 RAY_gcs_rpc_server_reconnect_timeout_s=5 ray start --head`.
IMPATIENCE = {
    "health_check_initial_delay_ms": 2000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 4,
    "gcs_rpc_server_reconnect_timeout_s": 5,
}
_NO_TELEMETRY = {"task_events_report_interval_ms": 0, "enable_metrics_collection": False}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Node:
    """One raylet with what belongs to it.

    Attributes:
        starts: How often it was started.
    """

    name: str
    cpus: int
    options: tuple[str, ...]
    output: Path
    starts: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    frozen: bool = False

    @property
    def runs(self) -> bool:
        """Whether its `ray start` has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether its raylet has joined the cluster."""
        return self.runs and b"Ray runtime started" in self.output.read_bytes()

    def raylet(self) -> psutil.Process | None:
        """Return the raylet's process, if it lives."""
        if self.process is None:
            return None
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                if child.name() == "raylet" and child.status() != psutil.STATUS_ZOMBIE:
                    return child
        return None

    def node_id(self) -> str:
        """Return Ray's hexadecimal id of the node."""
        raylet = self.raylet()
        assert raylet is not None, f"{self.name} has no raylet"
        return next(
            word.partition("=")[2] for word in raylet.cmdline() if word.startswith("--node_id=")
        )

    def workers(self) -> list[psutil.Process]:
        """Return the processes of the sweep's workers on this node, oldest first."""
        raylet, found = self.raylet(), []
        with suppress(psutil.NoSuchProcess):
            for child in raylet.children() if raylet else []:
                with suppress(psutil.NoSuchProcess):
                    if "_Actor" in " ".join(child.cmdline()):
                        found.append((child.create_time(), child))
        return [process for _, process in sorted(found, key=lambda pair: pair[0])]


class Cluster:
    """A head and its nodes.

    Args:
        cpus: Of the head; 0 keeps workers off the node that the coordinator is on.
        token: Whether the cluster asks for a token; `environment` holds what its users need.
        dashboard: Whether a dashboard (and with it the Jobs API) listens on 127.0.0.1.
        system: Ray's system configuration beside `IMPATIENCE`.

    Attributes:
        address: What `--address` takes.
        dashboard_url: `http://127.0.0.1:PORT`; empty without a dashboard.
        environment: The environment in which to run whatever joins the cluster.
    """

    def __init__(
        self,
        cpus: int = 0,
        *,
        token: bool = True,
        dashboard: bool = False,
        system: Mapping[str, object] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rn", dir="/tmp"))  # short, for unix sockets
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.environment = dict(os.environ) | self._variables(token)
        self.nodes: list[Node] = []
        dashboard_port = free_port()
        self.dashboard_url = f"http://127.0.0.1:{dashboard_port}" if dashboard else ""
        config = {**_NO_TELEMETRY, **IMPATIENCE, **(system or {})}
        options = ["--head", f"--port={self.port}", "--no-monitor"]
        options += [f"--ray-client-server-port={free_port()}", f"--temp-dir={self.folder / 'ray'}"]
        options += [f"--system-config={json.dumps(config)}"]
        options += [f"--include-dashboard={str(dashboard).lower()}", "--dashboard-host=127.0.0.1"]
        options += [f"--dashboard-port={dashboard_port}"]
        self.head = Node("head", cpus, tuple(options), self.folder / "head.out")

    def _variables(self, token: bool) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        common = {
            "PYTHONPATH": path,  # workers import this checkout's packages
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            "RAY_raylet_start_wait_time_s": "120",  # on a machine that others keep busy
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
        }
        if not token:
            return common | {"RAY_AUTH_MODE": "disabled"}
        path = self.folder / "token"
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
        return common | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}

    def __enter__(self) -> Cluster:
        try:
            self.start(self.head)
            self.wait(self.head)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- nodes come ----------------------------------------------------------------------------

    def add_node(
        self,
        cpus: int = 1,
        labels: Mapping[str, str] | None = None,
        resources: Mapping[str, float] | None = None,
        *,
        wait: bool = True,
    ) -> Node:
        """Start one more raylet."""
        name = f"node-{len(self.nodes)}"
        # Nodes that start at once in one folder take each other's sockets.
        options = [f"--address={self.address}", f"--temp-dir={self.folder / name}"]
        options += [f"--resources={json.dumps({name: 1.0, **(resources or {})})}"]
        if labels:
            options += ["--labels=" + ",".join(f"{k}={v}" for k, v in labels.items())]
        node = Node(name, cpus, tuple(options), self.folder / f"{name}.out")
        self.nodes.append(node)
        self.start(node)
        if wait:
            self.wait(node)
        return node

    def start(self, node: Node) -> None:
        """Start a node, or start it again after its end, with the same command."""
        assert not node.runs, f"{node.name} runs"
        self._sweep_up(node)
        if node is self.head:  # or else Ray takes the raylets of this machine for a living head
            (self.folder / "ray" / "ray_current_cluster").unlink(missing_ok=True)
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        command += ["--node-ip-address=127.0.0.1", f"--num-cpus={node.cpus}", "--num-gpus=0"]
        command += [f"--object-store-memory={STORE_BYTES}", "--include-log-monitor=false"]
        command += ["--min-worker-port=0", "--max-worker-port=0", "--disable-usage-stats"]
        command += [f"--dashboard-agent-listen-port={free_port()}", *node.options]
        with node.output.open("wb") as output:
            node.process = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        node.starts += 1
        node.frozen = False

    def wait(self, *nodes: Node, seconds: float = START_SECONDS) -> None:
        """Wait until nodes have joined; an end before that is an error that shows their output."""
        deadline = time.monotonic() + seconds
        for node in nodes:
            while not node.ready:
                said = node.output.read_text(errors="replace")[-2000:]
                assert node.runs, f"{node.name} ended: {said}"
                assert time.monotonic() < deadline, f"{node.name} does not start: {said}"
                time.sleep(0.1)

    def revive(self) -> list[Node]:
        """Start again what has ended, as a supervisor would, with the same commands.

        Raylets of a head that died and came back stay, unknown to the new one (Ray 2.60
        without fault tolerance of its GCS): they end here, as by a liveness probe of KubeRay.
        """
        if not self.head.runs:
            for node in self.nodes:
                self.kill_node(node)
            self.start(self.head)
            return [self.head]
        if not self.head.ready:
            return []
        ended = [node for node in self.nodes if not node.runs]
        for node in ended:
            self.start(node)
        return ended

    # -- nodes go ------------------------------------------------------------------------------

    def kill_raylet(self, node: Node) -> None:
        """Send SIGKILL to a node's raylet alone; what depends on it ends by itself."""
        raylet = node.raylet()
        if raylet is not None:
            raylet.kill()

    def kill_node(self, node: Node) -> None:
        """End all processes of a node at once, as when its machine loses power."""
        workers = node.workers()
        _signal_session(node, signal.SIGKILL)
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        if node.process is not None:
            node.process.wait()

    def freeze(self, node: Node) -> None:
        """Stop a raylet, as a machine that swaps or a network that is cut would."""
        raylet = node.raylet()
        if raylet is not None:
            raylet.suspend()
            node.frozen = True

    def thaw(self, node: Node) -> None:
        """Let a frozen raylet go on."""
        raylet = node.raylet()
        if raylet is not None:
            raylet.resume()
        node.frozen = False

    def drain(self, node: Node, seconds: int) -> bool:
        """Announce that the node will be taken away in so many seconds, as a spot market does.

        Ray's raylet ends by itself once it has nothing to do; the machine is the caller's to take.

        Returns:
            Whether the cluster has taken note of it.
        """
        command = [sys.executable, "-m", "ray.scripts.scripts", "drain-node"]
        command += [f"--address={self.address}", f"--node-id={node.node_id()}"]
        command += ["--reason=DRAIN_NODE_REASON_PREEMPTION", "--reason-message=spot"]
        command += [f"--deadline-remaining-seconds={seconds}"]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, timeout=60
        )
        return done.returncode == 0

    def workers(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of the sweep's workers by the name of their node."""
        return {node.name: node.workers() for node in (self.head, *self.nodes)}

    def left(self) -> list[str]:
        """Return what of the cluster still runs, as command lines."""
        return command_lines(belonging(self.folder))

    def close(self) -> None:
        """End everything and remove the folder."""
        for node in (*self.nodes, self.head):
            self.kill_node(node)
        for process in belonging(self.folder):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        deadline = time.monotonic() + 10
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep_up(self, node: Node) -> None:
        """End what an ended leader may have left of its session."""
        if node.process is not None:
            _signal_session(node, signal.SIGKILL)
            node.process.wait()


def _signal_session(node: Node, number: signal.Signals) -> None:
    if node.process is not None:
        with suppress(ProcessLookupError):
            os.killpg(node.process.pid, number)
