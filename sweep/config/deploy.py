"""What `rnn-sweep render` puts into manifests, beside what the rest of a sweep file says.

Secrets stand here by name only: their values never enter a sweep file or a manifest.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from sweep.config.section import (
    FOLDER,
    IMAGE,
    OBJECT_NAME,
    WORD,
    PositiveFloat,
    PositiveInt,
    Section,
)

MOST_HOURS = 10_000.0
Count = Annotated[int, Field(ge=0)]


def _plain_line(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError(f"must be one line of printable text, but got {value!r}")
    return value


Line = Annotated[str, Field(min_length=1), AfterValidator(_plain_line)]
Word = Annotated[str, Field(pattern=WORD)]
ObjectName = Annotated[str, Field(pattern=OBJECT_NAME, max_length=253)]
Folder = Annotated[str, Field(pattern=FOLDER)]
Image = Annotated[str, Field(pattern=IMAGE)]
"""Both are handed to shells by KubeRay and by `ray up`, which do not quote them."""


class KubernetesSection(Section):
    """Names of what the cluster already holds, and how closed the sweep's own part of it is."""

    namespace: ObjectName = "default"
    claim: ObjectName = Field("sweeps", description="a claim that many nodes may write")
    mount: Folder = Field("/mnt/sweeps", description="where that claim is mounted")
    node_selector: dict[str, str] = Field(default_factory=dict, description="for worker pods")
    tolerations: tuple[dict[str, Any], ...] = Field((), strict=False)
    token_secret: ObjectName | None = Field(
        None, description="Secret with auth_token; null: KubeRay makes one per cluster"
    )
    postgres_secret: ObjectName | None = Field(None, description="Secret with password")
    tracking_secret: ObjectName | None = Field(
        None, description="Secret with username and password of MLflow's server"
    )
    tls_secret: ObjectName | None = Field(None, description="Secret with tls.crt, tls.key, ca.crt")
    network_policy: Literal["plain", "operator", "none"] = Field(
        "plain", description="operator: KubeRay's own, behind its gate RayClusterNetworkPolicy"
    )
    redis: Line | None = Field(
        None, description="HOST:PORT that keeps Ray's cluster state through a head's death"
    )
    redis_secret: ObjectName | None = Field(None, description="Secret with Redis' password")


class SlurmSection(Section):
    """What sbatch is told, and what a node needs before the command is there."""

    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    constraint: Line | None = None
    exclusive: bool = Field(True, description="whole nodes: the end of a job stops all Ray there")
    gpu_type: Word | None = Field(None, description="the type in --gres=gpu:TYPE:N")
    setup: tuple[Line, ...] = Field((), strict=False, description="shell lines: module load …")
    environment: Line | None = Field(
        None, description="a file of exports, mode 600, for passwords: ~/.rnn-sweep.env"
    )


class CloudSection(Section):
    """The machines that `ray up` starts."""

    provider: Literal["aws", "gcp"] = "aws"
    region: Word | None = Field(None, description="null: us-west-2, us-west1")
    zone: Word | None = Field(None, description="null: the region's zone a")
    project: Word | None = Field(None, description="GCP's project")
    head: Word | None = Field(None, description="machine type; null: m5.xlarge, n2-standard-4")
    worker: Word | None = Field(None, description="machine type; null: by GPUs")
    machine_image: Line | None = Field(
        None, description="with Docker, and NVIDIA's driver; null: Ray's, Google's deep learning VM"
    )
    ssh_user: Word = "ubuntu"
    nfs: Line | None = Field(None, description="HOST:/PATH of the disk that all nodes share")

    @model_validator(mode="after")
    def _whose_project(self) -> CloudSection:
        if self.provider == "gcp" and self.project is None:
            raise ValueError(
                "cluster.deploy.cloud.project must be given with provider gcp, but is null"
            )
        return self


class DeploySection(Section):
    """Where and how long the sweep's own cluster runs."""

    image: Image | None = Field(None, description="null: rnn-sweep:VERSION")
    hours: Annotated[PositiveFloat, Field(le=MOST_HOURS)] = Field(
        72.0, description="then the cluster ends; a resubmit goes on"
    )
    retries: Count = Field(10, description="new clusters after failed ones; each goes on")
    min_workers: Count = Field(0, description="kept while the cluster lives")
    workers_per_node: PositiveInt = 1
    head_cpus: PositiveInt = 2
    head_memory_gib: PositiveFloat = 8.0
    spot: bool = Field(False, description="workers on machines that may be taken away")
    kubernetes: KubernetesSection = KubernetesSection()
    slurm: SlurmSection = SlurmSection()
    cloud: CloudSection = CloudSection()
