"""What a manifest is made from: plain values, whoever read them.

A worker is sized by what it reserves, a node by how many workers share it. Secrets are names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHARE_OF_WORKERS = 0.7  # Ray gives the rest of a node's memory to its object store
RAYLET_GIB = 2


@dataclass(frozen=True)
class Workers:
    """What one worker reserves, and how many there are.

    Attributes:
        cpus: Cores per worker.
        gpus: GPUs per worker; a fraction is shared by workers of one node.
        memory_gib: Memory per worker.
        accelerator: Ray's accelerator type, as A100.
        labels: Ray labels that a node must bear; a value may be a selector (`!spot`, `in(a,b)`).
        fewest: Nodes kept for so many workers while the cluster lives.
        most: Workers at most.
        per_node: Workers that share a node.
    """

    cpus: int = 1
    gpus: float = 0.0
    memory_gib: float = 4.0
    accelerator: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    fewest: int = 0
    most: int = 4
    per_node: int = 1

    @property
    def node_cpus(self) -> int:
        """Cores of a node."""
        return self.cpus * self.per_node

    @property
    def node_gpus(self) -> int:
        """GPUs of a node, whole ones."""
        return math.ceil(self.gpus * self.per_node)

    @property
    def node_memory_gib(self) -> int:
        """Memory of a node: its workers, Ray itself, and Ray's object store."""
        return math.ceil((self.memory_gib * self.per_node + RAYLET_GIB) / SHARE_OF_WORKERS)

    @property
    def store_gib(self) -> int:
        """Shared memory of a node, for Ray's object store."""
        return max(1, math.floor(self.node_memory_gib * (1 - SHARE_OF_WORKERS)))

    @property
    def nodes(self) -> tuple[int, int]:
        """Nodes that are kept, and nodes at most."""
        return math.ceil(self.fewest / self.per_node), math.ceil(self.most / self.per_node)

    @property
    def node_labels(self) -> dict[str, str]:
        """Labels that a node gets so that workers find it; what selectors exclude is left out."""
        chosen = {}
        for name, value in self.labels.items():
            if value.startswith("in(") and value.endswith(")"):
                chosen[name] = value[3:-1].split(",")[0].strip()
            elif "!" not in value and "(" not in value:
                chosen[name] = value
        return chosen


@dataclass(frozen=True)
class Kubernetes:
    """Names in the Kubernetes cluster; `sweep.config.deploy` says what each is."""

    namespace: str = "default"
    claim: str = "sweeps"
    mount: str = "/mnt/sweeps"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    token_secret: str | None = None
    postgres_secret: str | None = None
    tracking_secret: str | None = None
    tls_secret: str | None = None
    network_policy: str = "plain"
    redis: str | None = None
    redis_secret: str | None = None


@dataclass(frozen=True)
class Slurm:
    """What sbatch is told; `sweep.config.deploy` says what each is."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclusive: bool = True
    gpu_type: str | None = None
    setup: tuple[str, ...] = ()
    environment: str | None = None


@dataclass(frozen=True)
class Cloud:
    """The machines that `ray up` starts; `sweep.config.deploy` says what each is."""

    provider: str = "aws"
    region: str | None = None
    zone: str | None = None
    project: str | None = None
    head: str | None = None
    worker: str | None = None
    machine_image: str | None = None
    ssh_user: str = "ubuntu"
    nfs: str | None = None


@dataclass(frozen=True)
class Deployment:
    """One sweep on one cluster of its own.

    Attributes:
        name: The sweep's name.
        sweep: The sweep file's text, as it travels in the manifest.
        image: Container image that holds the project.
        ray_version: Ray's version in it.
        directory: Folder of sweeps on the cluster; None for each target's own.
        files: Python files that the sweep names: file name to text.
        spec_path: Where the sweep file lies on this machine, for what copies it.
        local_paths: Further files to copy: local path to their name beside the sweep file.
        arguments: Further words of `rnn-sweep run`, for targets that copy the sweep file.
        hours: Time limit.
        retries: New clusters after failed ones.
        head_cpus: Cores of the head, which runs the coordinator and no worker.
        head_memory_gib: Memory of the head.
        spot: Whether workers are on machines that may be taken away.
    """

    name: str
    sweep: str
    image: str
    ray_version: str
    directory: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    spec_path: str = ""
    local_paths: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    hours: float = 72.0
    retries: int = 10
    head_cpus: int = 2
    head_memory_gib: float = 8.0
    spot: bool = False
    workers: Workers = Workers()
    kubernetes: Kubernetes = Kubernetes()
    slurm: Slurm = Slurm()
    cloud: Cloud = Cloud()

    @property
    def seconds(self) -> int:
        """The time limit in whole seconds."""
        return math.ceil(self.hours * 3600)
