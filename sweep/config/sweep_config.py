"""What a sweep file says: the whole sweep, checked before anything is written.

`SweepConfig` mirrors the YAML section by section. `load_config` reads a file or a preset, applies
`--set` overrides and turns every mistake into one line that names the dotted key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from sweep.config.earlier import brought_up_to_date
from sweep.config.file import (
    apply_overrides,
    assign,
    find_sweep_file,
    read_sweep_file,
)
from sweep.config.metrics import check_metrics
from sweep.config.mistakes import one_line
from sweep.config.paths import resolve_paths
from sweep.config.pruning import RULES
from sweep.config.run import BudgetSection, ClusterSection, RunSection
from sweep.config.section import NAME, Section
from sweep.config.sections import (
    DataSection,
    FinalistsSection,
    ObjectiveSection,
    RetentionSection,
    SearchSection,
    SpaceSection,
    TrackingSection,
)
from sweep.config.training import check_training
from sweep.errors import ConfigProblem


class SweepConfig(Section):
    """A whole sweep, as its file says it."""

    name: str = Field(
        pattern=NAME, max_length=200, description="the sweep's name; default: the file's"
    )
    data: DataSection
    space: SpaceSection = SpaceSection()
    train: dict[str, Any] = Field(
        default_factory=dict, description="training settings, fixed for all trials"
    )
    metrics: tuple[str, ...] = Field(
        (),
        strict=False,
        description="measured at each epoch beside the usual: [mape, rmse/h3, path.py:function]",
    )
    search: SearchSection = Field(default_factory=SearchSection)
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

    @model_validator(mode="before")
    @classmethod
    def _as_recorded_now(cls, values: Any) -> Any:
        return brought_up_to_date(values)

    @model_validator(mode="after")
    def _check_metrics(self) -> SweepConfig:
        check_metrics(self.metrics, _named_metrics(self.search))
        return self

    @model_validator(mode="after")
    def _check_rule(self) -> SweepConfig:
        rule, run = self.search.pruning.rule, self.run
        if RULES[rule].one_by_one and (run.pack != 1 or run.order != "free"):
            others = [n for n, known in RULES.items() if known.prunes and not known.one_by_one]
            raise ValueError(
                f"search.pruning.rule={rule} judges one report after the other, so it needs "
                f"run.pack=1 and run.order=free, but got ({run.pack}, {run.order}); set them, or "
                f"take a rule that judges rungs as sets: {', '.join(others)}"
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


def _named_metrics(search: SearchSection) -> Iterator[tuple[str, str]]:
    for place, objective in enumerate(search.objectives or ()):
        yield f"search.objectives.{place}.metric", objective.metric
    for place, constraint in enumerate(search.constraints):
        yield f"search.constraints.{place}.metric", constraint.metric


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
    metric = "accuracy" if task == "classification" else "rmse"
    return (ObjectiveSection.model_validate({"metric": metric}),)
