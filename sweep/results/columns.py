"""The columns of results: everything that is known of a trial, each thing once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from sweep.config.data_options import is_data_option
from sweep.config.metrics import metric_name
from sweep.history.baselines import best_naive
from sweep.history.goal import searched
from sweep.history.state import TrialState
from sweep.results.column import ABSENT, PLACES, Column, Entry, Family, Place, Reader
from sweep.results.naive import trial_skill
from sweep.results.results import Results
from sweep.words.console import duration, setting, short
from trainers.config.metrics import METRICS
from trainers.registry import Registry

_FILES_ONLY: frozenset[Place] = frozenset()


def _objectives(results: Results) -> Iterator[Column]:
    several = results.several_objectives
    for index, objective in enumerate(results.goal.objectives):
        own = f".{objective.metric}" if several else ""
        yield Column(
            f"objective{own}",
            f"{objective.metric} on validation, of the best epoch",
            _objective(index),
            results.unit(objective.metric),
            objective.metric,
            _count if objective.metric == "parameters" else short,
            shown=PLACES - {"comparison"},  # it stands among the metrics there
            leads=True,
            tracked=f"metrics.objective{own.replace('.', '/')}",
        )


def _metrics(part: Literal["best", "test"]) -> Callable[[Results], Iterator[Column]]:
    """Return the members of a part's metrics; what is an objective is not shown twice."""
    where = {"best": "validation", "test": "test"}[part]

    def members(results: Results) -> Iterator[Column]:
        goal = results.goal
        judged = {objective.metric for objective in goal.objectives} if part == "best" else ()
        usual = usual_metrics(results) - set(judged)
        for metric in dict.fromkeys(m for t in results.trials for m in getattr(t, part)):
            yield Column(
                f"{part}.{metric}",
                f"{metric} on the {where} part, of the best epoch",
                _named(part, metric),
                results.unit(metric),
                f"{where} {metric}",
                shown=PLACES if metric in usual else frozenset({"comparison"}),
                leads=part == "test" and metric == goal.leading.metric,
                tracked=f"metrics.{part}/{metric}",
            )

    return members


def usual_metrics(results: Results) -> set[str]:
    """Return the metrics that people see everywhere: of every epoch, and those asked for."""
    asked = {metric_name(text) for text in results.config.metrics}
    asked |= {o.metric for o in results.goal.objectives}
    asked |= {c.metric for c in results.goal.constraints}
    return asked | {name for name, metric in METRICS.items() if metric.each_epoch}


def _best(results: Results) -> Iterator[Column]:
    yield from _metrics("best")(results)
    yield from _folds(results)


def _folds(results: Results) -> Iterator[Column]:
    names = dict.fromkeys(
        (number, metric)
        for trial in results.trials
        for number, own in enumerate(trial.folds)
        for metric in own
    )
    for number, metric in sorted(names, key=lambda name: name[0]):
        yield Column(
            f"best.fold/{number}/{metric}",
            f"{metric} on the validation part of fold {number}, of the best epoch",
            _of_fold(number, metric),
            results.unit(metric),
            f"fold {number} {metric}",
            shown=_FILES_ONLY,
            tracked=f"metrics.fold/{number}/{metric}",
        )


def _parameters(results: Results) -> Iterator[Column]:
    differing = set(varying(searched(results.trials)))
    names = dict.fromkeys(name for trial in results.trials for name in trial.params)
    for name in sorted(names, key=lambda name: not is_data_option(name)):  # they explain the most
        yield Column(
            f"params.{name}",
            "what the search drew",
            _named("params", name),
            header=name,
            text=setting,
            shown=PLACES - {"comparison"} if name in differing else _FILES_ONLY,
            tracked=f"params.{name}",
        )


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _objective(index: int) -> Reader:
    return lambda results, trial: results.goal.values(trial)[index]


def _named(family: str, name: str) -> Reader:
    return lambda _, trial: getattr(trial, family).get(name, ABSENT)


