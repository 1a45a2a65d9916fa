"""A cluster file for Ray's own launcher, `ray up`, on AWS or Google Cloud.

The launcher reaches its machines by SSH. Ray's ports and its dashboard are open to the cluster's
own machines only; the token is made here, copied by SSH, and never stands in the file.
"""

from __future__ import annotations

import math
import shlex
from typing import Any

from cluster.render.deployment import Deployment
from cluster.render.text import documents, object_name

LONGEST_NAME = 40
HOME = "/home/ray"
SWEEPS = "/mnt/sweeps"
TOKEN_PATH = f"{HOME}/.ray/auth_token"
_IDLE_MINUTES = 5
_DISK_GIB = 200
_GCP_IMAGE = "projects/deeplearning-platform-release/global/images/family/common-cu124"
_MACHINES = {
    "aws": {"head": "m5.xlarge", "cpu": "m5.2xlarge", "gpu": "g5.2xlarge"},
    "gcp": {"head": "n2-standard-4", "cpu": "n2-standard-8", "gpu": "g2-standard-8"},
}
_REGIONS = {"aws": "us-west-2", "gcp": "us-west1"}
_COMMENT = """\
{name} on machines that Ray itself starts. In order:
  ray get-auth-token --generate > /dev/null && chmod 600 ~/.ray/auth_token
  ray up --yes {file}
  ray exec --tmux {file} {command}
  ray attach --tmux {file}         look on; ctrl-b d leaves it running
  ray dashboard {file}             Ray's pages at http://127.0.0.1:8265, through SSH
  ray rsync-down {file} {results} .
  ray down --yes {file}
The same `ray exec` goes on with an interrupted sweep. Passwords: put PGPASSWORD=... and the like
into ~/.bashrc of the container (ray attach), never into this file."""


def render(deployment: Deployment) -> str:
    """Return the cluster file."""
    file = f"{object_name(deployment.name, LONGEST_NAME)}.yaml"
    directory = _directory(deployment)
    comment = _COMMENT.format(
        name=deployment.name,
        file=file,
        command=shlex.quote(_command(deployment)),
        results=f"{directory}/{deployment.name}/",
    )
    return documents([_cluster(deployment)], comment)


def remote_spec(deployment: Deployment) -> str:
    """Return where the sweep file lies on the cluster's machines."""
    return f"{HOME}/sweep/{deployment.name}.yaml"


def _directory(deployment: Deployment) -> str:
    return deployment.directory or (SWEEPS if deployment.cloud.nfs else f"{HOME}/sweeps")


def _command(deployment: Deployment) -> str:
    """Return what runs on the head."""
    words = ["rnn-sweep", "run", remote_spec(deployment), *deployment.arguments]
    words += ["--dir", _directory(deployment), "--set", "run.address=auto"]
    return shlex.join(words)


def _cluster(deployment: Deployment) -> dict[str, Any]:
    workers = deployment.workers
    fewest, most = workers.nodes
    worker: dict[str, Any] = {
        "min_workers": fewest,
        "max_workers": most,
        "resources": _resources(deployment),
        "node_config": _machine(deployment, "worker"),
    }
    if workers.node_labels:
        worker["labels"] = workers.node_labels
    return {
        "cluster_name": object_name(deployment.name, LONGEST_NAME),
        "max_workers": most,
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": _IDLE_MINUTES,
        "docker": _docker(deployment),
        "provider": _provider(deployment),
        "auth": {"ssh_user": deployment.cloud.ssh_user},
        "available_node_types": {
            "head": {"resources": {"CPU": 0}, "node_config": _machine(deployment, "head")},
            "worker": worker,
        },
        "head_node_type": "head",
        "file_mounts": {
            TOKEN_PATH: "~/.ray/auth_token",
            remote_spec(deployment): deployment.spec_path,
            **{f"{HOME}/sweep/{n}": path for path, n in deployment.local_paths.items()},
        },
        "initialization_commands": _initialization(deployment),
        "setup_commands": [f"chmod 600 {TOKEN_PATH}"],
        "head_start_ray_commands": [
            "ray stop",
            "ulimit -n 65536; ray start --head --port=6379 --object-manager-port=8076 "
            "--autoscaling-config=~/ray_bootstrap_config.yaml --dashboard-host=127.0.0.1 "
            "--disable-usage-stats",
        ],
        "worker_start_ray_commands": [
            "ray stop",
            "ulimit -n 65536; ray start --address=$RAY_HEAD_IP:6379 --object-manager-port=8076 "
            "--disable-usage-stats",
        ],
    }


