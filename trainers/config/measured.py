"""Which metrics some data and a loss have, and which of them are measured when."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainers.config.losses import LOSSES
from trainers.config.metrics import METRICS, MetricType, Pass, Sums
from trainers.config.metrics.classes import class_names
from trainers.config.metrics.forecasts import FORECASTS, LEVEL
from trainers.config.own_metric import OwnMetric
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData

_FEW_CLASSES = 20  # that are told apart on the test part
_STEP = re.compile(r"h([1-9]\d*)")


def metric_names(data: SequenceData, loss: str) -> tuple[str, ...]:
    """Return the names of the metrics that this data and loss have, steps and classes aside."""
    return tuple(name for name in METRICS if _missing(METRICS[name], name, data, loss) is None)


def undefined(name: str, data: SequenceData, loss: str, asked: Asked) -> str | None:
    """Return what a metric needs and the validation part's targets lack, in words; else None."""
    from trainers.data.valid_targets import valid_targets  # numpy: not for those who ask names

    check = find_metric(name, data, loss, asked).undefined
    if check is None:
        return None
    why = check(valid_targets(data, data.validation))
    return None if why is None else f"{why} in the validation part"


@dataclass(frozen=True)
class Asked:
    """What a sweep wants to be measured beside what every epoch has.

    Attributes:
        names: Of registered metrics, `rmse/h3` and the like too, and of one's own.
        own: The metrics of one's own that there are.
        level: Of the interval that `coverage` and `width` without a level are of.
    """

    names: tuple[str, ...] = ()
    own: tuple[OwnMetric, ...] = ()
    level: float = LEVEL

    def unit(self, name: str) -> str | None:
        """Return the unit of a metric of one's own; None of another."""
        return next((one.unit for one in self.own if one.name == name), None)


NOTHING = Asked()


def epoch_metrics(data: SequenceData, loss: str, asked: Asked = NOTHING) -> dict[str, MetricType]:
    """Return what is measured at each epoch: what every epoch has, and what is asked for.

    Raises:
        ConfigError: something is asked for that these data or this loss don't have.
    """
    always = [name for name in metric_names(data, loss) if METRICS[name].each_epoch]
    return _found([*always, *asked.names], data, loss, asked)


def train_metrics(metrics: Mapping[str, MetricType]) -> dict[str, MetricType]:
    """Return those of an epoch's metrics that cost training no sums but the usual ones."""
    usual = {each for m in metrics.values() if m.each_epoch for each in m.sums}
    return {
        name: metric
        for name, metric in metrics.items()
        if metric.each_epoch or (metric.value is not None and usual.issuperset(metric.sums))
    }


def end_metrics(data: SequenceData, loss: str, asked: Asked = NOTHING) -> dict[str, MetricType]:
    """Return what is measured once, at a trial's end: what the epochs did not have.

    Of each step of a horizon those that are asked for, as they are many.
    """
    each_epoch = epoch_metrics(data, loss, asked)
    later = [name for name in metric_names(data, loss) if not METRICS[name].each_epoch]
    steps = step_names([name for name in asked.names if name in METRICS], data)
    found = _found([*later, *steps], data, loss, asked)
    return {name: metric for name, metric in found.items() if name not in each_epoch}


def finalist_metrics(
    data: SequenceData, loss: str, asked: Asked = NOTHING
) -> dict[str, MetricType]:
    """Return what is measured on the test part: everything, by step and by class too."""
    names = metric_names(data, loss)
    found = _found([*names, *asked.names, *step_names(names, data)], data, loss, asked)
    if data.task == "classification" and data.output_size <= _FEW_CLASSES:
        rates = [name for name in names if METRICS[name].named is not None]
        found |= _found(
            [f"{rate}/{name}" for name in class_names(data) for rate in rates], data, loss, asked
        )
    return found


def _found(
    names: Iterable[str], data: SequenceData, loss: str, asked: Asked
) -> dict[str, MetricType]:
    return {name: find_metric(name, data, loss, asked) for name in dict.fromkeys(names)}


def step_names(names: Sequence[str], data: SequenceData) -> list[str]:
    """Return the names of those that steps of a horizon have, of every step."""
    if data.horizon == 1:
        return []
    whole = [name for name in names if METRICS[name.partition("/")[0]].by_step]
    return [f"{name}/h{step}" for name in whole for step in range(1, data.horizon + 1)]


def find_metric(name: str, data: SequenceData, loss: str, asked: Asked = NOTHING) -> MetricType:
    """Return a metric of these data: `rmse`, `rmse/h3` of one step, `f1/CLASS`, `coverage/0.8`.

    Raises:
        ConfigError: there is no such metric, or these data or this loss don't have it.
    """
    own = next((one for one in asked.own if one.name == name), None)
    if own is not None:
        return own.entry
    base, _, rest = name.partition("/")
    if base not in METRICS:
        there = [*metric_names(data, loss), *(one.name for one in asked.own)]
        near = difflib.get_close_matches(base, there, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"a metric must be one of {', '.join(there)}, but got {name!r}{hint}")
    found = METRICS[base]
    why = _missing(found, base, data, loss)
    if why is not None:
        raise ConfigError(f"metric {name} needs {why}.")
    what, _, last = rest.rpartition("/")
    step = _STEP.fullmatch(last) if found.by_step else None
    what = what if step else rest
    if base in FORECASTS and found.named is not None and not what:
        what = f"{asked.level:g}"
    if what:
        if found.named is None:
            parts = f"steps of a horizon, as {base}/h1" if found.by_step else "no parts"
            raise ConfigError(f"metric {base} has {parts}, but got {name!r}.")
        found = found.named(what, data)
    return found if step is None else _of_step(found, int(step[1]), name, data)


def _of_step(metric: MetricType, step: int, name: str, data: SequenceData) -> MetricType:
    """Return a metric of one step ahead, counted from 1."""
    if data.horizon == 1 or step > data.horizon:
        raise ConfigError(
            f"metric {name} needs a forecast of at least {max(step, 2)} steps at once "
            f"(data.output_steps), but these data's horizon is {data.horizon}."
        )
    targets = data.output_size // data.horizon
    outputs = slice((step - 1) * targets, step * targets)
    whole = metric.value
    assert whole is not None

    def value(sums: Sums, of: Pass) -> float | None:
        own = {row: values[outputs] for row, values in sums.items()}
        empty = "elements" in own and not own["elements"].sum()
        return None if empty else whole(own, of.of_step(outputs))

    return replace(metric, sentence=f"{metric.sentence}, step {step}", value=value)


def is_language(data: SequenceData) -> bool:
    """Return whether classes are the vocabulary itself: what comes next is a token."""
    same = data.vocabulary_size == data.output_size and not data.pairs
    return data.task == "classification" and same


def _missing(metric: MetricType, name: str, data: SequenceData, loss: str) -> str | None:
    """Return what a metric needs that these data or this loss lack, if anything."""
    kind = LOSSES[loss]
    if kind.targets not in metric.targets:
        if not metric.targets:
            return "more than a pass over data"
        said = {"values": "numbers", "ids": "classes", "labels": "labels"}
        return f"targets that are {' or '.join(said[t] for t in metric.targets)}"
    if metric.of_loss and name not in kind.metrics:
        there = [own for own in LOSSES if name in LOSSES[own].metrics]
        return f"train.loss {' or '.join(there)}, but got {loss}"
    if metric.language and not is_language(data):
        return "targets that are the next tokens"
    return None if metric.lacks is None else metric.lacks(data, kind)
