"""The pods of a sweep's Ray cluster: head, workers, submitter; none runs as root."""

from __future__ import annotations

from typing import Any

from cluster.render.deployment import Deployment
from cluster.render.text import object_name

LONGEST_NAME = 47  # of a RayJob: KubeRay appends to it
NAME_LABEL = "rnn-sweep/name"
USER = 1000  # `ray` in the Dockerfile
TLS_FOLDER = "/etc/ray/tls"
DRAIN_SECONDS = 45
GRACE_SECONDS = 60
HEAD_GRACE_SECONDS = 90

CLOSED_CONTAINER: dict[str, Any] = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CLOSED_POD = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
_SPOT_TAINTS = [
    {"key": "cloud.google.com/gke-spot", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "kubernetes.azure.com/scalesetpriority", "operator": "Exists", "effect": "NoSchedule"},
]
_GPU_TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}

# Before a worker's pod ends, Ray is told that the node will leave: the sweep saves its trials and
# moves them. The loop ends with the raylet, or when the time that Kubernetes allows is nearly over.
_DRAIN = f"""\
node=$(pgrep -x raylet | head -n 1)
[ -n "$node" ] || exit 0
node=$(tr '\\0' '\\n' < "/proc/$node/cmdline" | sed -n 's/^--node_id=//p')
timeout 10 ray drain-node --node-id "$node" --reason DRAIN_NODE_REASON_PREEMPTION \\
  --reason-message "the pod ends" --deadline-remaining-seconds {DRAIN_SECONDS} || exit 0
for _ in $(seq {DRAIN_SECONDS}); do pgrep -x raylet > /dev/null || break; sleep 1; done
"""


def resource_name(deployment: Deployment) -> str:
    """Return the sweep's name as KubeRay takes it."""
    return object_name(deployment.name, LONGEST_NAME)


def head_template(deployment: Deployment) -> dict[str, Any]:
    """Return the head's pod: coordinator and sink run there, so it alone gets the passwords."""
    container = _ray_container(
        deployment,
        "ray-head",
        deployment.head_cpus,
        deployment.head_memory_gib,
        _environment(deployment) + _passwords(deployment),
    )
    container["ports"] = [
        {"name": "gcs-server", "containerPort": 6379},
        {"name": "dashboard", "containerPort": 8265},
        {"name": "client", "containerPort": 10001},
    ]
    spec = _pod(deployment, container, deployment.head_memory_gib * 0.3)
    spec["terminationGracePeriodSeconds"] = HEAD_GRACE_SECONDS
    kept = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    return {
        "metadata": {"labels": {NAME_LABEL: resource_name(deployment)}, "annotations": kept},
        "spec": spec,
    }


def worker_template(deployment: Deployment) -> dict[str, Any]:
    """Return a worker's pod: one node of Ray's, sized for the workers that share it."""
    workers, kubernetes = deployment.workers, deployment.kubernetes
    container = _ray_container(
        deployment,
        "ray-worker",
        workers.node_cpus,
        workers.node_memory_gib,
        _environment(deployment),
        gpus=workers.node_gpus,
    )
    container["lifecycle"] = {"preStop": {"exec": {"command": ["/bin/sh", "-c", _DRAIN]}}}
    spec = _pod(deployment, container, workers.store_gib)
    spec["automountServiceAccountToken"] = False
    spec["terminationGracePeriodSeconds"] = GRACE_SECONDS
    if kubernetes.node_selector:
        spec["nodeSelector"] = dict(kubernetes.node_selector)
    tolerations = [dict(each) for each in kubernetes.tolerations]
    tolerations += _SPOT_TAINTS if deployment.spot else []
    tolerations += [_GPU_TAINT] if workers.node_gpus else []
    if tolerations:
        spec["tolerations"] = tolerations
    return {"metadata": {"labels": {NAME_LABEL: resource_name(deployment)}}, "spec": spec}


