"""Which stepper a pack takes."""

from __future__ import annotations

from typing import Literal, NamedTuple

from trainers.config.train_config import Structure
from trainers.learning.batches import Part
from trainers.learning.buffers import Buffers
from trainers.learning.lanes import StreamPart
from trainers.network.model import Model
from trainers.network.recurrence import Backend, Wanted, choose_backend
from trainers.packs.alone import Alone
from trainers.packs.device_part import fits_device
from trainers.packs.parts import Parts
from trainers.packs.resident import Resident
from trainers.packs.stacked import Stacked
from trainers.packs.stepper import Stepper

StepperName = Literal["alone", "stacked", "resident", "captured"]


class Selection(NamedTuple):
    """How trials of a pack are trained.

    Attributes:
        stepper: `captured` is `resident` as a CUDA graph.
        backend: What runs a recurrent layer.
    """

    stepper: StepperName
    backend: Backend


def select_stepper(
    wanted: Wanted, structure: Structure, part: Part | StreamPart, device: str, slots: int
) -> Selection:
    """Return how a pack of `slots` trains on a part; pure.

    What was asked to lie on the device and can't is stacked on the host.

    Raises:
        ConfigError: `wanted` is not exact for the cell, or not for the device.
    """
    backend = choose_backend(wanted, structure.cell, 1, device)
    if wanted in ("graph", "eager") and fits_device(structure, part):
        return Selection("captured" if wanted == "graph" else "resident", backend)
    together = wanted in ("graph", "eager", "stepwise") and slots > 1
    return Selection("stacked" if together else "alone", backend)


def make_stepper(name: StepperName, model: Model, buffers: Buffers, parts: Parts) -> Stepper:
    """Make what was selected.

    Args:
        name: Which.
        model: What the trials have in common.
        buffers: The pack's rows.
        parts: What they learn from.
    """
    if name == "alone":
        return Alone(model, parts)
    if name == "stacked":
        return Stacked(model, buffers, parts)
    return Resident(model, buffers, parts, capture=name == "captured")
