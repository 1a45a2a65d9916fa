"""The command line's main verb in Python: run a sweep, get its trials as a DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.config.sweep_config import SweepConfig, load_config, validate
from sweep.results.results import DEFAULT_FOLDER
from sweep.results.rows import load_results
from sweep.running.progress import Progress

if TYPE_CHECKING:
    import pandas as pd


def run_sweep(
    spec: str | Path | Mapping[str, Any] | SweepConfig,
    *,
    overrides: Sequence[str] = (),
    directory: str | Path = DEFAULT_FOLDER,
    progress: Callable[[Progress], None] | None = None,
) -> pd.DataFrame:
    """Run a sweep, or go on with one that was interrupted; return its trials.

    Args:
        spec: A sweep file's path, a preset's name, the file's content as a mapping, or a
            configuration made by `sweep.config.sections`.
        overrides: Texts `a.b=value`, as `--set` takes them; for a path or a preset only.
        directory: The folder that holds all sweeps, as `--dir`.
        progress: Called a few times a second while the sweep runs.

    Returns:
        One row a trial, as `load_results` gives it.

    Raises:
        UserError, DataError, SpaceError: the sweep can't be run as it is written.
    """
    from sweep.models.first_weights import weights_of
    from sweep.running.session import run_sweep as run_session

    if isinstance(spec, Mapping):
        config = validate(spec)
    elif isinstance(spec, SweepConfig):
        config = spec
    else:
        config = load_config(spec, overrides)
    find = partial(weights_of, directory=Path(directory))
    outcome = run_session(config, Path(directory), progress, weights_of=find)
    return load_results(outcome.folder)
