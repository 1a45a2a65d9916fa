"""A trial's weights as a model, with what its sweep keeps beside its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.log.checkpoints import attempt_of
from sweep.log.finalists import calibration_file, kept_place

if TYPE_CHECKING:
    from trainers.use.portable import PortableModel


def model_of_trial(
    checkpoint: Path, folder: Path, about: Mapping[str, Any] | None = None
) -> PortableModel:
    """Return a trial's best weights as a model, calibrated where it was a finalist.

    Args:
        checkpoint: The trial's.
        folder: Its sweep's.
        about: What is said of its origin.

    Raises:
        CheckpointError: a file is damaged, or of other data.
        DataError: the folder does not say how its data are read.
    """
    from trainers.use.intervals import Calibration
    from trainers.use.portable import PortableModel

    calibration, written = None, attempt_of(checkpoint.name)
    if written is not None:
        path = calibration_file(kept_place(folder, written[0]))
        calibration = Calibration.read(path) if path.is_file() else None
    return PortableModel.of_trial(checkpoint, folder, about, calibration)
