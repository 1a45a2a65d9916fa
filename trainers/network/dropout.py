"""Dropout from a counter-based generator.

A mask is an integer hash of (trial seed, segment counter, site, row, time, feature): no state to
carry, so it does not depend on the pack, the slot, the device or a restart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.masks import Array
from trainers.network.sites import TEACHER, Site, recurrent, zoneout

_WORD = 0xFFFFFFFF
_LONG = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True)
class DropoutKey:
    """What the draws of one trial in one segment depend on, and how much it drops where.

    Attributes:
        config: The trial's.
        segment: Segments done since the trial began; None in evaluation, which drops nothing and
            feels zoneout by its expectation.
        epoch: Epochs done since then, by which teacher forcing decays.
    """

    config: TrainConfig
    segment: int | None
    epoch: int = 0

    def rate(self, site: Site) -> float:
        """Return the rate at a site."""
        if self.segment is None and not site.setting.startswith("zoneout"):
            return 0.0
        if site == TEACHER:
            return self.config.teacher_forcing * self.config.teacher_forcing_decay**self.epoch
        value = getattr(self.config, site.setting)
        return float(value[site.gap] if isinstance(value, tuple) else value)


def evaluation_keys(*configs: TrainConfig) -> list[DropoutKey] | None:
    """Return what evaluation of trials needs to know of their dropout: None without zoneout."""
    felt = any(config.zoneout_hidden or config.zoneout_cell for config in configs)
    return [DropoutKey(config, None) for config in configs] if felt else None


@dataclass(frozen=True)
class RecurrentNoise:
    """What disturbs the recurrence of one layer in one direction.

    Attributes:
        hidden: `(trials, batch, hidden)` factors of h on its way into the gates, or None.
        keep: Per part of the state, how much of the old value stays: `(trials, batch, time,
            hidden)` of 0 and 1, or the rates `(trials, 1, 1, 1)` for the expectation; or None.
    """

    hidden: Tensor | None
    keep: tuple[Tensor | None, ...]

    def keep_by_step(self, time_steps: int) -> tuple[Sequence[Tensor] | None, ...]:
        """Return `keep`, each as a sequence over time."""
        return tuple(
            None if k is None else k.expand(-1, -1, time_steps, -1).unbind(2) for k in self.keep
        )


def locked_mask(keys: Sequence[DropoutKey], site: Site, batch: int, like: Tensor) -> Tensor | None:
    """Draw one mask for all steps of a segment (Gal & Ghahramani 2016).

    It is scaled so that the expectation stays (inverted dropout).

    Args:
        keys: One per trial.
        site: Where.
        batch: Rows.
        like: `(…, features)`, for size, dtype and device.

    Returns:
        `(trials, batch, features)` of 0 and 1 / (1 − rate), or None when nothing is dropped.
    """
    return _scaled(keys, site, (batch, like.shape[-1]), like)


class Counted(NamedTuple):
    """How draws that are new at each step are counted.

    Attributes:
        offset: Steps of the same segment that ran before; `(trials,)` where trials differ.
        rows: `(trials,)` rows of each trial without the padding of others; None: all of them.
    """

    offset: int | Tensor = 0
    rows: Tensor | None = None


_FROM_THE_FIRST = Counted()


def step_mask(
    keys: Sequence[DropoutKey], site: Site, like: Tensor, counted: Counted = _FROM_THE_FIRST
) -> Tensor | None:
    """Draw a mask for each step of `like (trials, batch, time, features)`; its shape, or None."""
    _, batch, time_steps, features = like.shape
    mask = _scaled(keys, site, (time_steps, batch, features), like, counted)
    return None if mask is None else mask.transpose(1, 2)


def happens(
    keys: Sequence[DropoutKey], site: Site, shape: tuple[int, ...], like: Tensor, counted: Counted
) -> Tensor | None:
    """Draw bools `(trials, *shape)`, each True with its trial's rate; None where all are 0.

    `shape` is `(time, batch, features)`, `like` says where they lie.
    """
    columns = _columns(keys, site, like)
    return None if columns is None else _drawn(columns, shape, counted)


def recurrent_noise(
    keys: Sequence[DropoutKey] | None,
    place: tuple[int, int],
    state: Sequence[Tensor],
    time_steps: int,
    counted: Counted = _FROM_THE_FIRST,
) -> RecurrentNoise | None:
    """Draw recurrent dropout and zoneout of one layer in one direction.

    Args:
        keys: One per trial; None for neither.
        place: Layer and direction.
        state: The state's parts, each `(trials, batch, hidden)`.
        time_steps: Of the segment.
        counted: How zoneout's draws are counted.

    Returns:
        The noise, or None where there is none.
    """
    if keys is None:
        return None
    hidden = locked_mask(keys, recurrent(*place), state[0].shape[1], state[0])
    keep = tuple(
        _kept(keys, site, part, time_steps, counted)
        for site, part in zip(zoneout(*place), state, strict=False)
    )
    if hidden is None and all(part is None for part in keep):
        return None
    return RecurrentNoise(hidden, keep)


def _kept(
    keys: Sequence[DropoutKey], site: Site, part: Tensor, time_steps: int, counted: Counted
) -> Tensor | None:
    columns = _columns(keys, site, part)
    if columns is None:
        return None
    if keys[0].segment is None:
        return columns.rates.reshape(-1, 1, 1, 1)
    drawn = _drawn(columns, (time_steps, *part.shape[1:]), counted)
    return drawn.to(part.dtype).transpose(1, 2)


def _scaled(
    keys: Sequence[DropoutKey],
    site: Site,
    shape: tuple[int, ...],
    like: Tensor,
    counted: Counted = _FROM_THE_FIRST,
) -> Tensor | None:
    columns = _columns(keys, site, like)
    if columns is None:
        return None
    kept = _drawn(columns, shape, counted).logical_not_().to(like.dtype)
    return kept.mul_(columns.scale.reshape(-1, *[1] * len(shape)))


class Columns(NamedTuple):
    """What the draws of one site take from each trial, all `(trials,)`.

    Attributes:
        low: Lower 32 bits of the trial's word.
        high: Its upper 32 bits.
        drop_below: A draw below it drops.
        rates: The rates themselves.
        scale: 1 / (1 − rate).
    """

    low: Tensor
    high: Tensor
    drop_below: Tensor
    rates: Tensor
    scale: Tensor


class DrawnKeys(Sequence[DropoutKey]):
    """Dropout keys whose columns lie on a device already: what a captured program reads."""

    def __init__(self, keys: Sequence[DropoutKey], columns: Mapping[Site, Columns]) -> None:
        self._keys, self._columns = keys, columns

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> DropoutKey: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[DropoutKey]: ...

    def __getitem__(self, index: int | slice) -> DropoutKey | Sequence[DropoutKey]:
        return self._keys[index]

    def columns(self, site: Site) -> Columns | None:
        """Return a site's columns; None where no trial drops anything."""
        return self._columns.get(site)


