"""What a sweep file says: the whole sweep, checked before anything is written.

`SweepConfig` mirrors the YAML section by section. `load_config` reads a file or a preset, applies
`--set` overrides and turns every mistake into one line that names the dotted key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from sweep.config_errors import one_line
from sweep.config_file import (
    apply_overrides,
    assign,
    find_sweep_file,
    read_sweep_file,
)
from sweep.config_paths import resolve_paths
from sweep.config_run import BudgetSection, ClusterSection, RunSection
from sweep.config_section import PositiveInt, Section
from sweep.config_training import check_training
from sweep.errors import ConfigProblem
from trainers.config import field_names

NAME_PATTERN = r"^[A-Za-z0-9._-]+$"
Direction = Literal["minimize", "maximize"]
Metric = Literal[
    "accuracy", "bits_per_character", "cross_entropy", "loss", "macro_f1", "mae", "mse", "nats",
    "parameters", "perplexity", "r2", "rmse",
]  # fmt: skip
MAXIMIZED = frozenset({"accuracy", "macro_f1", "r2"})

# Resume may change these; everything else is the sweep's identity.
CHANGEABLE = (
    "budget", "run.workers", "run.address", "run.log", "run.hang_seconds", "cluster",
    "finalists.replicates", "tracking",
)  # fmt: skip


class DataSection(Section):
    """Where the sequences come from; other keys are the source's own options."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    source: str = Field(min_length=1, description="built-in name, `csv`, or path.py:function")
    limit: PositiveInt | None = Field(
        None, description="keep the first so many sequences of each part, or steps of a stream"
    )

    @property
    def options(self) -> dict[str, Any]:
        """The source's own options, as written."""
        return dict(self.model_extra or {})


class SpaceSection(Section):
    """What to try: a base space, narrowed, pinned or extended by `parameters`."""

    base: str | None = Field("recurrent", description="a space's name, path.py:function, or null")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="{low, high, log, step}, a list of choices, or one value, per parameter",
    )


class ObjectiveSection(Section):
    """One thing to optimise, judged on the validation part."""

    metric: Metric
    direction: Direction = Field(description="default: the metric's natural direction")

    @model_validator(mode="before")
    @classmethod
    def _natural_direction(cls, values: Any) -> Any:
        if isinstance(values, dict) and "direction" not in values:
            best_high = values.get("metric") in MAXIMIZED
            return {**values, "direction": "maximize" if best_high else "minimize"}
        return values


