"""`rnn-sweep refit`: a finalist's settings, trained again on train and validation, or on new data.

The trial's best epoch count is trained, without early stopping, since nothing is left to stop by;
the test part is judged once, at the end, and never trained on. Rows in time are divided anew, with
scales, vocabularies and categories of both parts; of other data those of the training part stay.
The model lies under `refits/` in the sweep's folder, by what it was made of: the same command goes
on where one that was ended has left off, and finds what is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.config.data_limit import limit_of
from sweep.config.file import apply_overrides
from sweep.config.paths import resolve_paths
from sweep.config.sweep_config import SweepConfig, validate
from sweep.errors import UserError
from sweep.history.state import TrialState
from sweep.models.trained import checkpointed_trial
from sweep.results.results import Results
from sweep.running.preparation import Prepared, prepare, prepare_again
from sweep.search.seeds import ask_seed
from trainers.config.folds import config_on
from trainers.config.train_config import TrainConfig
from trainers.data import load_folds
from trainers.data.common_targets import difference, taken
from trainers.data.folds import Folds
from trainers.data.refitting import joined
from trainers.data.series.reading import WindowReading
from trainers.errors import DataError

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData
    from trainers.packs.pack import Pack
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.portable import PortableModel

REFITS = "refits"
Tell = Callable[[str], object]
_KEY_CHARACTERS = 12


@dataclass(frozen=True)
class Wanted:
    """What to refit.

    Attributes:
        number: The trial; None for the best.
        overrides: `data.KEY=value` texts: other data. None: the sweep's own.
        seeds: How many networks; the model is their mean where there are several.
    """

    number: int | None = None
    overrides: tuple[str, ...] = ()
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UserError(f"`--seeds >= 1` must hold, but got {self.seeds}.")
        for text in self.overrides:
            if not text.strip().startswith("data."):
                raise UserError(
                    f"a refit keeps the trial's settings and takes other data only, so --set must "
                    f"begin with data., but got {text!r}."
                )


@dataclass(frozen=True)
class Refitted:
    """A model that was trained again.

    Attributes:
        folder: Where it lies.
        trial: Whose settings it has.
        key: What it was made of, as a short digest.
        epochs: How long it was trained.
        digest: Of the data that it was tested on: the sweep's own where its test part is theirs.
        test: Metrics on the test part; empty where there is none.
        notes: What a person should know.
        model: The model.
    """

    folder: Path
    trial: TrialState
    key: str
    epochs: int
    digest: str
    test: dict[str, float]
    notes: tuple[str, ...]
    model: PortableModel | EnsembleModel = field(repr=False)


@dataclass(frozen=True)
class _Task:
    """What is trained, and on what."""

    prepared: Prepared
    data: SequenceData
    config: TrainConfig
    epochs: int
    digest: str
    notes: tuple[str, ...]
    first_weights: Path | None


def refit(found: Results, wanted: Wanted, tell: Tell = lambda line: None) -> Refitted:
    """Train a finalist's settings again; see the module.

    Args:
        found: The sweep.
        wanted: Which trial, on which data.
        tell: Called with a line on what is done now.

    Raises:
        UserError: there is no such trial or no checkpoint of it, the data have changed, or the
            training diverged.
        DataError: the data can't be read, or don't fit the trial's network.
        ConfigError: the trial's settings don't fit the data.
    """
    import torch

    trial, checkpoint = checkpointed_trial(found, wanted.number)
    if not trial.best_epoch:
        raise UserError(f"a refit needs a best epoch, but trial {trial.number} has none.")
    tell("reading the data …")
    task = _task(found, wanted, trial, checkpoint)
    torch.set_num_threads(task.prepared.config.run.threads)
    configs = [task.config] + [
        replace(task.config, seed=ask_seed(task.config.seed, number, "refit"))
        for number in range(1, wanted.seeds)
    ]
    key = _key(configs, task)
    folder = found.folder / REFITS / f"{trial.number}-{key}"
    packs = [_trained(task, config, folder, tell) for config in configs]
    test = _tested(packs, task)
    made = Refitted(
        folder, trial, key, task.epochs, task.digest, test, task.notes, _model(packs, task)
    )
    _write(made, found)
    return made


def _task(found: Results, wanted: Wanted, trial: TrialState, checkpoint: Path) -> _Task:
    from trainers.learning.checkpoint import read_checkpoint

    opened = found.state.first_opened
    if opened is None:
        raise UserError(f"sweep {found.config.name!r} has not begun; run it first.")
    config = read_checkpoint(checkpoint, tensors=False).config
    own = prepare_again(found.config, opened, "a refit") if not wanted.overrides else None
    prepared = own or prepare(_with_data(found.config, wanted.overrides))
    known = prepared.data_of(config)
    data, notes = _data(prepared, known, trial)
    if config.lr_decay == "plateau":
        notes = (*notes, "lr_decay=plateau: without a validation part the rate is not reduced")
    digest = opened.data.digest if own is not None and _same_test(known, data) else data.digest
    if own is not None and digest != opened.data.digest and data.test is not None:
        notes = (*notes, "its test part is not the sweep's: the two test figures don't compare")
    named = config.first_weights
    given = None if named is None else found.folder / named
    fitted = replace(config_on(config, known, data), patience=None)
    return _Task(prepared, data, fitted, trial.best_epoch, digest, notes, given)


def _with_data(config: SweepConfig, overrides: Sequence[str]) -> SweepConfig:
    values = config.model_dump(mode="json")
    apply_overrides(values, overrides)
    resolve_paths(values, Path.cwd())
    return validate(values)


def _data(
    prepared: Prepared, known: SequenceData, trial: TrialState
) -> tuple[SequenceData, tuple[str, ...]]:
    """Return the data with train and validation as one part, and what is to be said of that."""
    section, source = prepared.config.data, prepared.config.data.source
    of_rows = isinstance(known.reading, WindowReading) and known.train.origins is not None
    if of_rows and known.test is not None and ":" not in source:
        try:
            (data,) = load_folds(
                source,
                {**section.options, **prepared.dimensions.options(trial.params)},
                Folds(1, within="test"),
                base_dir=Path.cwd(),
                limit=limit_of(section.limit),
                accept=section.accept,
            )
        except DataError:  # parts by column, or files of their own: not to be divided in time
            return _joined(known)
        return _with_test_of(data, known), ("scales are fitted on train and validation",)
    return _joined(known)


def _joined(known: SequenceData) -> tuple[SequenceData, tuple[str, ...]]:
    said = "scales and vocabularies stay those of the training part: its parts can't be redivided"
    return joined(known), (said,)


def _with_test_of(data: SequenceData, known: SequenceData) -> SequenceData:
    """Leave out what the sweep's choices of data have not in common."""
    if data.test is None or known.test is None or known.test.origins is None:
        return data
    kept = np.isin(np.asarray(data.test.origins), np.asarray(known.test.origins))
    if kept.all() or not kept.any():
        return data
    return replace(data, test=taken(data.test, np.flatnonzero(kept)))


