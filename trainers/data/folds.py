"""`data.folds`: one data set divided several times, so that a trial is judged by a mean.

Long series are divided in time, at rolling origins: fold i learns from what lies before origin i
and is judged on the stretch from there to the next origin (Tashman 2000). Whole sequences are
divided at random into as many groups as there are folds, each held out once. The test part is in
no fold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainers.data.contract import Array, SequenceData
from trainers.data.division import divide
from trainers.errors import DataError

Window = Literal["expanding", "sliding"]


@dataclass(frozen=True)
class Folds:
    """How many folds there are, and what each of them learns from.

    Attributes:
        count: Of folds, at least 2; a backtest may have one.
        window: `expanding`: all before the origin; `sliding`: the last rows before it, as many as
            lie before the first origin.
        first: Share of the rows before the test part that lie before the first origin; None: as
            much as each stretch, 1 / (count + 1).
        within: Where the origins lie: before the test part, or in it, the first at its beginning;
            such a fold is judged by its test part, and its validation part are the newest rows
            that it learns from.
    """

    count: int
    window: Window = "expanding"
    first: float | None = None
    within: Literal["before_test", "test"] = "before_test"

    def __post_init__(self) -> None:
        least = 2 if self.within == "before_test" else 1
        if self.count < least:
            raise DataError(f"there must be at least {least} {self.noun}s, but got {self.count}.")
        if self.first is not None and not 0 < self.first < 1:
            raise DataError(f"`0 < first < 1` must hold, but got data.folds.first={self.first}.")

    @property
    def noun(self) -> str:
        """What a person calls each of them."""
        return "fold" if self.within == "before_test" else "origin"

    @property
    def fewer(self) -> str:
        """What to do where there are too many."""
        option = "data.folds" if self.within == "before_test" else "--origins"
        return f"take fewer {self.noun}s ({option})"

    @property
    def shares(self) -> tuple[float, ...]:
        """Where the origins lie in their rows, and the end of the last stretch: count + 1 of them.

        Even steps in time: the first share, then stretches of one length up to 1.
        """
        first = 1 / (self.count + 1) if self.first is None else self.first
        first = 0.0 if self.within == "test" else first
        return (*(first + (1 - first) * n / self.count for n in range(self.count)), 1.0)

    def check_sequences(self, source: str) -> None:
        """Check that nothing is said that only rows in time have.

        Raises:
            DataError: something is.
        """
        for name, default in (("window", "expanding"), ("first", None)):
            value = getattr(self, name)
            if value != default:
                raise DataError(
                    f"data.folds.{name}={value} is of rows in time, but source {source!r} has "
                    "whole sequences, which are divided at random; leave it out."
                )


def fold_key(key: str, number: int) -> str:
    """Return the key of a choice's earlier fold (`trainers.data.choices`); no choice has it."""
    return f"{key}#fold {number}"


def held_out(
    count: int, folds: Folds, seed: int, labels: Array | None = None, noun: str = "sequence"
) -> list[Array]:
    """Divide sequences `(count,)` into one group a fold: their numbers, ascending.

    Args:
        count: Of sequences.
        folds: How many groups.
        seed: Of the division.
        labels: `(count,)` class ids; every group then keeps the classes' proportions.
        noun: What a person calls what is divided.

    Raises:
        DataError: there are fewer of them than folds.
    """
    if count < folds.count:
        raise DataError(
            f"each fold needs a {noun}, but data.folds={folds.count} divides {count} outside "
            "the test part; take fewer folds."
        )
    return divide(count, (1 / folds.count,) * folds.count, seed, labels)


def rows_of_folds(groups: list[Array]) -> list[tuple[Array, Array]]:
    """Return training and validation sequences of each fold, by number."""
    every = np.concatenate(groups)
    return [(np.sort(np.setdiff1d(every, own)), own) for own in groups]


def require_undivided(given: Collection[str]) -> None:
    """Check that the validation part is not one of its own.

    Raises:
        DataError: it is.
    """
    if "validation" in given:
        raise DataError(
            "data.folds divides the sequences outside the test part, but data.validation_path "
            "brings a validation part of its own; leave one of them out."
        )


def divisions(
    divided: Sequence[Array],
    folds: Folds,
    seed: int,
    labels: Array | None,
    groups: Array | None = None,
) -> list[list[Array]]:
    """Return train, validation and perhaps test of each fold, by number.

    Args:
        divided: The same without folds: the test part stays.
        folds: How many.
        seed: Of the division.
        labels: `(sequences,)` class ids of all, or None.
        groups: `(sequences,)` of which group each is; a group is held out as a whole.

    Raises:
        DataError: there are fewer sequences than folds.
    """
    pool = np.sort(np.concatenate(divided[:2]))
    if groups is None:
        own = None if labels is None else labels[pool]
        out = held_out(len(pool), folds, seed, own)
    else:
        known, of = np.unique(groups[pool], return_inverse=True)
        chosen = held_out(len(known), folds, seed, noun="group (data.group)")
        out = [np.flatnonzero(np.isin(of, one)) for one in chosen]
    return [[pool[train], pool[judged], *divided[2:]] for train, judged in rows_of_folds(out)]


def fold_line(train: Array, judged: Array) -> str:
    """Say how many sequences a fold learns from, and how many it is judged by."""
    return f"learns from {len(train)} sequences; judged by {len(judged)}"


def told(found: list[SequenceData], *, lines: list[str]) -> list[SequenceData]:
    """Return folds before the test part, the last one with what a person should know of all.

    The others have no test part: the last one's model is kept.

    Args:
        found: Every fold, not checked yet.
        lines: Of each of them.
    """
    *earlier, last = found
    notes = (
        f"folds (data.folds): {len(found)}, metrics are means over them; the last one's parts are "
        "shown, and its model is kept",
        *(f"fold {number}: {line}" for number, line in enumerate(lines)),
    )
    without = [dataclasses.replace(data, test=None, findings=()) for data in earlier]
    return [*without, dataclasses.replace(last, notes=(*last.notes, *notes))]
