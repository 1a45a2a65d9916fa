"""Everything a sweep needs before its first trial: data, space, rules, checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.nodes import Needs
from sweep.config.data_folds import folds_of
from sweep.config.data_limit import limit_of
from sweep.config.data_options import drawable_point, is_data_option
from sweep.config.metrics import metric_name, own_metrics
from sweep.config.own_code import own_function
from sweep.config.sweep_config import SweepConfig
from sweep.errors import ConfigProblem, UserError
from sweep.history.goal import Goal
from sweep.log.checkpoints import CHECKPOINTS
from sweep.log.kinds import Opened
from sweep.pruning.finals import Finals
from sweep.pruning.verdicts import rule_of
from sweep.running.first_weights import FirstWeights
from sweep.running.provenance import earlier_code
from sweep.running.scheduler import Scheduling
from sweep.search.data_dimensions import DataDimensions
from sweep.search.seeds import ask_seed
from sweep.search.space import EXAMPLES, sweep_space, training_defaults
from sweep.search.study import SearchRules
from sweep.work.protocol import WorkerSettings
from trainers.config.fitting import check_structure, with_decoder
from trainers.config.folds import fold_configs
from trainers.config.measured import NOTHING, Asked, find_metric, undefined
from trainers.config.metrics import METRICS
from trainers.config.own_metric import OwnMetric
from trainers.config.train_config import TrainConfig
from trainers.data.choices import DataChoices, choice_key, load_choices
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from search_spaces.space import Space
    from trainers.data.contract import SequenceData


@dataclass(frozen=True)
class Prepared:
    """A sweep file, resolved: what it trains on, what it tries, by which rules.

    Attributes:
        choices: The data, one set for each combination of drawn options.
        dimensions: The data's options that are drawn.
        first: The weights that every trial begins with; None where each draws its own.
        asked: What is measured at each epoch beside the usual.
    """

    config: SweepConfig
    choices: DataChoices
    dimensions: DataDimensions
    space: Space
    goal: Goal
    search_rules: SearchRules
    asked: Asked = NOTHING
    first: FirstWeights | None = None

    @property
    def data(self) -> SequenceData:
        """The first choice: its names, task and parts are those of all."""
        return self.choices.default

    def data_of(self, config: TrainConfig) -> SequenceData:
        """Return the data that a trial trains on."""
        return self.choices.of(config.data_choice)

    def train_config(
        self, number: int, params: Mapping[str, Any], seed: int | None = None
    ) -> TrainConfig:
        """Return trial `number`'s training settings: the data's, the file's, what was drawn.

        Args:
            seed: Instead of the trial's own.

        Raises:
            ConfigError: the drawn values do not fit together.
        """
        own = ask_seed(self.config.search.seed, number, "train")
        choice = choice_key(self.dimensions.options(params))
        defaults = {"seed": own, **training_defaults(self.choices.of(choice))}
        drawn = {name: value for name, value in params.items() if not is_data_option(name)}
        given = None if self.first is None else self.first.name
        forced: dict[str, Any] = {"data_choice": choice, "first_weights": given}
        forced |= {} if seed is None else {"seed": seed}
        settings = {**defaults, **self.config.train, **drawn, **forced}
        found = TrainConfig.from_mapping(with_decoder(settings, self.choices.of(choice)))
        if self.first is not None:
            self.first.check(found.structure(), self.choices.of(choice))
        return found

    def scheduling(self, workers: int, limit: int | None) -> Scheduling:
        """Return the scheduler's rules for a sweep that began with `workers` workers."""
        config = self.config
        slots = workers * pack_size(config)
        return Scheduling(
            order=config.run.order,
            target=min(config.budget.trials, limit or config.budget.trials),
            rule=rule_of(config.search.pruning, self.goal.leading.sign),
            look_ahead=3 * slots,
            cohort=slots,
            pack=pack_size(config),
            most_at_once=config.cluster.max_concurrent_trials,
            finals=Finals(config.finalists.count, self.goal),
        )


