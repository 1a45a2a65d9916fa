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

    namespace: ObjectName = Field("default", description="where the cluster's objects live")
    claim: ObjectName = Field(
        "sweeps", description="a PersistentVolumeClaim that many nodes may write"
    )
    mount: Folder = Field(
        "/mnt/sweeps",
        description="where it is mounted, and the folder of sweeps without `directory`",
    )
    node_selector: dict[str, str] = Field(
        default_factory=dict, description="for worker pods, as {nvidia.com/gpu.product: NVIDIA-L4}"
    )
    tolerations: tuple[dict[str, Any], ...] = Field(
        (), strict=False, description="for worker pods, as Kubernetes has them"
    )
    token_secret: ObjectName | None = Field(
        None, description="a Secret's name; its auth_token guards Ray; null: KubeRay makes one"
    )
    postgres_secret: ObjectName | None = Field(None, description="its password is PGPASSWORD")
    tracking_secret: ObjectName | None = Field(
        None, description="its username, password are MLFLOW_TRACKING_USERNAME, _PASSWORD"
    )
    tls_secret: ObjectName | None = Field(
        None, description="its tls.crt, tls.key, ca.crt encrypt Ray's traffic"
    )
    network_policy: Literal["plain", "operator", "none"] = Field(
        "plain", description="operator: KubeRay's own, behind its gate RayClusterNetworkPolicy"
    )
    redis: Line | None = Field(
        None, description="HOST:PORT that keeps Ray's state through a head's death"
    )
    redis_secret: ObjectName | None = Field(None, description="its password is Redis'")


class SlurmSection(Section):
    """What sbatch is told, and what a node needs before the command is there."""

    partition: Word | None = Field(None, description="sbatch --partition")
    account: Word | None = Field(None, description="sbatch --account")
    qos: Word | None = Field(None, description="sbatch --qos")
    constraint: Line | None = Field(None, description="sbatch --constraint")
    exclusive: bool = Field(
        True, description="whole nodes: the end of a job stops all of the user's Ray there"
    )
    gpu_type: Word | None = Field(None, description="the type in --gres=gpu:TYPE:N")
    setup: tuple[Line, ...] = Field(
        (), strict=False, description="shell lines before the command, as [module load python]"
    )
    environment: Line | None = Field(
        None, description="a file of exports, mode 600, for passwords: ~/.rnn-sweep.env"
    )


class CloudSection(Section):
    """The machines that `ray up` starts."""

    provider: Literal["aws", "gcp"] = Field("aws", description="whose machines they are")
    region: Word | None = Field(None, description="null: us-west-2, us-west1")
    zone: Word | None = Field(None, description="null: the region's zone a")
    project: Word | None = Field(None, description="GCP's project")
    head: Word | None = Field(None, description="machine type; null: m5.xlarge, n2-standard-4")
    worker: Word | None = Field(None, description="machine type; null: by GPUs")
    machine_image: Line | None = Field(
        None, description="with Docker, and NVIDIA's driver; null: Ray's, Google's deep learning VM"
    )
    ssh_user: Word = Field("ubuntu", description="who logs in on these machines")
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

    image: Image | None = Field(
        None, description="null: rnn-sweep:VERSION, of cluster/images/Dockerfile"
    )
    hours: Annotated[PositiveFloat, Field(le=MOST_HOURS)] = Field(
        72.0, description="then the cluster ends; applied or submitted again it goes on"
    )
    retries: Count = Field(10, description="new clusters after failed ones; each goes on")
    min_workers: Count = Field(0, description="kept while the cluster lives")
    workers_per_node: PositiveInt = Field(1, description="nodes or pods are sized for so many")
    head_cpus: PositiveInt = Field(2, description="cores of the head")
    head_memory_gib: PositiveFloat = Field(8.0, description="memory of the head")
    spot: bool = Field(False, description="workers on machines that may be taken away")
    kubernetes: KubernetesSection = KubernetesSection()
    slurm: SlurmSection = SlurmSection()
    cloud: CloudSection = CloudSection()
