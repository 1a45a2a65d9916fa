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

    trials: PositiveInt = 16
    hours: PositiveFloat | None = None
    gpu_hours: PositiveFloat | None = Field(
        None, description="GPUs that workers hold x hours, all sessions together"
    )


class RunSection(Section):
    """Where and how the trials run."""

    workers: int | Literal["auto"] = Field("auto", description="auto, or a number >= 1")
    pack: int | Literal["auto"] = Field("auto", description="auto, or trials per worker >= 1")
    backend: Literal["auto", "native", "stepwise", "eager", "graph"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    order: Literal["free", "reproducible"] = "free"
    address: str | None = None
    log: str | None = Field(
        None, description="postgresql://USER@HOST/DATABASE; null: RNN_SWEEP_LOG, then a SQLite file"
    )
    checkpoint_seconds: PositiveFloat = 30.0
    hang_seconds: PositiveFloat = Field(
        300.0, description="a worker that says nothing for so long, and ten epochs, is replaced"
    )
    threads: PositiveInt = 1

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
    gpus: PositiveFloat | None = Field(None, description="GPUs per worker; null: one with cuda")
    memory_gib: PositiveFloat | None = None
    accelerator: str | None = Field(None, min_length=1, description="Ray's accelerator type: A100")
    labels: dict[str, str] = Field(default_factory=dict, description="labels a node must bear")
    max_workers: PositiveInt | None = Field(
        None, description="ask the cluster for so many; null with workers auto: what fits"
    )
    max_concurrent_trials: PositiveInt | None = None
    priority: Annotated[int, Field(ge=-100, le=100)] = Field(
        0, description="sweeps of a lower one give workers up while a higher one waits for room"
    )
    directory: str | None = Field(
        None, description="folder of sweeps on the cluster, on a disk that all nodes share"
    )
    deploy: DeploySection = DeploySection()
