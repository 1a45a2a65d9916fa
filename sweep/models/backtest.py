"""Back-tests of a sweep's trials: origin by origin over the test part, beside naive forecasts.

At each origin a forecast is judged on the stretch up to the next one. A model is the trial's as it
is, or one that is trained anew on all before the origin: with the trial's settings, for as many
epochs as its best one had. Nothing that is judged is learned from, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sweep.config.data_folds import folds_of
from sweep.config.data_limit import limit_of
from sweep.errors import UserError
from sweep.history.goal import ranked
from sweep.history.state import TrialState
from sweep.models.trained import checkpointed_trial
from sweep.results.backtest import Backtest, OriginRow, Refit
from sweep.results.results import Results
from sweep.running.preparation import Prepared, prepare_again
from trainers.config.folds import config_on
from trainers.config.train_config import TrainConfig
from trainers.data import load_folds
from trainers.data.choices import choice_key
from trainers.data.common_targets import taken
from trainers.data.contract import Array, SequenceData
from trainers.data.folds import Folds, Window
from trainers.data.series.reading import WindowReading
from trainers.errors import DataError

Tell = Callable[[str], object]


@dataclass(frozen=True)
class _Tested:
    """A trial, its checkpoint, and what it is judged on.

    Attributes:
        config: Its settings.
        data: What it was trained on.
        stretches: The data at each origin, encoded and scaled by what lies before it.
    """

    trial: TrialState
    checkpoint: Path
    config: TrainConfig
    data: SequenceData
    stretches: Sequence[SequenceData]


def backtest(
    found: Results,
    origins: int,
    refit: Refit = "never",
    number: int | None = None,
    tell: Tell = lambda line: None,
) -> Backtest:
    """Judge a sweep's finalists, or one trial, and naive forecasts at origins in the test part.

    Args:
        found: The sweep.
        origins: How many, at even steps in time.
        refit: Whether models are trained anew at every origin.
        number: A trial; None for the finalists, or the best trial where there are none.
        tell: Called with a line on what is done now.

    Raises:
        UserError: there is no such trial or no checkpoint of it, or the data have changed, no test
            part or no order in time.
        DataError: there are too few rows for so many origins.
    """
    import torch

    opened = found.state.first_opened
    if opened is None:
        raise UserError(f"sweep {found.config.name!r} has not begun; run it first.")
    prepared = prepare_again(found.config, opened, "a backtest")
    _check_order(prepared)
    torch.set_num_threads(prepared.config.run.threads)
    stretches = _Stretches(prepared, origins)
    tested = [_tested(found, prepared, stretches, each) for each in _numbers(found, number)]
    judged = [_row(tested, place, prepared, refit, tell) for place in range(origins)]
    metrics = dict.fromkeys(m for row in judged for own in row.metrics.values() for m in own)
    units = {name: found.unit(name) for name in metrics}
    leading = prepared.goal.leading
    return Backtest(found.config.name, refit, leading, units, tuple(judged))


def _check_order(prepared: Prepared) -> None:
    data, source = prepared.data, prepared.config.data.source
    if not isinstance(data.reading, WindowReading) or data.train.origins is None:
        raise UserError(
            "a backtest needs rows in order of time, which `csv` and `appliances` have, but "
            f"data.source {source} has none."
        )
    if data.test is None:
        raise UserError(
            "a backtest has its origins in the test part, but data.split leaves none; give the "
            "test part a share."
        )


def _numbers(found: Results, number: int | None) -> list[int | None]:
    if number is not None:
        return [number]
    with_test = (t for t in found.trials if t.test and t.source != "replicate")
    finalists = [t.number for t in ranked(with_test, found.goal)]
    return [*finalists] or [None]


class _Stretches:
    """The data at each origin, loaded once for each choice of drawn options."""

    def __init__(self, prepared: Prepared, origins: int) -> None:
        section = prepared.config.data
        folds = folds_of(section.folds)
        window: Window = "expanding" if folds is None else folds.window
        self._prepared = prepared
        self._folds = Folds(origins, window, within="test")
        self._known: dict[str, list[SequenceData]] = {}

    def of(self, params: Mapping[str, Any]) -> list[SequenceData]:
        """Return those of a trial that drew these parameters."""
        section, drawn = self._prepared.config.data, self._prepared.dimensions.options(params)
        key = choice_key(drawn)
        if key not in self._known:
            self._known[key] = load_folds(
                section.source,
                {**section.options, **drawn},
                self._folds,
                base_dir=Path.cwd(),
                limit=limit_of(section.limit),
                accept=section.accept,
            )
        return self._known[key]


def _tested(
    found: Results, prepared: Prepared, stretches: _Stretches, number: int | None
) -> _Tested:
    from trainers.learning.checkpoint import read_checkpoint

    trial, checkpoint = checkpointed_trial(found, number)
    config = read_checkpoint(checkpoint, tensors=False).config
    own = stretches.of(trial.params)
    return _Tested(trial, checkpoint, config, prepared.data_of(config), own)


def _row(
    tested: Sequence[_Tested], place: int, prepared: Prepared, refit: Refit, tell: Tell
) -> OriginRow:
    """Judge every forecast at one origin."""
    metrics: dict[str, dict[str, float]] = {}
    first = tested[0]
    where = f"origin {place + 1} of {len(first.stretches)} ({first.stretches[place].origin})"
    for one in tested:
        name = f"trial {one.trial.number}"
        tell(f"{where}: {name}")
        if refit == "every":
            metrics[name] = _anew(one, place, prepared, partial(_tell_at, tell, where))
        else:
            metrics[name] = _as_it_is(one, place, prepared)
    data = first.stretches[place] if refit == "every" else _stretch(first, place)
    tell(f"{where}: naive forecasts")
    metrics |= _naive(data, first.config, prepared)
    assert data.test is not None
    return OriginRow(first.stretches[place].origin, len(data.test), metrics)


def _tell_at(tell: Tell, where: str, line: str) -> None:
    tell(f"{where}: {line}")


def _stretch(one: _Tested, place: int) -> SequenceData:
    """The trial's own data, their test part cut down to the stretch after an origin."""
    test, stretch = one.data.test, one.stretches[place].test
    assert test is not None
    assert stretch is not None
    rows = np.asarray(test.origins)
    low, high = _ends(np.asarray(stretch.origins), stretch.series, len(one.data.series) or 1)
    of = 0 if test.series is None else np.asarray(test.series)
    inside = np.flatnonzero((rows >= low[of]) & (rows <= high[of]))
    if not len(inside):
        raise DataError(
            f"no test window of the model lies in the stretch from {one.stretches[place].origin} "
            "on; take fewer origins (--origins)."
        )
    return replace(one.data, test=taken(test, inside))