def prepare(config: SweepConfig) -> Prepared:
    """Load the data, build the space and check that they fit; writes nothing.

    Raises:
        ConfigProblem: objectives, enqueued configurations or drawn settings don't fit.
        DataError: the data are missing or break the contract.
        SpaceError: the space is empty or broken.
    """
    dimensions = DataDimensions.of(config.space.parameters)
    choices = loaded(config, dimensions)
    space = sweep_space(config, choices.default)
    own = own_metrics(config.metrics, Path.cwd())
    goal = Goal.of_task(config, choices.default.task, {one.name: one.direction for one in own})
    rules = SearchRules(
        sampler=config.search.sampler,
        seed=config.search.seed,
        goal=goal,
        enqueue=tuple(space.validate_point(drawable_point(p)) for p in config.search.enqueue),
    )
    asked = _asked(config, goal, own)
    prepared = Prepared(config, choices, dimensions, space, goal, rules, asked)
    rule_of(config.search.pruning, goal.leading.sign)  # raises where the rule takes no such keys
    _check_fit(prepared)
    return prepared


def prepare_again(config: SweepConfig, first: Opened, purpose: str) -> Prepared:
    """Prepare a sweep that has been: its data must be what they were.

    Args:
        config: As its log holds it.
        first: How it began: on which data, with which code.
        purpose: What for, in messages.

    Raises:
        UserError: the data have changed.
    """
    prepared, digest = prepare(config), first.data.digest
    if prepared.choices.digest != digest:
        raise UserError(
            f"{purpose} needs the data of the sweep (digest {digest[:12]}), but these have digest "
            f"{prepared.choices.digest[:12]}; restore the data{earlier_code(first)}."
        )
    return prepared


def loaded(config: SweepConfig, dimensions: DataDimensions) -> DataChoices:
    """Load what a sweep file's `data` says, every choice of it.

    Raises:
        DataError: the data are missing, break the contract, or are wrong and not accepted.
    """
    section, here = config.data, Path.cwd()
    return load_choices(
        section.source,
        section.options,
        dimensions.values,
        base_dir=here,
        limit=limit_of(section.limit),
        function=own_function("data.source", section.source, here),
        accept=section.accept,
        folds=folds_of(section.folds),
    )


def pack_size(config: SweepConfig) -> int:
    """Return how many trials a worker is given at once; `auto` begins with one.

    On CPU that is the measured choice (tests/benchmarks/RESULTS.md); a worker with a GPU measures
    and says how many it can take.
    """
    return 1 if config.run.pack == "auto" else config.run.pack


def worker_needs(config: SweepConfig) -> Needs:
    """Return what one worker reserves."""
    section = config.cluster
    return Needs(
        cpus=section.cpus or config.run.threads,
        gpus=section.gpus or 0,
        memory_bytes=int((section.memory_gib or 0) * 2**30),
        accelerator=section.accelerator,
        labels=section.labels,
    )


def worker_settings(prepared: Prepared, device: str, folder: Path, uid: str) -> WorkerSettings:
    """Return what every worker is told once.

    Args:
        device: cpu or cuda.
        folder: The sweep's folder.
        uid: The sweep's unique id.
    """
    run = prepared.config.run
    measured = run.pack == "auto" and device != "cpu"
    return WorkerSettings(
        objective=prepared.goal.leading,
        checkpoint_folder=str((folder / CHECKPOINTS).resolve()),
        checkpoint_seconds=run.checkpoint_seconds,
        threads=run.threads,
        device=device,
        pack=0 if measured else pack_size(prepared.config),
        backend=run.backend,
        interval=prepared.config.finalists.interval,
        sweep_uid=uid,
        asked=prepared.asked,
    )


