"""`train.first_weights`: another model's weights, found once, kept in the sweep's folder.

The log names the file, and the file's name its content, so that a sweep that goes on does so with
the same weights, whatever the model's name stands for by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sweep.errors import ConfigMismatch, ConfigProblem, UserError
from sweep.log.kinds import Opened
from sweep.running.first_weights import FirstWeights
from sweep.running.journal import Journal
from sweep.running.preparation import Prepared
from sweep.search.space import EXAMPLES
from trainers.errors import CheckpointError, ConfigError

WeightsOf = Callable[[str], bytes]
"""Takes what `train.first_weights` says, returns safetensors (`sweep.models.first_weights`)."""


def with_first_weights(
    prepared: Prepared, folder: Path, journal: Journal | None, find: WeightsOf | None
) -> Prepared:
    """Find a sweep's first weights, where its file names some, and check that they fit.

    Raises:
        ConfigProblem: the space draws what they don't fit.
        ConfigMismatch: the sweep began with others, and its own are gone.
        UserError: there is no such model.
    """
    spec = prepared.config.train.get("first_weights")
    if spec is None:
        return prepared
    recorded = None if journal is None else _recorded(journal)
    first = _kept(folder, recorded)
    if first is None:
        if find is None:
            raise UserError(f"train.first_weights={spec} can't be looked for here.")
        try:
            first = FirstWeights.of(find(spec))
        except CheckpointError as error:
            raise ConfigProblem(f"train.first_weights: {error}") from error
        if recorded is not None and first.name != recorded:
            raise ConfigMismatch(
                f"a resumed sweep needs the first weights that it began with ({recorded}), but "
                f"{spec} has others now; restore that file in {folder}, or give this sweep another "
                "--name."
            )
    found = replace(prepared, first=first)
    for seed in range(EXAMPLES):
        try:
            found.train_config(0, found.space.sample(seed))
        except ConfigError as error:
            raise ConfigProblem(str(error)) from error
    return found


def write_first_weights(prepared: Prepared, folder: Path) -> None:
    """Write the file into the sweep's folder, unless it is there."""
    first = prepared.first
    if first is not None and not (folder / first.name).is_file():
        from trainers.learning.checkpoint import write_atomically

        write_atomically(first.content, folder / first.name)


def _recorded(journal: Journal) -> str | None:
    opened = (event.what for event in journal.log.read() if isinstance(event.what, Opened))
    first = next(opened, None)
    return None if first is None else first.first_weights


def _kept(folder: Path, recorded: str | None) -> FirstWeights | None:
    """Return what lies in the sweep's folder; None where the file is gone or damaged."""
    if recorded is None or not (folder / recorded).is_file():
        return None
    first = FirstWeights.of((folder / recorded).read_bytes())
    return first if first.name == recorded else None