def word(key: DropoutKey, site: Site) -> tuple[int, int]:
    """Return the lower and upper half of what a trial draws from at a site."""
    return _split(_mix(_mix(_mix(key.config.seed) ^ (key.segment or 0)) ^ site.number))


def words(keys: Sequence[DropoutKey], sites: Sequence[Site]) -> tuple[Array, Array]:
    """Return `word` of several trials at several sites: halves `(trials, sites)`."""
    seeds = np.array([_mix(key.config.seed) for key in keys], dtype=np.uint64)
    segments = np.array([key.segment or 0 for key in keys], dtype=np.uint64)
    numbers = np.array([site.number for site in sites], dtype=np.uint64)
    mixed = _mix_all(_mix_all(seeds ^ segments)[:, None] ^ numbers)
    return (mixed & np.uint64(_WORD)).astype(np.int64), (mixed >> np.uint64(32)).astype(np.int64)


def scale_of(rate: float) -> float:
    """Return 1 / (1 − rate), what the rest is multiplied by; 1 where nothing is left."""
    return 1 / (1 - rate) if rate < 1 else 1.0


def drop_below(rate: float) -> int:
    """Return what a draw of 32 bits lies below with probability `rate`."""
    return round(rate * (_WORD + 1))


def drops(keys: Sequence[DropoutKey], site: Site) -> bool:
    """Return whether any trial drops something at a site."""
    if isinstance(keys, DrawnKeys):
        return keys.columns(site) is not None
    return any(key.rate(site) for key in keys)


def _columns(keys: Sequence[DropoutKey], site: Site, like: Tensor) -> Columns | None:
    if isinstance(keys, DrawnKeys):
        return keys.columns(site)
    if not drops(keys, site):
        return None
    words, rates = [word(key, site) for key in keys], [key.rate(site) for key in keys]
    low, high, below = torch.tensor(
        [[w[0] for w in words], [w[1] for w in words], [drop_below(r) for r in rates]],
        device=like.device,
    )
    numbers = [rates, [scale_of(r) for r in rates]]
    return Columns(low, high, below, *torch.tensor(numbers, dtype=like.dtype, device=like.device))


def _drawn(columns: Columns, shape: tuple[int, ...], counted: Counted) -> Tensor:
    """Return `(trials, *shape)` bool, each True with its trial's probability."""
    place = _places(shape, counted, columns.low.device)
    draws = _hash32(_hash32(place ^ columns.low.unsqueeze(1)) ^ columns.high.unsqueeze(1))
    return (draws < columns.drop_below.unsqueeze(1)).reshape(-1, *shape)


def _places(shape: tuple[int, ...], counted: Counted, device: torch.device) -> Tensor:
    """Return the numbers of the draws, `(count,)` or `(trials, count)`: each trial as if alone."""
    offset, rows = counted
    count = math.prod(shape)
    if rows is None and isinstance(offset, int):
        return torch.arange(count, device=device) + offset * (count // max(shape[0], 1))
    time_steps, batch, features = shape
    steps = torch.arange(time_steps, device=device)
    if isinstance(offset, Tensor):
        steps = steps + offset.unsqueeze(1)  # (trials, time)
    else:
        steps = (steps + offset).unsqueeze(0)
    per_step = batch if rows is None else rows.reshape(-1, 1, 1)
    row = steps.unsqueeze(-1) * per_step + torch.arange(batch, device=device)
    places = row.unsqueeze(-1) * features + torch.arange(features, device=device)
    return places.flatten(1)


def _hash32(x: Tensor) -> Tensor:
    """Wellons' lowbias32 finaliser on int64 that hold 32 bits (the product's overflow is cut)."""
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & _WORD
    x ^= x >> 15
    x = (x * 0x846CA68B) & _WORD
    return x ^ (x >> 16)


def _mix(x: int) -> int:
    """SplitMix64's finaliser (Steele et al. 2014)."""
    x = (x + 0x9E3779B97F4A7C15) & _LONG
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _LONG
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _LONG
    return x ^ (x >> 31)


def _mix_all(x: Array) -> Array:
    """Mix arrays of unsigned 64 bits as `_mix` does; their products wrap around."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def _split(x: int) -> tuple[int, int]:
    return x & _WORD, x >> 32