def check_device(config: SweepConfig, device: str) -> None:
    """Check that the backend that the file names runs on the workers' device.

    Raises:
        ConfigProblem: it does not.
    """
    if config.run.backend == "graph" and device == "cpu":
        raise ConfigProblem(
            "run.backend=graph captures CUDA graphs, so it needs run.device cuda, but got cpu; "
            "set run.backend to auto, or name a cluster with GPUs."
        )


def worker_count(config: SweepConfig, room: int | None = None) -> int:
    """Return how many workers there shall be.

    Args:
        room: How many fit on the cluster; None on this machine, where `auto` leaves one core of
            three or more to the rest.
    """
    wanted, most = config.run.workers, config.cluster.max_workers
    if wanted != "auto":
        count = int(wanted)
    elif room is not None:
        count = most or max(room, 1)  # so many are asked for: an autoscaler makes room for them
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        cores = max(1, (cores or 1) // config.run.threads)
        count = max(cores - 1, min(cores, 2))
    return min(count, most or count, config.budget.trials)


def _check_fit(prepared: Prepared) -> None:
    """Draw examples, so that what can't train on these data is refused before it is tried."""
    for seed in range(EXAMPLES):
        train = prepared.train_config(0, prepared.space.sample(seed))
        try:
            folds = prepared.choices.folds_of(train.data_choice)
            for own, data in zip(fold_configs(train, folds), folds.values(), strict=True):
                check_structure(own.structure(), data)
        except ConfigError as error:
            raise ConfigProblem(
                f"every configuration of the space must fit data.source "
                f"{prepared.config.data.source}, but: {error}"
            ) from error
        _check_metrics(prepared, train)
    if all(o.metric == "parameters" for o in prepared.goal.objectives):
        raise ConfigProblem(
            "objectives need at least one validation metric, but got `parameters` alone."
        )
    for metric in prepared.asked.own:
        try:
            metric.try_on(prepared.data)
        except ConfigError as error:
            raise ConfigProblem(f"metrics: {error}") from error
    _check_comparable(prepared)


def _asked(config: SweepConfig, goal: Goal, own: tuple[OwnMetric, ...]) -> Asked:
    judged = [o.metric for o in goal.objectives] + [c.metric for c in goal.constraints]
    listed = [metric_name(text) for text in config.metrics]
    names = dict.fromkeys(name for name in (*judged, *listed) if name != "parameters")
    return Asked(tuple(names), own, config.finalists.interval)


def _check_metrics(prepared: Prepared, train: TrainConfig) -> None:
    """Refuse what these data or this loss can't have, by the key that asks for it."""
    data, listed = prepared.data_of(train), map(metric_name, prepared.config.metrics)
    named = [("search.objectives metric", o.metric) for o in prepared.goal.objectives]
    named += [("search.constraints metric", c.metric) for c in prepared.goal.constraints]
    for key, name in (*named, *(("metrics", name) for name in listed)):
        if name == "parameters" and key != "metrics":
            continue
        try:
            find_metric(name, data, train.loss, prepared.asked)
        except ConfigError as error:
            raise ConfigProblem(f"{key} {name!r} can't be measured here: {error}") from error
        why = undefined(name, data, train.loss, prepared.asked)
        if why is not None:
            raise ConfigProblem(f"{key} {name!r} can't be measured here: it needs {why}.")


def _check_comparable(prepared: Prepared) -> None:
    """Refuse to compare losses, which are in scaled units and weighed, where choices differ so."""
    if prepared.choices.have_one_loss:
        return
    judged = [("objectives", objective.metric) for objective in prepared.goal.objectives]
    judged += [("constraints", constraint.metric) for constraint in prepared.goal.constraints]
    for place, metric in judged:
        if metric in METRICS and METRICS[metric].unit == "loss":
            drawn = " or ".join(f"data.{name}" for name in prepared.dimensions.values)
            raise ConfigProblem(
                f"search.{place} metric {metric} can't compare trials whose targets are scaled or "
                f"weighed differently, as {drawn} does; take one in own units, as rmse or "
                "cross_entropy."
            )
