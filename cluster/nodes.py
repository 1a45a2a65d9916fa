"""What a joined cluster is made of: nodes, room for workers, who is about to leave, its head.

Everything that Ray tells only through private functions is called here and nowhere else.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from typing import Any

from cluster.errors import NoRoom

PROBE_SECONDS = 3.0
FIRST_WORD_SECONDS = 15.0
ANSWER_SECONDS = 20.0
_LOOK_SECONDS = 0.25
_READ_ONLY = "node_"


@dataclass(frozen=True)
class Needs:
    """What one worker reserves.

    Attributes:
        cpus: CPU cores.
        gpus: GPUs; a fraction is bookkeeping of Ray's, not isolation.
        memory_bytes: Memory to reserve; 0 reserves none.
        accelerator: Ray's accelerator type, such as A100; None takes any.
        labels: Labels that the node must bear, in Ray's label selector syntax.
    """

    cpus: float = 1
    gpus: float = 0
    memory_bytes: int = 0
    accelerator: str | None = None
    labels: dict[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """Return the options of `ray.remote` that reserve it."""
        found: dict[str, Any] = {"num_cpus": self.cpus, "num_gpus": self.gpus}
        if self.memory_bytes:
            found["memory"] = self.memory_bytes
        if self.accelerator:
            found["accelerator_type"] = self.accelerator
        if self.labels:
            found["label_selector"] = dict(self.labels)
        return found

    def bundle(self) -> dict[str, float]:
        """Return it as Ray's resources by name."""
        found = {"CPU": float(self.cpus), "GPU": float(self.gpus)}
        found["memory"] = float(self.memory_bytes)
        if self.accelerator:
            found[f"accelerator_type:{self.accelerator}"] = 0.001
        return {name: amount for name, amount in found.items() if amount}

    def __str__(self) -> str:
        """Return it in words."""
        words = [f"{self.cpus:g} CPU"]
        words += [f"{self.gpus:g} GPU"] if self.gpus else []
        words += [f"{self.memory_bytes / 2**30:.3g} GiB memory"] if self.memory_bytes else []
        words += [f"accelerator {self.accelerator}"] if self.accelerator else []
        words += [f"label {name}={value}" for name, value in self.labels.items()]
        return ", ".join(words)


@dataclass(frozen=True)
class Node:
    """One living node."""

    node_id: str
    host: str
    resources: dict[str, float]
    labels: dict[str, str]

    def holds(self, needs: Needs) -> int:
        """Return how many workers the node could hold, were it empty."""
        if not all(_selects(value, self.labels.get(name)) for name, value in needs.labels.items()):
            return 0
        have = self.resources
        asked = needs.bundle().items()
        return min((int(have.get(name, 0) / amount + 1e-9) for name, amount in asked), default=0)

    def __str__(self) -> str:
        """Return its resources in words."""
        shown = [f"{self.resources.get('CPU', 0):g} CPU", f"{self.resources.get('GPU', 0):g} GPU"]
        shown.append(f"{self.resources.get('memory', 0) / 2**30:.3g} GiB")
        marks = sorted(r for r in self.resources if r.startswith("accelerator_type:"))
        own = {n: v for n, v in self.labels.items() if not n.startswith("ray.io/")}
        shown += [mark.partition(":")[2] for mark in marks]
        shown += [f"{name}={value}" for name, value in sorted(own.items())]
        return f"{self.host} ({', '.join(shown)})"


def nodes() -> list[Node]:
    """Return the living nodes of the cluster that was joined."""
    import ray

    found = []
    for entry in ray.nodes():  # type: ignore[no-untyped-call]
        if entry.get("Alive"):
            labels = dict(entry.get("Labels") or {})
            host = str(entry.get("NodeManagerAddress", "?"))
            found.append(Node(entry["NodeID"], host, dict(entry.get("Resources", {})), labels))
    return found


def lives(node_id: str) -> bool:
    """Return whether a node is there: known to the head, and answering on its own port.

    A node's workers end with it at once, some seconds before the head takes note.
    """
    import ray

    for entry in ray.nodes():  # type: ignore[no-untyped-call]
        if entry["NodeID"] == node_id and entry.get("Alive"):
            return answers(f"{entry['NodeManagerAddress']}:{entry['NodeManagerPort']}")
    return False


def room(needs: Needs) -> int:
    """Return how many workers the cluster's nodes could hold, were they empty."""
    return sum(node.holds(needs) for node in nodes())


def check_room(needs: Needs, patience_seconds: float = 0.0) -> None:
    """Refuse a cluster on which a worker could never start.

    Args:
        needs: What the worker reserves.
        patience_seconds: How long nodes are waited for, or an autoscaler's first word: a head may
            be there, or be back, some seconds before them.

    Raises:
        NoRoom: no node is large enough or bears the labels, and no autoscaler could add one.
    """

    def fits() -> bool:
        return any(node.holds(needs) for node in nodes())

    _wait_for(lambda: fits() or autoscales(), patience_seconds)
    if fits() or _could_be_added(needs):
        return
    shown = "; ".join(str(node) for node in nodes()) or "none"
    added = "; its autoscaler has none to add that could" if autoscales() else ""
    raise NoRoom(
        f"a worker needs {needs}, which no node of the cluster can ever hold; there are: "
        f"{shown}{added}; change cluster.cpus, gpus, memory_gib, accelerator or labels, or name "
        "another --address."
    )