def _of_fold(number: int, metric: str) -> Reader:
    def read(_: Results, trial: TrialState) -> Any:
        return trial.folds[number].get(metric, ABSENT) if number < len(trial.folds) else ABSENT

    return read


_ENTRIES: tuple[Entry, ...] = (
    Column("number", "the trial's number", lambda _, t: t.number, header="trial", leads=True),
    Column(
        "state",
        "complete, pruned, failed, running or paused",
        lambda results, t: results.status_of(t),
        shown=PLACES - {"report"},  # there the complete trials stand
        leads=True,
        tracked="tags.state",
    ),
    Family("objective", "what the sweep is judged by", _objectives, listed=True),
    Column(
        "pareto",
        "whether no other trial is better in all objectives",
        lambda results, t: t.number in results.front(),
        text=lambda value: "yes" if value else "",
        leads=True,
        applies=lambda results: results.several_objectives,
    ),
    Column(
        "skill",
        "1 - error / best naive error, by the leading objective on validation",
        lambda results, t: trial_skill(results, t),
        applies=lambda results: (
            best_naive(results.state.baselines, results.goal.leading) is not None
        ),
        tracked="metrics.skill",
    ),
    Column("epochs", "epochs trained", lambda _, t: t.epoch, "epoch", tracked="metrics.epochs"),
    Column("best_epoch", "the epoch whose weights are kept", lambda _, t: t.best_epoch, "epoch"),
    Column(
        "seconds",
        "time spent training",
        lambda _, t: t.train_seconds,
        "s",
        "time",
        duration,
        text_has_unit=True,
    ),
    Column(
        "diagnosis",
        "what a complete trial's loss curves say: underfitting, overfitting or balanced",
        lambda results, t: results.diagnosis(t),
        tracked="tags.sweep.diagnosis",
    ),
    Column(
        "parameters",
        "weights and biases that are trained",
        lambda _, t: t.parameters or None,
        header="weights",
        text=_count,
        shown=PLACES - {"table"},
    ),
    Column("seed", "what training draws from", lambda _, t: t.seed, shown=_FILES_ONLY),
    Column(
        "source",
        "where it comes from: sampler, enqueued, audit or replicate",
        lambda _, t: t.source,
        shown=_FILES_ONLY,
    ),
    Column(
        "of",
        "the trial that this one repeats, as an audit or a replicate",
        lambda _, t: t.of,
        header="audit of",
        shown=frozenset({"table"}),
    ),
    Column("reason", "why it ended", lambda _, t: t.reason or None, shown=_FILES_ONLY),
    Column("message", "why it failed", lambda _, t: t.message or None, shown=_FILES_ONLY),
    Family("params", "what the search drew", _parameters),
    Family("best", "metrics on validation, of the best epoch; of each fold, if any", _best),
    Family("test", "finalists' metrics on the test part, of the best epoch", _metrics("test")),
)
COLUMNS: Registry[Entry] = Registry(
    "rnn_sweep.columns",
    "a column",
    Entry,  # type: ignore[type-abstract]
    {entry.name: entry for entry in _ENTRIES},
)


def columns_of(results: Results) -> tuple[Column, ...]:
    """Return all columns that a sweep has, in the order of files."""
    return tuple(column for entry in COLUMNS.values() for column in entry.columns(results))


def shown_in(place: Place, results: Results) -> tuple[Column, ...]:
    """Return the columns that people see there, the leading ones first."""
    found = (column for column in columns_of(results) if place in column.shown)
    return tuple(sorted(found, key=lambda column: not column.leads))


def varying(trials: Sequence[TrialState]) -> list[str]:
    """Return the parameters that differ between trials, in the space's order."""
    names: Iterable[str] = dict.fromkeys(name for trial in trials for name in trial.params)
    return [
        name
        for name in names
        if len({repr(trial.params.get(name, "absent")) for trial in trials}) > 1
    ]
