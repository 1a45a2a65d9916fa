"""Optuna's own pruners as a rule: they judge one report after the other, so packs are no place.

Optuna looks at whole studies. The rule mirrors the sweep in an in-memory study that nobody asks:
trials enter it when they are judged for the first time, and end in it when they have ended.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.pruners import BasePruner
from pydantic import Field

from sweep.config.pruning import PruningRule, PruningSection
from sweep.config.section import PositiveInt
from sweep.errors import ConfigProblem
from sweep.history.state import Standing, TrialState
from sweep.pruning.verdicts import Rung


class OptunaSection(PruningSection):
    """The rule's keys."""

    pruner: str = Field(description="a class of optuna.pruners")
    options: dict[str, Any] = Field(default_factory=dict, description="its arguments")
    min_epochs: PositiveInt | None = Field(None, description="the first rung; null: 1")


class OptunaRule:
    """Stops whom a pruner of Optuna would prune; every epoch is a rung.

    Values reach the pruner to be minimised, a trial's best so far at each epoch.

    Raises:
        ConfigProblem: there is no such pruner, or it does not take these arguments.
    """

    name = "optuna"

    def __init__(
        self, pruner: str, options: Mapping[str, Any], sign: float = 1.0, min_epochs: int = 1
    ) -> None:
        self._study = optuna.create_study(pruner=build_pruner(pruner, options))
        self._sign = sign
        self._min_epochs = min_epochs
        self._live: dict[int, optuna.trial.Trial] = {}
        self._known: set[int] = set()

    def rungs(self, max_epochs: int, index: int) -> tuple[int, ...]:
        """Return every epoch but the last."""
        return tuple(range(self._min_epochs, max_epochs))

    def bracket(self, max_epochs: int, index: int) -> int:
        """Return the one bracket: pruners with brackets keep their own."""
        return 0

    def kept(self, rung: Rung) -> set[int]:
        """Ask the pruner about every candidate, by number."""
        self._catch_up(rung)
        return {n for n in sorted(rung.candidates) if not self._pruned(rung.trials[n], rung.epoch)}

    def _catch_up(self, rung: Rung) -> None:
        """Bring into the mirror whatever has ended since; after a restart that is everything."""
        for number, trial in rung.trials.items():
            if not trial.ended or trial.of is not None:
                continue
            if number in self._known and number not in self._live:
                continue
            live = self._mirrored(trial)
            self._report(live, trial, len(trial.curve))
            if trial.state is Standing.COMPLETE:
                value = trial.best_at(len(trial.curve), self._sign)
                self._study.tell(live, value if math.isfinite(value) else None)
            else:
                self._study.tell(live, state=optuna.trial.TrialState.PRUNED)
            del self._live[number]

    def _pruned(self, trial: TrialState, epoch: int) -> bool:
        live = self._mirrored(trial)
        self._report(live, trial, epoch)
        return bool(live.should_prune())

    def _mirrored(self, trial: TrialState) -> optuna.trial.Trial:
        if trial.number not in self._known:
            self._known.add(trial.number)
            self._live[trial.number] = self._study.ask()
        return self._live[trial.number]

    def _report(self, live: optuna.trial.Trial, trial: TrialState, epoch: int) -> None:
        """Report epochs that the mirror does not hold; a first judgement may come late."""
        done = len(self._study._storage.get_trial(live._trial_id).intermediate_values)
        for step in range(done + 1, epoch + 1):
            live.report(trial.best_at(step, self._sign), step)
            if step < epoch:
                live.should_prune()  # some pruners remember each rung that a trial has passed


def pruner_names() -> tuple[str, ...]:
    """Return the pruners that a sweep file may name."""
    return tuple(
        name
        for name, value in sorted(vars(optuna.pruners).items())
        if inspect.isclass(value) and issubclass(value, BasePruner) and value is not BasePruner
    )


def build_pruner(name: str, options: Mapping[str, Any]) -> BasePruner:
    """Return a pruner of Optuna by its class's name.

    Raises:
        ConfigProblem: there is no such pruner, or it does not take these arguments.
    """
    if name not in pruner_names():
        raise ConfigProblem(
            f"search.pruning.pruner must be one of {', '.join(pruner_names())}, but got {name!r}."
        )
    kind = getattr(optuna.pruners, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner = kind(**options)
    except (TypeError, ValueError) as error:
        raise ConfigProblem(
            f"search.pruning.options must be arguments of optuna.pruners.{name}, but got "
            f"{dict(options)}: {error}"
        ) from error
    assert isinstance(pruner, BasePruner)
    return pruner


def _build(section: OptunaSection, sign: float) -> OptunaRule:
    return OptunaRule(section.pruner, section.options, sign, section.min_epochs or 1)


OPTUNA = PruningRule(OptunaSection, _build, one_by_one=True)