def has_gpus(needs: Needs, patience_seconds: float = 0.0, *, wanted: bool) -> bool:
    """Return whether the cluster has GPUs, or could get one for a worker.

    Args:
        needs: What else a worker reserves.
        patience_seconds: As for `check_room`.
        wanted: Whether a worker must have one: then an autoscaler that says nothing is trusted.
    """
    import ray

    def there() -> bool:
        return bool(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]

    wanted = wanted or bool(needs.gpus)
    _wait_for(lambda: there() or autoscales(), patience_seconds if wanted else 0.0)
    with_gpu = replace(needs, gpus=needs.gpus or 1)
    return there() or _could_be_added(with_gpu, by_silence=wanted)


def autoscales() -> bool:
    """Return whether an autoscaler watches the cluster; one may have nothing to add."""
    return bool(_status().autoscaling_state.autoscaler_state_version) or _autoscales_in_v1()


def _autoscales_in_v1() -> bool:
    """Return whether Ray's older autoscaler adds nodes: the default of `ray up`.

    A head without one has the same process; its kinds of node are named by the nodes that are.
    """
    text = _client().internal_kv_get(b"__autoscaling_status", None)
    try:
        kinds = json.loads(text or b"{}")["autoscaler_report"]["node_type_mapping"]
    except (ValueError, KeyError, TypeError):
        return False
    return any(not kind.startswith(_READ_ONLY) for kind in (kinds or {}).values())


def _wait_for(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _could_be_added(needs: Needs, *, by_silence: bool = True) -> bool:
    """Return whether an autoscaler would add a node for a worker.

    Which kinds of node it has, it tells nobody. But it is asked for one, and what it can never
    bring it calls infeasible with its next look at the cluster, some seconds later. The older one
    (v1) calls nothing infeasible: `by_silence` is what silence means.
    """
    if not autoscales():
        return False
    if _autoscales_in_v1():
        return by_silence
    ask_for(needs, 1)
    try:
        asked: int | None = None
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            told = _status()
            cluster, scaler = told.cluster_resource_state, told.autoscaling_state
            if asked is None and _is_asked(cluster):
                asked = cluster.cluster_resource_state_version
            if asked is not None and scaler.last_seen_cluster_resource_state_version >= asked:
                return not scaler.infeasible_cluster_resource_constraints
            time.sleep(_LOOK_SECONDS)
    finally:
        ask_for(needs, 0)
    return by_silence


def _is_asked(cluster: Any) -> bool:
    return any(wish.resource_requests for wish in cluster.cluster_resource_constraints)


def _status() -> Any:
    """Return what head and autoscaler know of each other: Ray's `GetClusterStatusReply`."""
    from ray.core.generated import autoscaler_pb2

    told = vars(autoscaler_pb2)["GetClusterStatusReply"]()
    told.ParseFromString(_client().get_cluster_status(timeout_s=ANSWER_SECONDS))
    return told


def _client() -> Any:
    from ray import _raylet

    return vars(_raylet)["GcsClient"](head_address())


def draining() -> set[str]:
    """Return the ids of the nodes that have been told to leave (spot preemption, say)."""
    from ray._private.state import state

    return set(state.get_draining_nodes())


def ask_for(needs: Needs, count: int) -> None:
    """Ask the autoscaler to make room for `count` workers at once; 0 takes the wish back.

    The cluster remembers one wish, whosoever's: that of the last who asked.
    """
    if not autoscales():
        return
    from ray.autoscaler.sdk import request_resources

    bundles = [needs.bundle() for _ in range(count)]
    selectors = [dict(needs.labels) for _ in range(count)] if needs.labels else None
    request_resources(bundles=bundles, bundle_label_selectors=selectors)


def head_address() -> str:
    """Return where the head of the joined cluster listens, as host:port."""
    import ray

    return str(ray.get_runtime_context().gcs_address)


def answers(address: str) -> bool:
    """Return whether somebody listens at host:port."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def end_process(node_id: str, pid: int) -> None:
    """Have a node kill one of its processes: one that is stopped obeys nobody else."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(node_id, soft=False)
    ray.remote(_kill).options(num_cpus=0, scheduling_strategy=here, max_retries=0).remote(pid)


def _kill(pid: int) -> None:
    import os
    import signal

    os.kill(pid, signal.SIGKILL)


def _selects(selector: str, value: str | None) -> bool:
    """Return whether Ray's label selector takes a value: `a`, `!a`, `in(a,b)`, `!in(a,b)`."""
    negated = selector.startswith("!")
    text = selector.removeprefix("!")
    chosen: Container[str | None] = [text]
    if text.startswith("in(") and text.endswith(")"):
        chosen = [item.strip() for item in text[3:-1].split(",")]
    return (value in chosen) != negated
