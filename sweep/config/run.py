"""When a sweep ends, how its trials run, and where its workers live."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from sweep.config.deploy import DeploySection
from sweep.config.section import PositiveFloat, PositiveInt, Section

_LOG_PREFIXES = ("postgresql://", "postgresql+psycopg://")


class BudgetSection(Section):
    """When the sweep ends: whichever limit is reached first."""

    trials: PositiveInt = Field(
        16, description="trials in all; whichever limit is reached first ends the sweep"
    )
    hours: PositiveFloat | None = Field(None, description="wall time, all sessions together")
    gpu_hours: PositiveFloat | None = Field(
        None, description="GPUs that workers hold × hours, all sessions together"
    )


class RunSection(Section):
    """Where and how the trials run."""

    workers: PositiveInt | Literal["auto"] = Field(
        "auto", description="auto: one per core, one core left to the rest where there are three"
    )
    pack: PositiveInt | Literal["auto"] = Field(
        "auto", description="trials that a worker trains together; auto: 1 on CPU, measured on GPU"
    )
    backend: Literal["auto", "native", "stepwise", "eager", "graph"] = Field(
        "auto", description="stepwise: the reference; graph: eager, captured by CUDA"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto: cuda where the cluster has GPUs"
    )
    order: Literal["free", "reproducible"] = Field(
        "free", description="reproducible: the whole sweep is a function of its file and seed"
    )
    address: str | None = Field(
        None, description="a Ray cluster's address, or auto; null: this machine"
    )
    log: str | None = Field(
        None, description="postgresql://USER@HOST/DATABASE; null: RNN_SWEEP_LOG, then a SQLite file"
    )
    checkpoint_seconds: PositiveFloat = Field(
        30.0, description="of a worker's training, the most that its death costs"
    )
    hang_seconds: PositiveFloat = Field(
        300.0, description="a worker that says nothing for so long, and ten epochs, is replaced"
    )
    threads: PositiveInt = Field(1, description="of torch, per worker")

    @field_validator("workers", "pack", mode="before")
    @classmethod
    def _auto_or_count(cls, value: Any) -> Any:
        count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        if value != "auto" and not count:
            raise ValueError(f"must be auto or a whole number >= 1, but got {value!r}")
        return value

    @field_validator("log")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(_LOG_PREFIXES):
            scheme = value.partition(":")[0]
            raise ValueError(f"must begin with postgresql://, but begins with {scheme!r}")
        if urlsplit(value).password is not None or "password=" in urlsplit(value).query:
            raise ValueError(
                "must not hold a password, since a sweep file is recorded; give it in PGPASSWORD "
                "or ~/.pgpass, as to psql"
            )
        return value


class ClusterSection(Section):
    """What a worker reserves on a Ray cluster, and how many share it; a resume may change it."""

    cpus: PositiveInt | None = Field(None, description="cores per worker; null: run.threads")
    gpus: PositiveFloat | None = Field(
        None, description="GPUs per worker; null: one where the device is cuda"
    )
    memory_gib: PositiveFloat | None = Field(None, description="memory that a worker reserves")
    accelerator: str | None = Field(
        None, min_length=1, description="Ray's accelerator type, as A100"
    )
    labels: dict[str, str] = Field(
        default_factory=dict, description="labels a node must bear, as {market: spot}"
    )
    max_workers: PositiveInt | None = Field(
        None, description="ask the cluster for so many; null with workers auto: what fits"
    )
    max_concurrent_trials: PositiveInt | None = Field(
        None, description="trials that train at once, at most"
    )
    priority: Annotated[int, Field(ge=-100, le=100)] = Field(
        0, description="sweeps of a lower one give workers up while a higher one waits for room"
    )
    directory: str | None = Field(
        None, description="folder of sweeps on the cluster, on a disk that all nodes share"
    )
    deploy: DeploySection = DeploySection()
