"""How long a window should be: as long as the season that the target's autocorrelation shows."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array

SHORTEST, USUAL, LONGEST = 8, 24, 168
_ROWS = 1 << 16
_SHARE = 10  # a window is at most one tenth of the training rows
_STRONG = 0.3  # autocorrelation of a season's peak
_ABOVE_VALLEY = 0.1
_NEARLY = 0.03
_HOUR, _DAY = 3_600e9, 86_400e9


def window_length(values: Array, step_ns: float | None = None, rows: int | None = None) -> int:
    """Return a sensible number of rows of a window.

    That is the first strong peak of the target's autocorrelation; otherwise as far as the target
    resembles itself, or what is usual for the step.

    Args:
        values: The target in order, `(rows,)`, NaN where missing; of one series.
        step_ns: The usual step, where there are times.
        rows: Rows of training, or of a usual series; None: those of `values`.
    """
    most = max(1, min(LONGEST, (len(values) if rows is None else rows) // _SHARE))
    found = autocorrelation(values, 2 * LONGEST)
    season = _near_calendar(_season(found), step_ns)
    if season is None or season > most:
        season = _usual(found, step_ns)
    if season < SHORTEST:
        season *= -(-SHORTEST // season)  # whole seasons
    return int(min(season, most))


def autocorrelation(values: Array, lags: int) -> Array:
    """Autocorrelation of the newest rows at lags 0, 1, …, `(lags + 1,)` or fewer, by FFT.

    A trend is taken off first: with it everything resembles itself. Missing values count as
    the mean. Empty where nothing varies.
    """
    recent = np.asarray(values[-_ROWS:], dtype=np.float64)
    present = np.isfinite(recent)
    if present.sum() < 8:
        return np.empty(0)
    places = np.arange(len(recent))
    slope, level = np.polyfit(places[present], recent[present], 1)
    flat = np.where(present, recent - slope * places - level, 0.0)
    size = 1 << (2 * len(flat) - 1).bit_length()
    power = np.abs(np.fft.rfft(flat, size)) ** 2
    whole = np.fft.irfft(power, size)[: min(lags, len(flat) // 2) + 1]
    varied = np.ptp(recent[present]) > 0 and whole[0] > 0
    return np.asarray(whole / whole[0]) if varied else np.empty(0)


def _season(found: Array) -> int | None:
    """The lag of the first peak that is high and stands clear of the valley before it."""
    inner = found[1:-1]
    peaks = 1 + np.flatnonzero((inner > found[:-2]) & (inner >= found[2:]))
    # Noise makes small peaks on the way down; a season's is the highest of its surroundings.
    for lag in peaks[found[peaks] > _STRONG] if len(peaks) else ():
        around = found[max(1, lag - lag // 2) : lag + lag // 2 + 1]
        if found[lag] >= around.max() and found[lag] - found[1:lag].min(initial=1) > _ABOVE_VALLEY:
            return int(lag)
    return None


def _near_calendar(season: int | None, step_ns: float | None) -> int | None:
    """The day or week that a season of noisy values is nearly as long as."""
    if season is None or not step_ns:
        return season
    lengths = [round(length / step_ns) for length in (_DAY, 7 * _DAY)]
    return next((own for own in lengths if abs(season - own) <= _NEARLY * own), season)


def _usual(found: Array, step_ns: float | None) -> int:
    """Rows in which the target still resembles itself, at least what the step suggests."""
    by_step = _by_step(step_ns)
    alike = np.flatnonzero(found < _STRONG / 2)
    reach = int(alike[0]) if len(alike) else by_step
    return int(np.clip(reach, by_step, 2 * by_step))


def _by_step(step_ns: float | None) -> int:
    """A day of hours, six hours of shorter steps, two weeks of days, two years of months."""
    if step_ns is None or step_ns <= 0:
        return USUAL
    if step_ns < _HOUR:
        return int(np.clip(6 * _HOUR / step_ns, USUAL, 72))
    if step_ns < _DAY:
        return int(np.clip(2 * _DAY / step_ns, 12, 48) if step_ns > _HOUR else USUAL)
    return 14 if step_ns < 7 * _DAY else 12 if step_ns < 27 * _DAY else USUAL
