"""How many trials of a structure train together, and on which backend: measured, then chosen.

Short dry runs of one trial at a time and of packs of growing size are timed on the device.
The choice is a pure function of what was measured: the least time per trial and segment among the
ways that fit into memory. A way that was measured to be slower than another is never taken, so
trials run as one program only where that pays.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from trainers.config.cells import CELLS
from trainers.config.measured import NOTHING, Asked
from trainers.config.objective import Objective
from trainers.config.train_config import Structure, TrainConfig
from trainers.data.contract import SequenceData
from trainers.errors import OutOfMemory
from trainers.learning.lanes import part_of
from trainers.network.recurrence import Wanted
from trainers.packs.device_part import fits_device
from trainers.packs.memory import free_bytes, pack_bytes
from trainers.packs.pack import Pack

_SIZES = {"cpu": (4, 16, 32), "cuda": (4, 16, 64, 256, 1024)}
_SHARE_OF_MEMORY = 0.8
_WARM_UP_ROUNDS, _SECONDS_A_WAY = 2, 0.5
_WORTH_GROWING = 0.95  # a size that saves less per trial ends the search for a larger one


class Measured(NamedTuple):
    """One way to train a structure, as it was measured.

    Attributes:
        backend: As `Pack` takes it.
        slots: K; 1 is one trial at a time.
        seconds: Per trial and segment.
        memory_bytes: Of the whole pack.
    """

    backend: Wanted
    slots: int
    seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class PackChoice:
    """What `choose_pack` chose.

    Attributes:
        slots: K.
        backend: As `Pack` takes it.
        reason: One line for people.
        measured: What the choice was made from; empty where nothing was measured.
    """

    slots: int
    backend: Wanted
    reason: str
    measured: tuple[Measured, ...] = ()


DryRun = Callable[[Wanted, int], Measured]


def choose_pack(
    structure: Structure,
    data: SequenceData,
    objective: Objective,
    device: str = "cpu",
    most_slots: int = 256,
    *,
    measure: bool | None = None,
    dry_run: DryRun | None = None,
    free: int | None = None,
    asked: Asked = NOTHING,
) -> PackChoice:
    """Choose how many trials of a structure train together on a device, and how.

    Args:
        structure: What the trials have in common.
        data: What they learn from.
        objective: Which validation metric decides.
        device: `cpu` or a torch device.
        most_slots: Upper limit of K.
        measure: Whether to measure; None measures on GPUs only. On a CPU one by one is bit-equal
            to the trial alone.
        dry_run: Measures one way; a real, short run by default.
        free: Bytes that may be used; asked from the device by default.
        asked: What is measured at each epoch beside the usual.
    """
    kind = torch.device(device).type
    if measure is None:
        measure = kind != "cpu"
    if structure.tbptt_random_lengths:
        return PackChoice(1, "auto", "one by one: segments of random length do not run together")
    if most_slots == 1 or not measure:
        why = "at most one slot was asked for" if most_slots == 1 else f"the default on a {kind}"
        return PackChoice(1, "auto", f"one by one: {why}")
    run = dry_run or _DryRun(structure, data, objective, device, asked)
    memory = free_bytes(device) if free is None else free
    backends: list[Wanted] = ["stepwise"]
    on_device = fits_device(structure, part_of(data, data.train, structure))
    if on_device or CELLS[structure.cell].linear:  # stacked, these still run as a scan
        backends.insert(0, "graph" if kind == "cuda" else "eager")
    sizes = [size for size in _SIZES.get(kind, _SIZES["cuda"]) if size <= most_slots]
    found = [run("auto", 1)]
    for backend in backends:
        found += _growing(run, backend, sizes, memory)
    return fastest(found, memory)


def fastest(found: Sequence[Measured], free: int) -> PackChoice:
    """Take the fastest way per trial that fits; the first is one by one. Pure."""
    alone = found[0]
    fitting = [way for way in found[1:] if way.memory_bytes <= _SHARE_OF_MEMORY * free]
    best = min([alone, *fitting], key=lambda way: (way.seconds, way.slots))
    if best is alone:
        reason = f"one by one: {_microseconds(alone)} per trial and segment"
        if len(found) > 1:
            rival = min(found[1:], key=lambda way: way.seconds)
            why = "" if rival in fitting else ", but do not fit into memory"
            reason += (
                f"; {rival.slots} at a time ({rival.backend}) took {_microseconds(rival)}{why}"
            )
    else:
        reason = (
            f"{best.slots} at a time ({best.backend}): {_microseconds(best)} per trial and "
            f"segment, {alone.seconds / best.seconds:.3g} times as fast as one by one "
            f"({_microseconds(alone)})"
        )
    return PackChoice(best.slots, best.backend, reason, tuple(found))


def _growing(run: DryRun, backend: Wanted, sizes: Sequence[int], free: int) -> Iterator[Measured]:
    """Measure larger and larger packs while they pay and fit."""
    last: Measured | None = None
    for size in sizes:
        if last is not None and _grown(last, size) > _SHARE_OF_MEMORY * free:
            return
        try:
            way = run(backend, size)
        except OutOfMemory:
            return
        yield way
        if last is not None and way.seconds > _WORTH_GROWING * last.seconds:
            return
        last = way


def _grown(last: Measured, size: int) -> float:
    return last.memory_bytes * size / last.slots


def _microseconds(way: Measured) -> str:
    return f"{way.seconds * 1e6:,.0f} µs"


class _DryRun:
    """Trains a pack of one structure for about half a second and forgets it."""

    def __init__(
        self,
        structure: Structure,
        data: SequenceData,
        objective: Objective,
        device: str,
        asked: Asked,
    ) -> None:
        self._structure, self._data, self._objective = structure, data, objective
        self._device, self._asked = device, asked
        self._cuda = torch.device(device).type == "cuda"

    def __call__(self, backend: Wanted, slots: int) -> Measured:
        if self._cuda:
            gc.collect()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
            before = torch.cuda.memory_reserved(self._device)
        pack = Pack(
            self._structure, self._data, self._objective,
            slots=slots, device=self._device, backend=backend, asked=self._asked,
        )  # fmt: skip
        config = config_of(self._structure)
        for slot in range(slots):
            pack.admit(slot, replace(config, seed=slot))
        everyone = list(range(slots))
        for _ in range(_WARM_UP_ROUNDS):
            pack.advance(everyone, 0.0)
        seconds = self._timed(pack, everyone)
        if self._cuda:
            used = torch.cuda.max_memory_reserved(self._device) - before
        else:
            used = pack_bytes(self._structure, self._data, slots, pack.row_bytes)
        return Measured(backend, slots, seconds, used)

    def _timed(self, pack: Pack, slots: list[int]) -> float:
        self._wait()
        before, began = pack.segments, time.perf_counter()
        while (left := _SECONDS_A_WAY - (time.perf_counter() - began)) > 0:
            pack.advance(slots, left)
        self._wait()
        return (time.perf_counter() - began) / max(pack.segments - before, 1)

    def _wait(self) -> None:
        if self._cuda:
            torch.cuda.synchronize(self._device)


def config_of(structure: Structure) -> TrainConfig:
    """Return a configuration of this structure that a dry run never ends."""
    return TrainConfig(**vars(structure), max_epochs=1_000_000)