def _resources(deployment: Deployment) -> dict[str, float]:
    workers = deployment.workers
    found: dict[str, float] = {"CPU": workers.node_cpus}
    if workers.memory_gib:  # Ray's launcher knows the memory of AWS's machines only
        found["memory"] = math.ceil(workers.memory_gib * workers.per_node) * 2**30
    if workers.node_gpus:
        found["GPU"] = workers.node_gpus
    if workers.accelerator is not None:
        found[f"accelerator_type:{workers.accelerator}"] = 1
    return found


def _docker(deployment: Deployment) -> dict[str, Any]:
    options = ["--ulimit nofile=65536:65536", "-e RAY_AUTH_MODE=token"]
    options += ["-e RAY_USAGE_STATS_ENABLED=0", f"-e RAY_AUTH_TOKEN_PATH={TOKEN_PATH}"]
    if deployment.cloud.nfs is not None:
        options.append(f"-v {SWEEPS}:{SWEEPS}")
    return {
        "image": deployment.image,
        "container_name": "rnn_sweep",
        "pull_before_run": True,
        "run_options": options,
    }


def _provider(deployment: Deployment) -> dict[str, Any]:
    cloud = deployment.cloud
    region = cloud.region or _REGIONS[cloud.provider]
    separator = "" if cloud.provider == "aws" else "-"
    values: dict[str, Any] = {
        "type": cloud.provider,
        "region": region,
        "availability_zone": cloud.zone or f"{region}{separator}a",
    }
    if cloud.provider == "gcp":
        return values | {"project_id": cloud.project}
    return values | {"cache_stopped_nodes": False}


def _machine(deployment: Deployment, role: str) -> dict[str, Any]:
    cloud, spot = deployment.cloud, deployment.spot and role == "worker"
    kinds = _MACHINES[cloud.provider]
    if role == "head":
        kind = cloud.head or kinds["head"]
    else:
        kind = cloud.worker or kinds["gpu" if deployment.workers.node_gpus else "cpu"]
    if cloud.provider == "aws":
        disk = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": _DISK_GIB, "Encrypted": True}}
        market = {"InstanceMarketOptions": {"MarketType": "spot"}} if spot else {}
        # Instances answer questions about their own credentials to nobody but themselves.
        metadata = {"MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}}
        image = {"ImageId": cloud.machine_image} if cloud.machine_image else {}
        return {"InstanceType": kind, **image, "BlockDeviceMappings": [disk], **metadata, **market}
    source = cloud.machine_image or _GCP_IMAGE
    boot: dict[str, Any] = {
        "boot": True,
        "autoDelete": True,
        "type": "PERSISTENT",
        "initializeParams": {"diskSizeGb": _DISK_GIB, "sourceImage": source},
    }
    scheduling: list[dict[str, Any]] = [{"preemptible": True}] if spot else []
    if role == "worker" and deployment.workers.node_gpus:
        scheduling.append({"onHostMaintenance": "TERMINATE"})
    return {
        "machineType": kind,
        "disks": [boot],
        **({"scheduling": scheduling} if scheduling else {}),
    }


def _initialization(deployment: Deployment) -> list[str]:
    """Return what a machine does before its container starts: mount the shared disk."""
    nfs = deployment.cloud.nfs
    if nfs is None:
        return []
    return [
        "sudo apt-get update -q && sudo apt-get install -q -y nfs-common",
        f"sudo mkdir -p {SWEEPS}",
        f"mountpoint -q {SWEEPS} || "
        f"sudo mount -t nfs4 -o nfsvers=4.1,hard {shlex.quote(nfs)} {SWEEPS}",
        f"sudo chown 1000:1000 {SWEEPS} || true",
    ]