class ConstraintSection(Section):
    """Bounds that a good trial must keep."""

    metric: Metric
    min: float | None = Field(None, allow_inf_nan=False)
    max: float | None = Field(None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _bounded(self) -> ConstraintSection:
        if self.min is None and self.max is None:
            raise ValueError(f"a constraint needs min or max, but {self.metric} has neither")
        return self


class PruningSection(Section):
    """When to stop a trial that does badly."""

    rule: Literal["none", "median", "halving", "hyperband", "optuna"] = "none"
    min_epochs: PositiveInt | None = Field(
        None, description="the first rung; null: max_epochs / reduction_factor² for halving, else 1"
    )
    reduction_factor: Annotated[int, Field(ge=2)] = 3
    startup_trials: Annotated[int, Field(ge=0)] = 5
    interval_epochs: PositiveInt = 1
    pruner: str | None = Field(None, description="rule optuna: a class of optuna.pruners")
    options: dict[str, Any] = Field(default_factory=dict, description="rule optuna: its arguments")
    audit: Annotated[int, Field(ge=0)] = Field(
        0, description="pruned trials to run to the end, to see what pruning cost"
    )


class SearchSection(Section):
    """How to choose what to try next, and what to try it for."""

    sampler: Literal["tpe", "gp", "random", "grid", "qmc"] = "tpe"
    seed: Annotated[int, Field(ge=0)] = 0
    objectives: tuple[ObjectiveSection, ...] | None = Field(None, strict=False)
    constraints: tuple[ConstraintSection, ...] = Field((), strict=False)
    pruning: PruningSection = PruningSection()
    enqueue: tuple[dict[str, Any], ...] = Field((), strict=False)
    warm_start: tuple[str, ...] = Field((), strict=False)

    @model_validator(mode="after")
    def _one_objective_for_pruning(self) -> SearchSection:
        several = len(self.objectives or ()) > 1
        if several and self.pruning.rule != "none":
            metrics = [objective.metric for objective in self.objectives or ()]
            raise ValueError(
                f"pruning needs a single objective, but got rule={self.pruning.rule} with "
                f"objectives {metrics}; set search.pruning.rule to none, or keep one objective"
            )
        if self.objectives == ():
            raise ValueError("objectives must name at least one metric, or be null, but got []")
        return self


class FinalistsSection(Section):
    """How many of the best trials by validation are evaluated on the test part."""

    count: Annotated[int, Field(ge=0)] = 3
    replicates: PositiveInt = Field(1, description="seeds per finalist, its own included")


class RetentionSection(Section):
    """How many ended trials keep their checkpoint, best first."""

    checkpoints: Annotated[int, Field(ge=0)] = 10


class TrackingSection(Section):
    """Where MLflow's record goes; null follows MLFLOW_TRACKING_URI, then the --dir folder."""

    enabled: bool = True
    uri: str | None = None
    experiment: str | None = None
    models: bool = Field(True, description="log the finalists as MLflow models")
    register_as: str | None = Field(
        None, description="register the best one under this name, as champion if it is better"
    )
    system_metrics: bool = False

    @field_validator("uri")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).password is not None:
            raise ValueError(
                "must not hold a password, since a sweep file is recorded; give the address in the "
                "variable MLFLOW_TRACKING_URI, a server's user and password in "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return value


class SweepConfig(Section):
    """A whole sweep, as its file says it."""

    name: str = Field(pattern=NAME_PATTERN, max_length=200)
    data: DataSection
    space: SpaceSection = SpaceSection()
    train: dict[str, Any] = Field(default_factory=dict)
    search: SearchSection = SearchSection()
    budget: BudgetSection = BudgetSection()
    run: RunSection = RunSection()
    cluster: ClusterSection = ClusterSection()
    finalists: FinalistsSection = FinalistsSection()
    retention: RetentionSection = RetentionSection()
    tracking: TrackingSection = TrackingSection()

    @field_validator("name")
    @classmethod
    def _not_a_path(cls, value: str) -> str:
        if value.startswith("."):
            raise ValueError(f"must not begin with a dot, but got {value!r}")
        return value

    @model_validator(mode="after")
    def _check_pruner(self) -> SweepConfig:
        pruning = self.search.pruning
        if (pruning.rule == "optuna") != (pruning.pruner is not None):
            raise ValueError(
                "search.pruning.rule=optuna and search.pruning.pruner belong together, but got "
                f"(rule={pruning.rule}, pruner={pruning.pruner})"
            )
        if pruning.rule == "optuna" and (self.run.pack != 1 or self.run.order != "free"):
            raise ValueError(
                "optuna's pruners judge one report after the other, so they need run.pack=1 and "
                f"run.order=free, but got ({self.run.pack}, {self.run.order}); set them, or take "
                "search.pruning.rule halving, hyperband or median, which judge rungs as sets"
            )
        return self

    @model_validator(mode="after")
    def _check_across_sections(self) -> SweepConfig:
        timed = {"hours": self.budget.hours, "gpu_hours": self.budget.gpu_hours}
        for name, limit in timed.items():
            if self.run.order == "reproducible" and limit is not None:
                raise ValueError(
                    f"run.order=reproducible counts trials, so budget.{name} must be null, but got "
                    f"{limit:g}; set budget.{name} to null, or run.order to free"
                )
        if self.finalists.count > self.retention.checkpoints:
            raise ValueError(
                "finalists.count <= retention.checkpoints must hold, but got "
                f"({self.finalists.count}, {self.retention.checkpoints}); a finalist needs its "
                "checkpoint"
            )
        if self.space.base is None and not self.space.parameters:
            raise ValueError(
                "space must hold at least one parameter, but got base null and no parameters; "
                "name a base space (see `rnn-sweep spaces`) or give space.parameters"
            )
        return self


def validate(values: Mapping[str, Any]) -> SweepConfig:
    """Build a checked configuration from plain values.

    Raises:
        ConfigProblem: a key, type, range or combination is wrong; one line says which.
    """
    try:
        config = SweepConfig.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigProblem(one_line(error, SweepConfig)) from error
    check_training(
        config.train,
        config.space.parameters,
        config.search.enqueue,
        base=config.space.base is not None,
    )
    return config


def load_config(
    spec: str | Path, overrides: Sequence[str] = (), options: Mapping[str, Any] | None = None
) -> SweepConfig:
    """Read a sweep file or a preset, apply overrides and options, check everything.

    Args:
        spec: Path of a YAML file, or a preset's name.
        overrides: Texts `a.b=value`, applied in order; relative paths in them are relative to
            the working directory, those in the file to the file's folder, which they can't leave.
        options: Values by dotted key, applied last; None leaves a key alone.

    Raises:
        ConfigProblem: file, key, type, range or combination is wrong; one line says which.
    """
    path = find_sweep_file(spec)
    values = read_sweep_file(path)
    resolve_paths(values, path.parent, inside=True)
    apply_overrides(values, overrides)
    for key, value in (options or {}).items():
        if value is not None:
            assign(values, key, value)
    resolve_paths(values, Path.cwd())
    return validate({"name": path.stem, **values})


def default_objectives(task: str) -> tuple[ObjectiveSection, ...]:
    """Return what a sweep optimises when its file does not say: by the data's task."""
    metric: Metric = "accuracy" if task == "classification" else "rmse"
    return (ObjectiveSection.model_validate({"metric": metric}),)


def config_schema() -> dict[str, Any]:
    """Return the sweep file's JSON schema, `train` spelled out."""
    schema = SweepConfig.model_json_schema()
    settings = {name: {"description": "see trainers/README.md"} for name in field_names()}
    schema["properties"]["train"] |= {"properties": settings, "additionalProperties": False}
    schema["title"] = "rnn-sweep file"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def identity(config: SweepConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that a resume must not change, as plain values."""
    if not isinstance(config, SweepConfig):
        config = SweepConfig.model_validate(dict(config))
    values = config.model_dump(mode="json")
    for key in CHANGEABLE:
        section, _, name = key.partition(".")
        if name:
            del values[section][name]
        else:
            del values[section]
    return values


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return one readable line per key that differs, as `search.seed: 0 → 1`."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    return [
        f"{key}: {_shown(before, key)} → {_shown(after, key)}"
        for key in dict.fromkeys([*before, *after])
        if _shown(before, key) != _shown(after, key)
    ]


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(leaves: dict[str, Any], key: str) -> str:
    return repr(leaves[key]) if key in leaves else "(not set)"
