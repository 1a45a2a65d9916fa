"""One recurrent layer over a segment: picks the fastest backend that is exact for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from trainers.config.cells import CELLS
from trainers.errors import ConfigError
from trainers.network.backends import manual, native, scan, stepwise, together
from trainers.network.backends.contract import LayerRun, Run
from trainers.network.cells.interface import State

Backend = Literal["native", "manual", "scan", "stepwise", "together"]
# What a pack runs on: `graph` captures its steps, `eager` is the same program without a capture.
Wanted = Literal["auto", "native", "manual", "stepwise", "graph", "eager"]

_RUNS: dict[Backend, Run] = {
    "native": native.run,
    "manual": manual.run,
    "scan": scan.run,
    "stepwise": stepwise.run,
    "together": together.run,
}
_APPLIES: dict[Backend, Callable[[str, int, str], bool]] = {
    "native": native.applies_to,
    "manual": manual.applies_to,
    "scan": scan.applies_to,
    "stepwise": stepwise.applies_to,
    "together": together.applies_to,
}


def choose_backend(wanted: Wanted, cell: str, trials: int, device: str) -> Backend:
    """Return the backend for a layer; pure.

    Raises:
        ConfigError: `wanted` is not exact for this layer, or not for this device.
    """
    if wanted == "graph" and not device.startswith("cuda"):
        raise ConfigError(
            f"backend graph captures CUDA graphs, but got device={device!r}; choose auto, or "
            "stepwise for the same program without a capture."
        )
    fastest_first: tuple[Backend, ...] = ("manual", "native", "scan", "stepwise")
    if wanted == "graph" or wanted == "eager":
        fastest_first = ("together", "scan", "stepwise")
    if wanted == "auto" or wanted == "graph" or wanted == "eager":
        return next(name for name in fastest_first if _APPLIES[name](cell, trials, device))
    if not _APPLIES[wanted](cell, trials, device):
        fitting = [name for name in CELLS if _APPLIES[wanted](name, 1, "cpu")]
        raise ConfigError(
            f"backend {wanted} runs one trial of {', '.join(fitting)}"
            f"{' on cpu' if wanted == 'manual' else ''}, but got cell={cell!r} with {trials} "
            f"trials on {device}; choose auto or stepwise."
        )
    return wanted


def run_layer(backend: Backend, layer: LayerRun) -> tuple[Tensor, State]:
    """Run one layer forwards; see `trainers.network.backends.contract`.

    Noise inside the recurrence (recurrent dropout, zoneout) runs stepwise, but in a scan.
    """
    return _RUNS[backend if layer.noise is None or backend == "scan" else "stepwise"](layer)
