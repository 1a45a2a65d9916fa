"""A RayJob for KubeRay 1.7 with all it needs: the sweep file, network policies, a closed cluster.

Each retry is a new Ray cluster; it goes on where the log ends, so log and folder of sweeps must
outlive the pods: PostgreSQL, and a claim that all pods mount.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from cluster.render.deployment import Deployment
from cluster.render.pods import (
    CLOSED_CONTAINER,
    NAME_LABEL,
    head_template,
    resource_name,
    submitter_template,
    tls_environment,
    tls_mount,
    worker_template,
)
from cluster.render.text import documents

FINISHED_SECONDS = 600
IDLE_SECONDS = 120
DASHBOARD_PORT = 8265
SPEC_FOLDER = "/sweep"
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_NAME = re.compile(rf"([a-z0-9.-]{{1,253}}/)?{_LABEL_VALUE.pattern}")
_LONGEST_CONFIG = 900_000  # a ConfigMap holds 1 MiB, keys and manifest included

_COMMENT = """\
{name} on KubeRay 1.7: kubectl apply -f this file.
Watch it:         kubectl -n {namespace} get rayjob {object}
Stop and go on:   kubectl -n {namespace} delete rayjob {object}, then apply this file again.
Secrets are named here, never written: see cluster/README.md for what each must hold."""


def render(deployment: Deployment) -> str:
    """Return the manifest: a ConfigMap, network policies and a RayJob.

    Raises:
        ValueError: the sweep file and its functions are too large for a ConfigMap.
    """
    size = sum(len(text.encode()) for text in (deployment.sweep, *deployment.files.values()))
    if size > _LONGEST_CONFIG:
        raise ValueError(
            f"a sweep file and its functions must fit a ConfigMap of {_LONGEST_CONFIG:,} bytes, "
            f"but take {size:,}; put them on the shared disk or into the image"
        )
    kubernetes = deployment.kubernetes
    comment = _COMMENT.format(
        name=deployment.name, object=resource_name(deployment), namespace=kubernetes.namespace
    )
    parts = [_config_map(deployment)]
    if kubernetes.network_policy == "plain":
        parts += [_inside_policy(deployment), _operator_policy(deployment)]
    return documents([*parts, _ray_job(deployment)], comment)


def _metadata(deployment: Deployment, suffix: str = "") -> dict[str, Any]:
    name = resource_name(deployment)
    return {
        "name": name + suffix,
        "namespace": deployment.kubernetes.namespace,
        "labels": {NAME_LABEL: name, "app.kubernetes.io/part-of": "rnn-sweep"},
    }


def _config_map(deployment: Deployment) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(deployment, "-spec"),
        "data": {f"{deployment.name}.yaml": deployment.sweep, **deployment.files},
    }


def _inside_policy(deployment: Deployment) -> dict[str, Any]:
    """Let the sweep's own pods talk to each other, and nobody else to them."""
    own = {"matchLabels": {NAME_LABEL: resource_name(deployment)}}
    return _policy(deployment, "-inside", own, {"from": [{"podSelector": own}]})


def _operator_policy(deployment: Deployment) -> dict[str, Any]:
    """Let KubeRay's operator ask the head how the job is."""
    head = {"matchLabels": {NAME_LABEL: resource_name(deployment), "ray.io/node-type": "head"}}
    return _policy(deployment, "-operator", head, _from_operator())


def _from_operator() -> dict[str, Any]:
    operator = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "kuberay-operator"}},
    }
    return {"from": [operator], "ports": [{"port": DASHBOARD_PORT, "protocol": "TCP"}]}


def _policy(
    deployment: Deployment, suffix: str, pods: dict[str, Any], rule: dict[str, Any]
) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(deployment, suffix),
        "spec": {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": [rule]},
    }