def _ends(rows: Array, series: Array | None, count: int) -> tuple[Array, Array]:
    """First and last target row of each series, `(series,)` each; of none an empty span."""
    of = np.zeros(len(rows), dtype=np.int64) if series is None else np.asarray(series)
    low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, -1, dtype=np.int64)
    np.minimum.at(low, of, rows)
    np.maximum.at(high, of, rows)
    return low, high


def _as_it_is(one: _Tested, place: int, prepared: Prepared) -> dict[str, float]:
    from trainers.packs.pack import pack_of_checkpoint

    data, leading = _stretch(one, place), prepared.goal.leading
    return pack_of_checkpoint(one.checkpoint, data, leading, prepared.asked).evaluate_finalist(
        0, "test"
    )


def _anew(one: _Tested, place: int, prepared: Prepared, tell: Tell) -> dict[str, float]:
    """Train with the trial's settings on all before an origin; empty where that diverges.

    Each epoch counts as better than the one before: the newest weights are judged, and nothing
    that is judged decides about learning rate or end.
    """
    from trainers.packs.pack import Pack

    leading, epochs, data = prepared.goal.leading, one.trial.best_epoch, one.stretches[place]
    config = replace(config_on(one.config, one.data, data), patience=None)
    pack = Pack(config.structure(), data, leading, asked=prepared.asked, judges=False)
    named, folder = config.first_weights, one.checkpoint.parent.parent
    pack.admit(0, config, first_weights=None if named is None else folder / named)
    for epoch in range(1, epochs + 1):
        tell(f"trial {one.trial.number}, epoch {epoch} of {epochs}")
        report = pack.train(0)
        if report is None or report.outcome == "diverged":
            return {}
        pack.judge(0, {leading.metric: -leading.sign * epoch})
    return pack.evaluate_finalist(0, "test")


def _naive(
    data: SequenceData, config: TrainConfig, prepared: Prepared
) -> dict[str, dict[str, float]]:
    from trainers.packs.naive import naive_metrics

    found = naive_metrics(data, config.structure(), prepared.asked).metrics
    return {name: parts["test"] for name, parts in found.items() if "test" in parts}
