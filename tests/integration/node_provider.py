"""A cloud for Ray's autoscaler: each of its machines is a `ray start` on this one.

Ray loads it into its monitor by name (`provider: {type: external, module: …}`). It knows what it
has started, and forgets what has ended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from ray._private.services import get_node_ip_address
from ray.autoscaler.node_provider import NodeProvider
from ray.autoscaler.tags import (
    NODE_KIND_HEAD,
    STATUS_UP_TO_DATE,
    TAG_RAY_NODE_KIND,
    TAG_RAY_NODE_STATUS,
    TAG_RAY_USER_NODE_TYPE,
)

HEAD_ID, HEAD_TYPE = "the-head", "head"
STORE_BYTES = 100_000_000


class LocalNodes(NodeProvider):
    """Starts and ends raylets; `provider` names the head's address and a folder for their files."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name)
        head = {TAG_RAY_NODE_KIND: NODE_KIND_HEAD, TAG_RAY_USER_NODE_TYPE: HEAD_TYPE}
        self._tags = {HEAD_ID: {**head, TAG_RAY_NODE_STATUS: STATUS_UP_TO_DATE}}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._addresses = {HEAD_ID: get_node_ip_address()}

    def non_terminated_nodes(self, tag_filters: dict[str, str]) -> list[str]:
        wanted = tag_filters.items()
        return [node for node in self._living() if wanted <= self._tags[node].items()]

    def is_running(self, node_id: str) -> bool:
        return node_id in self._living()

    def is_terminated(self, node_id: str) -> bool:
        return node_id not in self._living()

    def node_tags(self, node_id: str) -> dict[str, str]:
        return self._tags[node_id]

    def set_node_tags(self, node_id: str, tags: dict[str, str]) -> None:
        self._tags[node_id] |= tags

    def internal_ip(self, node_id: str) -> str:
        return self._addresses[node_id]

    def external_ip(self, node_id: str) -> str:
        return self._addresses[node_id]

    def create_node_with_resources_and_labels(
        self,
        node_config: dict[str, Any],
        tags: dict[str, str],
        count: int,
        resources: dict[str, float],
        labels: dict[str, str],
    ) -> None:
        for _ in range(count):
            node_id = uuid.uuid4().hex[:8]
            self._addresses[node_id] = f"127.0.1.{len(self._addresses)}"  # v1 knows nodes by them
            self._tags[node_id] = {**tags, TAG_RAY_NODE_STATUS: STATUS_UP_TO_DATE}
            kind = tags[TAG_RAY_USER_NODE_TYPE]
            self._processes[node_id] = self._start(node_id, kind, dict(resources), labels)

    def terminate_node(self, node_id: str) -> None:
        process = self._processes.pop(node_id)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        return cluster_config

    def _living(self) -> list[str]:
        return [HEAD_ID, *(n for n, p in self._processes.items() if p.poll() is None)]

    def _start(
        self, node_id: str, kind: str, resources: dict[str, float], labels: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        place = Path(self.provider_config["folder"]) / node_id
        cpus = int(resources.pop("CPU", 0))
        resources.pop("memory", None)
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        command += [f"--address={self.provider_config['address']}", f"--temp-dir={place}"]
        command += [f"--num-cpus={cpus}", "--num-gpus=0", f"--resources={json.dumps(resources)}"]
        command += [f"--node-ip-address={self._addresses[node_id]}"]
        command += [f"--object-store-memory={STORE_BYTES}"]
        command += ["--min-worker-port=0", "--max-worker-port=0", "--include-log-monitor=false"]
        if labels:
            command += ["--labels=" + ",".join(f"{k}={v}" for k, v in labels.items())]
        own = {"RAY_CLOUD_INSTANCE_ID": node_id, "RAY_NODE_TYPE_NAME": kind}
        with place.with_suffix(".out").open("wb") as output:
            return subprocess.Popen(
                command, env=os.environ | own, stdout=output, stderr=output, start_new_session=True
            )