def _ray_job(deployment: Deployment) -> dict[str, Any]:
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": _metadata(deployment),
        "spec": {
            "entrypoint": _entrypoint(deployment),
            "submissionMode": "K8sJobMode",
            "backoffLimit": deployment.retries,
            "activeDeadlineSeconds": deployment.seconds,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": FINISHED_SECONDS,
            "submitterPodTemplate": submitter_template(deployment),
            "rayClusterSpec": _ray_cluster(deployment),
        },
    }


def _entrypoint(deployment: Deployment) -> str:
    directory = deployment.directory or deployment.kubernetes.mount
    spec = f"{SPEC_FOLDER}/{deployment.name}.yaml"
    return shlex.join(["rnn-sweep", "run", spec, "--dir", directory, "--set", "run.address=auto"])


def _ray_cluster(deployment: Deployment) -> dict[str, Any]:
    kubernetes = deployment.kubernetes
    auth = {"mode": "token"}
    if kubernetes.token_secret is not None:
        auth["secretName"] = kubernetes.token_secret
    spec: dict[str, Any] = {
        "rayVersion": deployment.ray_version,
        "authOptions": auth,
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": _autoscaler(deployment),
    }
    if kubernetes.network_policy == "operator":
        spec["networkPolicy"] = {
            "mode": "DenyAllIngress",
            "head": {"ingressRules": [_from_operator()]},
        }
    if kubernetes.redis is not None:
        spec["gcsFaultToleranceOptions"] = _fault_tolerance(deployment)
    spec["headGroupSpec"] = {
        "serviceType": "ClusterIP",
        "rayStartParams": {"num-cpus": "0"},  # the coordinator runs there, no worker
        "template": head_template(deployment),
    }
    spec["workerGroupSpecs"] = [_worker_group(deployment)]
    return spec


def _autoscaler(deployment: Deployment) -> dict[str, Any]:
    """Return the autoscaler's options; it speaks to Ray, so it needs Ray's TLS as well."""
    tls = deployment.kubernetes.tls_secret
    return {
        "version": "v2",
        "idleTimeoutSeconds": IDLE_SECONDS,
        "upscalingMode": "Default",
        "resources": {
            "requests": {"cpu": "200m", "memory": "512Mi"},
            "limits": {"cpu": "500m", "memory": "1Gi"},
        },
        "securityContext": CLOSED_CONTAINER,
        "env": [
            {"name": "RAY_AUTH_MODE", "value": "token"},
            {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"},
            *tls_environment(tls),
        ],
        **({"volumeMounts": tls_mount(tls)} if tls else {}),
    }


def _fault_tolerance(deployment: Deployment) -> dict[str, Any]:
    kubernetes = deployment.kubernetes
    options: dict[str, Any] = {"backend": "redis", "redisAddress": kubernetes.redis}
    if kubernetes.redis_secret is not None:
        key = {"name": kubernetes.redis_secret, "key": "password"}
        options["redisPassword"] = {"valueFrom": {"secretKeyRef": key}}
    return options


def _worker_group(deployment: Deployment) -> dict[str, Any]:
    workers = deployment.workers
    fewest, most = workers.nodes
    group: dict[str, Any] = {
        "groupName": "workers",
        "replicas": fewest,
        "minReplicas": fewest,
        "maxReplicas": most,
        "rayStartParams": {},
    }
    labels = workers.node_labels
    if workers.accelerator is not None:
        labels["ray.io/accelerator-type"] = workers.accelerator
        # Without it the autoscaler would not know, at no pods, that these pods bear it.
        group["resources"] = {f"accelerator_type:{workers.accelerator}": "1"}
    if labels:
        _check_labels(labels)
        group["labels"] = labels
    group["template"] = worker_template(deployment)
    return group


def _check_labels(labels: dict[str, str]) -> None:
    for name, value in labels.items():
        if not (_LABEL_NAME.fullmatch(name) and (value == "" or _LABEL_VALUE.fullmatch(value))):
            raise ValueError(
                "cluster.labels must be labels as Kubernetes has them (letters, digits, dots, "
                f"dashes, underscores; 63 at most), but got {name}: {value!r}"
            )