def _same_test(known: SequenceData, data: SequenceData) -> bool:
    """Whether two data sets' test parts are the same targets."""
    if known.test is None or data.test is None or len(known.test) != len(data.test):
        return False
    pair = [replace(one, train=one.test, validation=one.test) for one in (known, data) if one.test]
    return difference(pair[0], pair[1]) is None


def _key(configs: Sequence[TrainConfig], task: _Task) -> str:
    made_of = [task.data.digest, task.epochs, [config.to_dict() for config in configs]]
    text = json.dumps(made_of, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_CHARACTERS]


def _trained(task: _Task, config: TrainConfig, folder: Path, tell: Tell) -> Pack:
    """Train one network, or go on where it was; each epoch's weights are better than the last's."""
    from trainers.packs.pack import Pack

    leading = task.prepared.goal.leading
    asked = task.prepared.asked
    pack = Pack(config.structure(), task.data, leading, asked=asked, judges=False)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"seed-{config.seed}.safetensors"
    begun = kept if kept.is_file() else None
    pack.admit(0, config, begun, first_weights=None if begun else task.first_weights)
    for epoch in range(pack.epoch(0) + 1, task.epochs + 1):
        tell(f"seed {config.seed}, epoch {epoch} of {task.epochs}")
        report = pack.train(0)
        if report is None or report.outcome == "diverged":
            raise UserError(
                f"a refit must converge, but diverged in epoch {epoch}; take another --trial."
            )
        pack.judge(0, {leading.metric: -leading.sign * epoch})
        pack.save(0, kept)
    return pack


def _tested(packs: Sequence[Pack], task: _Task) -> dict[str, float]:
    """Return metrics on the test part; of several networks those of their mean."""
    from trainers.ensembles.judging import Judge, metrics_of
    from trainers.ensembles.predictions import Predictions, Spoken

    test = task.data.test
    if test is None:
        return {}
    if len(packs) == 1:
        return packs[0].evaluate_finalist(0, "test")
    spoken = [Spoken(pack.answers(0, "test"), test, task.data, pack.structure) for pack in packs]
    predictions = Predictions.of(spoken)
    judge = Judge(predictions, metrics_of(predictions, task.prepared.asked))
    return judge.metrics(np.ones(len(packs), dtype=np.int64))


def _model(packs: Sequence[Pack], task: _Task) -> PortableModel | EnsembleModel:
    from trainers.data.interface import Interface
    from trainers.use.ensemble import EnsembleModel
    from trainers.use.portable import PortableModel

    interface = Interface.of(task.data)
    models = [PortableModel(pack.checkpoint(0), interface) for pack in packs]
    return models[0] if len(models) == 1 else EnsembleModel(models, [1] * len(models))


def _write(made: Refitted, found: Results) -> None:
    """Write the model beside what it was trained from, its description last."""
    about: dict[str, Any] = {
        "sweep": found.config.name,
        "refit_of": f"{found.config.name}/{made.trial.number}",
        "epochs": made.epochs,
        "data_digest": made.digest,
        "test": made.test,
        "notes": list(made.notes),
    }
    made.model.write(made.folder, about)
