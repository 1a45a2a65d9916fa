"""Whole sequences divided into train, validation and test, by shares, seed and class."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from trainers.data.contract import Array
from trainers.data.options import require
from trainers.errors import DataError

PARTS = ("train", "validation", "test")


def require_shares(split: Sequence[float]) -> None:
    """Check the shares of train, validation and test; that of test may be 0 (no test part).

    Raises:
        DataError: they are not three shares that sum to 1, those of train and validation above 0.
    """
    ok = len(split) == 3 and min(split[:2]) > 0 and split[2] >= 0 and abs(sum(split) - 1) < 1e-9
    require(
        ok,
        "split has shares of train, validation and test (test may be 0) that sum to 1",
        "split",
        list(split),
    )


def require_two_shares(split: Sequence[float]) -> None:
    """Check shares beside a test part that is given: train and validation only.

    Raises:
        DataError: they are not two positive shares that sum to 1.
    """
    ok = len(split) == 2 and min(split) > 0 and abs(sum(split) - 1) < 1e-9
    law = "split has two positive shares, of train and validation, that sum to 1"
    require(ok, law, "split", list(split))


def shares_beside(
    split: Sequence[float],
    default: Sequence[float],
    given: Collection[str],
    two: tuple[float, float] = (0.8, 0.2),
) -> tuple[float, ...]:
    """Return the shares of the parts that `data.path` is divided into.

    Args:
        split: As the user has it.
        default: Three shares; a `split` that equals them was left as it is.
        given: The parts that have files of their own: validation, test, or both.
        two: Shares of train and validation where only the test part is given.

    Raises:
        DataError: there is another number of shares than of parts, or they are no shares.
    """
    if not given:
        require_shares(split)
        return tuple(split)
    untouched = tuple(split) == tuple(default)
    if "validation" in given:
        if not untouched:
            raise DataError(
                "with data.validation_path all of data.path is the training part, but got "
                f"data.split={list(split)}; leave data.split out."
            )
        return (1.0,)
    if not untouched:
        require_two_shares(split)
    return two if untouched else tuple(split)


def with_given_parts(divided: Sequence[Array], given: Mapping[str, int]) -> dict[str, Array]:
    """Return each part's sequences by number; those of given parts follow the divided ones.

    Args:
        divided: What `divide` gave.
        given: The number of sequences of each part with files of its own, in their order.
    """
    parts = dict(zip(PARTS, divided, strict=False))
    start = sum(len(part) for part in divided)
    for name, count in given.items():
        parts[name] = np.arange(start, start + count)
        start += count
    return {name: parts[name] for name in PARTS if len(parts.get(name, ()))}


def boundaries_of(rows: int, split: Sequence[float]) -> tuple[int, ...]:
    """Boundaries of consecutive parts, `len(split) + 1` of them, rounded down to whole rows."""
    # The shares' sums are rounded: 0.7 + 0.15 of 20 rows is 17, not 16.999….
    inner = [math.floor(rows * share + 1e-9) for share in itertools.accumulate(split[:-1])]
    return (0, *inner, rows)


def divide(
    count: int, split: Sequence[float], seed: int, labels: Array | None = None
) -> list[Array]:
    """Divide sequences at random: their numbers for every share, each in ascending order.

    With `labels (count,)`, class ids, every part keeps the classes' proportions to within one
    sequence of a class, and all parts together their shares.

    Raises:
        DataError: a part with a share above 0 gets no sequence.
    """
    order = np.random.default_rng(seed).permutation(count)
    if labels is None:
        bounds = boundaries_of(count, split)
        parts = [order[start:stop] for start, stop in itertools.pairwise(bounds)]
    else:
        parts = _stratified(order, split, labels)
    for name, share, part in zip(PARTS, split, parts, strict=False):
        if share > 0 and len(part) == 0:
            raise DataError(
                f"the {name} part gets none of the {count} sequences at a share of {share:g}; "
                "give it a larger share of data.split or bring more sequences."
            )
    return [np.sort(part) for part in parts]


def _stratified(order: Array, split: Sequence[float], labels: Array) -> list[Array]:
    """Pick each part evenly along the sequences sorted by class (random within a class).

    Each class thus gets its share to within one, and the parts' sizes are exact however many
    classes there are.
    """
    rest = order[np.argsort(labels[order], kind="stable")]
    parts = []
    for index, share in enumerate(split):
        left = sum(split[index:])
        picked = _evenly(len(rest), share / left if left > 0 else 0.0)
        parts.append(rest[picked])
        rest = rest[~picked]
    return parts


def _evenly(count: int, share: float) -> Array:
    """`(count,)` bool: a share of all places, as far apart as can be."""
    return np.asarray(np.diff(np.round(np.arange(count + 1) * share)) > 0)
