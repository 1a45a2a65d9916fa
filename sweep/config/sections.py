"""The sections of a sweep file that say what is tried, judged, kept and recorded."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from sweep.config.choice import ChosenBy
from sweep.config.data_folds import DataFolds
from sweep.config.data_limit import DataLimit
from sweep.config.data_options import flattened
from sweep.config.pruning import RULES, PruningSection
from sweep.config.sampling import SAMPLERS, SamplerSection
from sweep.config.section import PositiveInt, Section
from sweep.config.tracking_uri import name_problem, uri_problem
from sweep.words.redaction import holds_password
from trainers.config.metrics import METRICS
from trainers.config.objective import Direction
from trainers.data.finding import GraveKind


def _list_metrics(schema: dict[str, Any]) -> None:
    own = {"type": "string", "pattern": r"^[A-Za-z_]\w*(/.+)?$"}
    schema["anyOf"] = [{"enum": list(METRICS)}, own]
    del schema["type"]


# Which names there are the whole file says: `metrics` may name functions of one's own.
Metric = Annotated[str, Field(json_schema_extra=_list_metrics)]


class DataSection(Section):
    """Where the sequences come from; other keys are the source's own options."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    source: str = Field(min_length=1, description="built-in name, `csv`, or path.py:function")
    limit: DataLimit = Field(
        None,
        description="keep the first so many sequences of each part, or steps of a stream; "
        "or {first: N} or {last: N} rows of tables that are read",
    )

    folds: DataFolds = Field(
        None,
        description="judge each trial by the mean over so many folds: rolling origins in time, "
        "groups of whole sequences; or {count: N, window: sliding}",
    )

    accept: tuple[GraveKind, ...] = Field(
        (),
        strict=False,
        description="findings graded wrong that are meant to be so, as [sentinel]",
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
        description="{low, high, log, step}, a list of choices, or one value, per parameter; "
        "data.OPTION for one of the data",
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        return flattened(value)


class ObjectiveSection(Section):
    """One thing to optimise, judged on the validation part."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, json_schema_extra={"required": ["metric"]}
    )

    metric: Metric = Field(description="what is measured")
    direction: Direction | None = Field(None, description="default: the metric's natural direction")

    @model_validator(mode="before")
    @classmethod
    def _natural_direction(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("direction") is None:
            metric = str(values.get("metric")).partition("/")[0]
            if metric in METRICS:  # one's own function says it where it is read
                return {**values, "direction": METRICS[metric].direction}
        return values


class ConstraintSection(Section):
    """Bounds that a good trial must keep."""

    metric: Metric = Field(description="what is measured")
    min: float | None = Field(None, allow_inf_nan=False, description="least that a good one has")
    max: float | None = Field(None, allow_inf_nan=False, description="most that a good one has")

    @model_validator(mode="after")
    def _bounded(self) -> ConstraintSection:
        if self.min is None and self.max is None:
            raise ValueError(f"a constraint needs min or max, but {self.metric} has neither")
        return self


class SearchSection(Section):
    """How to choose what to try next, and what to try it for."""

    sampler: Annotated[
        SamplerSection, ChosenBy(SAMPLERS, "name", "tpe", ("search", "sampler"), brief=True)
    ] = Field(
        "tpe",
        validate_default=True,
        description="what chooses the next trial; or {name: tpe, startup_trials: 20}",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="of the sampler's draws")
    objectives: tuple[ObjectiveSection, ...] | None = Field(
        None,
        strict=False,
        description="[{metric: rmse, direction: minimize}]; null: rmse, or accuracy",
    )
    constraints: tuple[ConstraintSection, ...] = Field(
        (), strict=False, description="[{metric: parameters, max: 50000}], with min, max or both"
    )
    pruning: Annotated[PruningSection, ChosenBy(RULES, "rule", "none", ("search", "pruning"))] = (
        PruningSection()
    )
    enqueue: tuple[dict[str, Any], ...] = Field(
        (), strict=False, description="[{cell: gru, hidden_size: 64}], tried first"
    )
    warm_start: tuple[str, ...] = Field(
        (),
        strict=False,
        description="earlier sweeps the sampler may know: names in --dir, or folders",
    )

    @model_validator(mode="after")
    def _one_objective_for_pruning(self) -> SearchSection:
        several = len(self.objectives or ()) > 1
        if several and RULES[self.pruning.rule].prunes:
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

    count: Annotated[int, Field(ge=0)] = Field(
        3, description="evaluated once on the test part, best first"
    )
    replicates: PositiveInt = Field(1, description="seeds per finalist, its own included")
    interval: Annotated[float, Field(ge=0.5, le=0.99)] = Field(
        0.9, description="level of the calibrated interval that finalists are judged by"
    )
    ensemble: bool = Field(True, description="whether to combine them, chosen by validation")


class RetentionSection(Section):
    """How many ended trials keep their checkpoint, best first."""

    checkpoints: Annotated[int, Field(ge=0)] = Field(
        10, description="best complete trials that keep theirs"
    )


class TrackingSection(Section):
    """Where MLflow's record goes; null follows MLFLOW_TRACKING_URI, then the --dir folder."""

    enabled: bool = Field(True, description="whether MLflow's record is written")
    uri: str | None = Field(
        None, description="a tracker's address; null: MLFLOW_TRACKING_URI, then the --dir folder"
    )
    experiment: str | None = Field(None, description="MLflow's experiment; null: the sweep's name")
    models: bool = Field(True, description="log the finalists as MLflow models")
    register_as: str | None = Field(
        None, description="register the best one under this name, as champion if it is better"
    )
    system_metrics: bool = Field(False, description="record the load of each machine")

    @field_validator("register_as")
    @classmethod
    def _a_registered_name(cls, value: str | None) -> str | None:
        if value is not None and (problem := name_problem(value)) is not None:
            raise ValueError(problem)
        return value

    @field_validator("uri")
    @classmethod
    def _a_tracker(cls, value: str | None) -> str | None:
        if value is not None and (problem := uri_problem(value)) is not None:
            raise ValueError(problem.removeprefix("tracking.uri ").partition(";")[0])
        return value

    @field_validator("uri")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is not None and holds_password(value):
            raise ValueError(
                "must not hold a password, since a sweep file is recorded; give the address in the "
                "variable MLFLOW_TRACKING_URI, a server's user and password in "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return value
