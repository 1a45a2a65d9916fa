"""Naive forecasts beside a sweep's trials: computed once, while they train, and kept in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sweep.log.event import Event
from sweep.log.kinds import Baselined
from sweep.work.naive import judge_naive

if TYPE_CHECKING:
    from sweep.running.journal import Journal
    from sweep.running.preparation import Prepared
    from sweep.work.executors import Executor
    from sweep.work.executors.aside import Aside
    from trainers.data.choices import DataChoices
    from trainers.data.naive.outcome import NaiveMetrics

PATIENCE_SECONDS = 60.0
"""How long a session that has nothing else to do waits for them."""
_POLL_SECONDS = 0.05
_LONGEST = 250  # characters of what went wrong
_EXAMPLES = 20  # that are drawn to see whether trials differ in their loss
_LOG = logging.getLogger(__name__)


class Baselines:
    """Begins them with the first epoch, whose start they would slow down, and records them.

    What goes wrong is said once; the sweep goes on without.
    """

    def __init__(self, prepared: Prepared, journal: Journal, executor: Executor) -> None:
        """Begin nothing yet."""
        self._prepared = prepared
        self._journal = journal
        self._executor = executor
        self._aside: Aside | None = None
        self._over = journal.state.baselines is not None

    def tend(self, epochs: int) -> None:
        """Begin once an epoch has been trained; record what is there.

        Args:
            epochs: Done in this session.
        """
        if self._over:
            return
        if self._aside is None:
            if epochs:
                self._begin()
        elif self._aside.done():
            self._record(self._aside)

    def finish(self) -> None:
        """Wait for them, with patience: nothing else is left to do."""
        if not self._over and self._aside is None and self._has_trained():
            self._begin()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._over and self._aside is not None:
            if self._aside.done():
                self._record(self._aside)
            elif time.monotonic() > deadline:
                self.abandon()
                _LOG.warning(
                    "naive forecasts took more than %.0f seconds beyond the trials and are left "
                    "out; the same command computes them while it trains more",
                    PATIENCE_SECONDS,
                )
            else:
                time.sleep(_POLL_SECONDS)

    def abandon(self) -> None:
        """End them unfinished; another session begins anew."""
        if self._aside is not None and not self._over:
            self._aside.cancel()
        self._over = True

    def _has_trained(self) -> bool:
        """Whether a session before this one was killed before they were there."""
        closed = self._journal.state.closed
        ended = any(trial.ended for trial in self._journal.state.trials.values())
        return ended and (closed is None or closed.reason != "finished")

    def _begin(self) -> None:
        self._aside = self._executor.aside(naive_work(self._prepared))

    def _record(self, aside: Aside) -> None:
        self._over = True
        try:
            found: NaiveMetrics = aside.result()
        except Exception as error:  # a lost node, a lack of memory: trials go on all the same
            _LOG.warning("naive forecasts are %s", left_out(error))
            return
        self._journal.record([Event(baselined(self._prepared, found))])


def baselined(prepared: Prepared, found: NaiveMetrics) -> Baselined:
    """Return the event that tells of them; `loss` stays out where trials differ in theirs."""
    metrics = found.metrics
    if len(_losses(prepared)) > 1:
        metrics = {
            name: {
                part: {metric: value for metric, value in values.items() if metric != "loss"}
                for part, values in parts.items()
            }
            for name, parts in metrics.items()
        }
    return Baselined(metrics, found.seconds, found.about, found.notes, found.left_out)


def left_out(error: Exception) -> str:
    """Return in a few words why there are none."""
    return f"left out: {type(error).__name__}: {' '.join(str(error).split())[:_LONGEST]}"


def naive_work(prepared: Prepared) -> Callable[[DataChoices], NaiveMetrics]:
    """Return what computes them from the data; it can be pickled."""
    structure = prepared.train_config(0, prepared.space.sample(0)).structure()
    return partial(judge_naive, structure=structure, asked=prepared.asked)


def _losses(prepared: Prepared) -> set[tuple[str, str]]:
    examples = (prepared.space.sample(seed) for seed in range(_EXAMPLES))
    drawn = (prepared.train_config(0, example) for example in examples)
    return {(config.loss, config.loss_reduction) for config in drawn}