def submitter_template(deployment: Deployment) -> dict[str, Any]:
    """Return the pod that hands the job in and follows its output; KubeRay fills its command."""
    container = {
        "name": "ray-job-submitter",
        "image": deployment.image,
        "env": _environment(deployment),
        "resources": {
            "requests": {"cpu": "200m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
        "securityContext": CLOSED_CONTAINER,
    }
    tls = deployment.kubernetes.tls_secret
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": _CLOSED_POD,
        "containers": [container],
    }
    if tls is not None:
        container["volumeMounts"] = tls_mount(tls)
        spec["volumes"] = [_tls_volume(tls)]
    return {"metadata": {"labels": {NAME_LABEL: resource_name(deployment)}}, "spec": spec}


def tls_environment(secret: str | None) -> list[dict[str, Any]]:
    """Return what makes Ray encrypt its own traffic; nothing without a secret."""
    if secret is None:
        return []
    return [
        {"name": "RAY_USE_TLS", "value": "1"},
        {"name": "RAY_TLS_SERVER_CERT", "value": f"{TLS_FOLDER}/tls.crt"},
        {"name": "RAY_TLS_SERVER_KEY", "value": f"{TLS_FOLDER}/tls.key"},
        {"name": "RAY_TLS_CA_CERT", "value": f"{TLS_FOLDER}/ca.crt"},
    ]


def tls_mount(secret: str | None) -> list[dict[str, Any]]:
    """Return where the certificates lie; nothing without a secret."""
    return [{"name": "tls", "mountPath": TLS_FOLDER, "readOnly": True}] if secret else []


def _tls_volume(secret: str) -> dict[str, Any]:
    return {"name": "tls", "secret": {"secretName": secret, "defaultMode": 0o440}}


def _environment(deployment: Deployment) -> list[dict[str, Any]]:
    return [
        {"name": "RAY_AUTH_MODE", "value": "token"},
        {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"},
        {"name": "PYTHONUNBUFFERED", "value": "1"},
        *tls_environment(deployment.kubernetes.tls_secret),
    ]


def _passwords(deployment: Deployment) -> list[dict[str, Any]]:
    kubernetes = deployment.kubernetes
    named = []
    if kubernetes.postgres_secret is not None:
        named.append(("PGPASSWORD", kubernetes.postgres_secret, "password"))
    if kubernetes.tracking_secret is not None:
        named.append(("MLFLOW_TRACKING_USERNAME", kubernetes.tracking_secret, "username"))
        named.append(("MLFLOW_TRACKING_PASSWORD", kubernetes.tracking_secret, "password"))
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
        for name, secret, key in named
    ]


def _ray_container(
    deployment: Deployment,
    name: str,
    cpus: int,
    memory_gib: float,
    environment: list[dict[str, Any]],
    gpus: int = 0,
) -> dict[str, Any]:
    amounts = {"cpu": str(cpus), "memory": f"{round(memory_gib * 1024)}Mi"}
    if gpus:
        amounts["nvidia.com/gpu"] = str(gpus)
    return {
        "name": name,
        "image": deployment.image,
        "env": environment,
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "securityContext": CLOSED_CONTAINER,
        "volumeMounts": [
            {"name": "sweep", "mountPath": "/sweep", "readOnly": True},
            {"name": "sweeps", "mountPath": deployment.kubernetes.mount},
            {"name": "shm", "mountPath": "/dev/shm"},  # Ray's object store
            *tls_mount(deployment.kubernetes.tls_secret),
        ],
    }


def _pod(deployment: Deployment, container: dict[str, Any], store_gib: float) -> dict[str, Any]:
    kubernetes = deployment.kubernetes
    shared = {"medium": "Memory", "sizeLimit": f"{round(store_gib * 1024)}Mi"}
    claim = {"claimName": kubernetes.claim}
    volumes: list[dict[str, Any]] = [
        {"name": "sweep", "configMap": {"name": f"{resource_name(deployment)}-spec"}},
        {"name": "sweeps", "persistentVolumeClaim": claim},
        {"name": "shm", "emptyDir": shared},
    ]
    if kubernetes.tls_secret is not None:
        volumes.append(_tls_volume(kubernetes.tls_secret))
    return {"securityContext": _CLOSED_POD, "containers": [container], "volumes": volumes}
