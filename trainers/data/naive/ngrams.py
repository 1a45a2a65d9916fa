"""Language models: n-grams of order 5 with interpolated, modified Kneser-Ney smoothing.

Chen & Goodman, An empirical study of smoothing techniques (1998), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.naive.forecast import NaiveForecast, NotPossible
from trainers.data.naive.places import Places, places_of, truth_at

ORDER = 5
_MOST_TOKENS = 4_000_000  # of training; of a longer text the last ones, nearest to what is judged
_MOST_ANSWERS = 3e9  # probabilities in all: a minute on one core


@dataclass(frozen=True)
class _Order:
    """What follows a context of some length.

    Attributes:
        keys: Sorted `shorter context's number * tokens + token` of each known context; its place
            there is its own number.
        discounted: `(contexts, tokens)` sparse, discounted shares.
        left: `(contexts,)` what the shorter context's distribution is multiplied by.
    """

    keys: Array
    discounted: Any
    left: Array


@dataclass(frozen=True)
class _Model:
    tokens: int
    first: Array  # (tokens,) probabilities without context
    orders: tuple[_Order, ...]  # contexts of 1, 2, … tokens


def ngrams(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return what the last four tokens say of the next one.

    Raises:
        NotPossible: classes are not the vocabulary, or there is too much to answer.
    """
    size = data.output_size
    if data.task != "classification" or data.vocabulary_size != size:
        raise NotPossible("what is predicted is no token of the vocabulary")
    judged = [part for part in (data.validation, data.test) if part is not None]
    asked = sum(len(places_of(part, one_target=one_target)) for part in judged)
    if asked * size > _MOST_ANSWERS:
        raise NotPossible(f"{asked:,} targets times {size:,} tokens are too many to answer for")
    places = places_of(data.train, one_target=one_target)
    used = Places(places.rows[-_MOST_TOKENS:], places.steps[-_MOST_TOKENS:])
    model = _fit(_contexts(data.train, used), truth_at(data.train, used).targets, size)
    cut = len(used) < len(places)
    note = f"fitted on the last {len(used):,} of {len(places):,} tokens" if cut else ""

    def answer(part: SequenceSet, at: Places) -> Array:
        return np.log(_probabilities(model, _contexts(part, at)))

    return NaiveForecast("ngrams", f"Kneser-Ney {ORDER}-grams", answer, note)


def _contexts(part: SequenceSet, places: Places) -> Array:
    """Return the tokens before each target, the nearest first, `(targets, 4)`; −1 for none.

    A context ends where a document begins, or a step is absent.
    """
    found = np.full((len(places), ORDER - 1), -1, dtype=np.int64)
    goes_on = np.ones(len(places), dtype=np.bool_)
    for back in range(ORDER - 1):
        at = places.steps - back
        goes_on &= at >= 0
        index = places.rows, np.maximum(at, 0)
        if part.input_mask is not None:
            goes_on &= np.asarray(part.input_mask[index])
        found[goes_on, back] = np.asarray(part.inputs[index])[goes_on]
        if part.resets is not None:  # what lies before this step is another document
            goes_on &= ~np.asarray(part.resets[index])
    return found


def _numbered(contexts: Array, keys: tuple[Array, ...], size: int) -> list[Array]:
    """Return the number of each target's context of every length, `(targets,)`; −1 for unknown."""
    numbers, shorter = [], np.zeros(len(contexts), dtype=np.int64)
    for length, known in enumerate(keys):
        token = contexts[:, length]
        wanted = shorter * size + token
        place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
        there = (shorter >= 0) & (token >= 0) & (known[place] == wanted)
        shorter = np.where(there, place, -1)
        numbers.append(shorter)
    return numbers


def _fit(contexts: Array, targets: Array, size: int) -> _Model:
    keys: list[Array] = []
    numbers = [np.zeros(len(contexts), dtype=np.int64)]
    for length in range(ORDER - 1):
        token, shorter = contexts[:, length], numbers[-1]
        there = (token >= 0) & (shorter >= 0)
        known = np.unique((shorter * size + token)[there])
        if not len(known):
            break
        keys.append(known)
        place = np.searchsorted(known, shorter * size + token)
        numbers.append(np.where(there, np.minimum(place, len(known) - 1), -1))
    counted = [_counts(number, targets, size) for number in numbers]
    orders = []
    for length, (context, token, count) in enumerate(counted[1:], start=1):
        if length < len(keys):  # how many different tokens it was seen after, not how often
            context, token, count = _continuations(counted[length + 1], keys[length], size)
        orders.append(_order(keys[length - 1], context, token, count, size))
    context, token, count = counted[0] if not keys else _continuations(counted[1], keys[0], size)
    alone = _order(np.zeros(1, np.int64), context, token, count, size)
    first = alone.discounted.toarray()[0] + alone.left[0] / size
    return _Model(size, first, tuple(orders))


def _counts(context: Array, token: Array, size: int) -> tuple[Array, Array, Array]:
    """Return the different pairs of context and token, and how often each is there."""
    known = context >= 0
    pairs, count = np.unique(context[known] * size + token[known], return_counts=True)
    return pairs // size, pairs % size, count


def _continuations(
    longer: tuple[Array, Array, Array], keys: Array, size: int
) -> tuple[Array, Array, Array]:
    """Return pairs of a context and a token, and how many longer contexts have both."""
    context, token, _ = longer
    return _counts(keys[context] // size, token, size)


def _order(keys: Array, context: Array, token: Array, count: Array, size: int) -> _Order:
    from scipy.sparse import csr_matrix

    total = np.bincount(context, weights=count, minlength=len(keys))
    discount = _discounts(count)[np.minimum(count, 3)]
    share = (count - discount) / total[context]
    left = np.bincount(context, weights=discount, minlength=len(keys)) / np.maximum(total, 1)
    # A context that was only seen where nothing longer was leaves all to the shorter one.
    left = np.where(total > 0, left, 1.0)
    return _Order(keys, csr_matrix((share, (context, token)), shape=(len(keys), size)), left)


def _discounts(count: Array) -> Array:
    """Return what is taken off counts of 1, 2 and 3 or more (equation 26), `(4,)`."""
    seen = [float((count == times).sum()) for times in (1, 2, 3, 4)]
    if min(seen) == 0:  # too few for an estimate
        return np.array([0.0, 0.5, 0.75, 0.75])
    ratio = seen[0] / (seen[0] + 2 * seen[1])
    found = [times - (times + 1) * ratio * seen[times] / seen[times - 1] for times in (1, 2, 3)]
    return np.array([0.0, *np.clip(found, 0.05, 0.95 * np.array([1, 2, 3]))])


def _probabilities(model: _Model, contexts: Array) -> Array:
    """Return the probability of every token, `(targets, tokens)`."""
    found = np.tile(model.first, (len(contexts), 1))
    keys = tuple(order.keys for order in model.orders)
    for order, number in zip(model.orders, _numbered(contexts, keys, model.tokens), strict=True):
        known = np.flatnonzero(number >= 0)
        places = number[known]
        found[known] *= order.left[places, None]
        found[known] += order.discounted[places].toarray()
    return found
