"""What names in a gate stand for: figures of the best trial, the champion, naive forecasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sweep.config.sweep_config import SweepConfig
from sweep.config.tracking_uri import default_tracking_uri
from sweep.history.baselines import TEST, VALIDATION, best_naive, values_of
from sweep.history.state import Standing, SweepState, TrialState
from sweep.log.kinds import Baselined
from sweep.results.results import DEFAULT_FOLDER
from sweep.running.preparation import Prepared
from sweep.smoke.gate import Gate, Unknown
from sweep.smoke.gate_syntax import GateError
from trainers.config.losses import losses_for
from trainers.config.measured import end_metrics, finalist_metrics, metric_names
from trainers.config.metrics import METRICS
from trainers.config.objective import Objective
from trainers.data.naive.choosing import candidates

_PARTS = ("val_", "test_")
Values = dict[str, float | Unknown]


def gate_names(prepared: Prepared) -> tuple[str, ...]:
    """Return the names that a gate may use; the champion's too, whether there is one or not.

    `baseline/val_rmse` is the best naive forecast's, `baseline/ridge/val_rmse` that of one of them.
    """
    data, asked = prepared.data, prepared.asked
    loss = prepared.train_config(0, prepared.space.sample(0)).loss
    whole = [*metric_names(data, loss), *(one.name for one in asked.own)]
    ended = dict.fromkeys([*whole, *end_metrics(data, loss, asked), *asked.names])
    tested = finalist_metrics(data, loss, asked) if data.test is not None else ()
    answer = {*metric_names(data, losses_for(data)[0])}  # what an answer itself has
    bare = [name for name in ended if name.partition("/")[0] in answer]
    parts = ("val", "test") if data.test is not None else ("val",)
    return (
        *(f"best/val_{name}" for name in ended),
        *(f"best/test_{name}" for name in tested),
        "best/epochs",
        "best/parameters",
        "trials/failed",
        "seconds",
        *(f"champion/{part}_{name}" for part in ("val", "test") for name in whole),
        *(
            f"baseline/{naive}{part}_{name}"
            for naive in ("", *(f"{naive}/" for naive in candidates(data)))
            for part in parts
            for name in bare
        ),
    )


def asked_metrics(gates: Iterable[Gate]) -> tuple[str, ...]:
    """Return the steps, classes and levels that gates ask for; all else a trial's end has."""
    judged = (name for gate in gates for name in sorted(gate.names) if name.startswith("best/"))
    metrics = (name.removeprefix("best/").partition("_")[2] for name in judged)
    return tuple(dict.fromkeys(metric for metric in metrics if "/" in metric))


def champion_values(gates: Iterable[Gate], config: SweepConfig, name: str | None) -> Values:
    """Return what the champion has of what the gates ask for; unknown where there is none yet.

    Args:
        gates: The gates.
        config: The sweep; its tracking says where models are registered.
        name: Of the registered model; None for the sweep's tracking.register_as.

    Raises:
        GateError: no name is given, or the champion lacks a metric.
        TrackerUnavailable: MLflow does not answer.
    """
    wanted = sorted({n for gate in gates for n in gate.names if n.startswith("champion/")})
    if not wanted:
        return {}
    if (name := name or config.tracking.register_as) is None:
        raise GateError(
            "a gate with champion needs a registered model's name, but the sweep file has no "
            "tracking.register_as; give --champion NAME."
        )
    from sweep.tracking.reading import champion_tags

    tags = champion_tags(default_tracking_uri(Path(DEFAULT_FOLDER), config.tracking.uri), name)
    if tags is None:
        return dict.fromkeys(wanted, Unknown(f"{name!r} has no champion yet", passes=True))
    return {key: _tagged(tags, key, name) for key in wanted}


def finished_values(
    names: Iterable[str], best: TrialState | None, state: SweepState, seconds: float
) -> Values:
    """Return what a finished sweep has for the names that are not the champion's."""
    failed = sum(trial.state is Standing.FAILED for trial in state.trials.values())
    values: Values = {"trials/failed": float(failed), "seconds": seconds}
    for name in names:
        if name.startswith("best/"):
            values[name] = _of_best(name.removeprefix("best/"), best)
        elif name.startswith("baseline/"):
            values[name] = _of_naive(name.removeprefix("baseline/"), state.baselines)
    return values


def _of_best(name: str, best: TrialState | None) -> float | Unknown:
    if best is None:
        return Unknown("no trial is complete")
    known = {"epochs": float(best.epoch), "parameters": float(best.parameters)}
    known |= {f"val_{metric}": value for metric, value in best.best.items()}
    known |= {f"test_{metric}": value for metric, value in best.test.items()}
    return known.get(name, Unknown(f"best/{name} was not measured"))


def _of_naive(name: str, baselines: Baselined | None) -> float | Unknown:
    if baselines is None:
        return Unknown("the sweep has no naive forecasts")
    naive, _, judged = ("", "", name) if name.startswith(_PARTS) else name.partition("/")
    short, _, metric = judged.partition("_")
    part = VALIDATION if short == "val" else TEST
    if naive:
        found = values_of(baselines, metric, part).get(naive)
        why = baselines.left_out.get(naive, f"it has no {judged}")
        return Unknown(f"no baseline/{naive}: {why}") if found is None else found
    direction = METRICS[metric.partition("/")[0]].direction
    best = best_naive(baselines, Objective(metric, direction), part)
    return Unknown(f"no naive forecast has {judged}") if best is None else best.value


def _tagged(tags: Mapping[str, str], key: str, name: str) -> float:
    part, _, metric = key.removeprefix("champion/").partition("_")
    prefix = "sweep.best." if part == "val" else "sweep.test."
    try:
        return float(tags[prefix + metric])
    except (KeyError, ValueError):
        there = [f"{part}_{t.removeprefix(prefix)}" for t in sorted(tags) if t.startswith(prefix)]
        raise GateError(
            f"the champion of {name!r} must have {part}_{metric} on record, but it has "
            f"{', '.join(there) or 'no such metric'}."
        ) from None
