"""Ridge regression on a window's flattened inputs (Hoerl & Kennard 1970), by normal equations.

Rows are gathered block by block, so memory is that of the moments, (features, features).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.naive.forecast import NaiveForecast, NotPossible
from trainers.data.naive.places import Places, places_of, truth_at
from trainers.data.own_units import own_units

PENALTIES = tuple(10.0**power for power in range(-3, 7))
_MOST_FEATURES = 1_500
_MOST_PRODUCTS = 2e10  # multiplications of the moments: some seconds on one core
_BLOCK = 1 << 21


@dataclass(frozen=True)
class _Features:
    """What is read of a window: its last steps, and which of them exist where some don't.

    Attributes:
        steps: How many.
        columns: Which features, `(features,)`.
        masked: Whether steps may be absent.
    """

    steps: int
    columns: Array
    masked: bool

    @property
    def size(self) -> int:
        return self.steps * (len(self.columns) + self.masked)

    def of(self, part: SequenceSet, places: Places) -> Array:
        """Return `(targets, size)` float64; what is absent is 0.

        Windows end in one row, present or not; other sequences end where their target is.
        """
        last = np.full(len(places), part.time_steps - 1)
        at = (last if part.latest is not None else places.steps)[:, None] - self._back
        shown = at >= 0
        at = np.maximum(at, 0)
        windows = np.asarray(part.inputs[places.rows[:, None], at])[..., self.columns]
        if not self.masked:
            return windows.reshape(len(places), -1).astype(np.float64)
        if part.input_mask is not None:
            shown &= np.asarray(part.input_mask[places.rows[:, None], at])
        values = np.where(shown[..., None], windows, 0.0).reshape(len(places), -1)
        return np.concatenate([values, shown], axis=1, dtype=np.float64)

    @property
    def _back(self) -> Array:
        return np.arange(self.steps - 1, -1, -1)

    def rows_at_once(self) -> int:
        return max(1, _BLOCK // self.size)


@dataclass(frozen=True)
class _Moments:
    """Means and centred products of features and targets, over the training part."""

    rows: int
    feature_mean: Array
    target_mean: Array
    squares: Array  # (features, features)
    products: Array  # (features, outputs)


def ridge(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return ridge regression, its penalty the best on validation of a logarithmic grid.

    It answers in the network's units, undone for own ones, so series with scales of their own are
    told apart by them.

    Raises:
        NotPossible: inputs are token ids, each step has a target, or targets are too seldom whole.
    """
    if data.train.inputs.ndim == 2:
        raise NotPossible("inputs are token ids")
    if not one_target:
        raise NotPossible("each step has a target, with another length of past")
    features, cut = _features_of(data)
    whole, known = _whole(data.train, places_of(data.train, one_target=True))
    if len(whole) < max(2, known // 4):
        raise NotPossible("fewer than a quarter of the training windows have every target")
    used = whole.thinned(max(int(_MOST_PRODUCTS / features.size**2), features.size, 2))
    moments = _moments(data, features, used)
    weights = _weights(moments)
    errors = _validation_errors(data, features, moments, weights)
    best = int(np.argmin(errors))
    chosen = weights[best]

    def answer(part: SequenceSet, places: Places) -> Array:
        found = np.empty((len(places), data.output_size))
        done = 0
        for block in places.blocks(features.rows_at_once()):
            scaled = _answers(features.of(part, block), moments, chosen)
            by = None if part.rescale is None else np.asarray(part.rescale[block.rows])
            found[done : done + len(block)] = own_units(data, scaled, by)
            done += len(block)
        return found

    thinned = "" if len(used) == len(whole) else f"fitted on {len(used)} of {len(whole)} windows"
    note = "; ".join(part for part in (cut, thinned) if part)
    about = f"ridge regression on the window's inputs, penalty {PENALTIES[best]:g}"
    return NaiveForecast("ridge", about, answer, note)


def _features_of(data: SequenceData) -> tuple[_Features, str]:
    categories = [category.feature for category in data.categories]
    columns = np.setdiff1d(np.arange(data.input_size), categories)
    if not len(columns):
        raise NotPossible("no input is a number")
    masked = any(_has_gaps(part) for part in data.parts().values())
    steps = max(part.time_steps for part in data.parts().values())
    most = max(1, _MOST_FEATURES // (len(columns) + masked))
    cut = f"it reads the last {most} of {steps} steps" if steps > most else ""
    return _Features(min(steps, most), columns, masked), cut


def _has_gaps(part: SequenceSet) -> bool:
    """Return whether steps are absent, or sequences shorter than others."""
    if part.input_mask is None:
        return False
    rows = max(1, _BLOCK // part.time_steps)
    return not all(
        np.asarray(part.input_mask[start : start + rows]).all()
        for start in range(0, len(part), rows)
    )


def _whole(part: SequenceSet, places: Places) -> tuple[Places, int]:
    """Return the places whose outputs are all valid, and how many there were."""
    if part.target_mask is None or part.target_mask.ndim == 2:
        return places, len(places)
    mask = np.asarray(part.target_mask[places.rows, places.steps]).all(axis=1)
    return Places(places.rows[mask], places.steps[mask]), len(places)


def _blocks(
    data: SequenceData, features: _Features, places: Places
) -> Iterator[tuple[Array, Array]]:
    """Yield features and targets as a network sees them."""
    for block in places.blocks(features.rows_at_once()):
        targets = truth_at(data.train, block).targets.astype(np.float64)
        yield features.of(data.train, block), targets


def _moments(data: SequenceData, features: _Features, places: Places) -> _Moments:
    sums: list[Array] = [np.zeros(features.size), np.zeros(data.output_size)]
    for inputs, targets in _blocks(data, features, places):
        sums = [sums[0] + inputs.sum(axis=0), sums[1] + targets.sum(axis=0)]
    means = [total / len(places) for total in sums]
    squares = np.zeros((features.size, features.size))
    products = np.zeros((features.size, data.output_size))
    for inputs, targets in _blocks(data, features, places):
        inputs -= means[0]
        squares += inputs.T @ inputs
        products += inputs.T @ (targets - means[1])
    return _Moments(len(places), means[0], means[1], squares, products)


def _weights(moments: _Moments) -> list[Array]:
    """Return the weights `(features, outputs)` of each penalty, by one decomposition."""
    values, vectors = np.linalg.eigh(moments.squares)
    turned = vectors.T @ moments.products
    values = np.maximum(values, 0.0)[:, None]
    return [vectors @ (turned / (values + penalty)) for penalty in PENALTIES]


def _answers(inputs: Array, moments: _Moments, weights: Array) -> Array:
    return np.asarray((inputs - moments.feature_mean) @ weights + moments.target_mean)


def _validation_errors(
    data: SequenceData, features: _Features, moments: _Moments, weights: list[Array]
) -> Array:
    """Return the squared errors of each penalty on the validation part, in own units."""
    errors = np.zeros(len(weights))
    for block in places_of(data.validation, one_target=True).blocks(features.rows_at_once()):
        inputs, truth = features.of(data.validation, block), truth_at(data.validation, block)
        own = own_units(data, truth.targets.astype(np.float64), truth.rescale)
        shown = np.ones(own.shape, np.bool_) if truth.mask is None else truth.mask
        for place, each in enumerate(weights):
            scaled = _answers(inputs, moments, each)
            error = own_units(data, scaled, truth.rescale) - own
            errors[place] += np.square(np.where(shown, error, 0.0)).sum()
    return errors
