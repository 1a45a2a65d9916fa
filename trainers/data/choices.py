"""Data options as dimensions of a search: one data set for each choice, judged on the same targets.

A choice is known by its key, the drawn options as canonical JSON text; where nothing is drawn there
is one choice with the key "". A trial's settings hold its key (`TrainConfig.data_choice`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import itertools
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from trainers.data import SOURCES, load_folds
from trainers.data.common_targets import difference, on_common_targets
from trainers.data.contract import Array, Picked, SequenceData, array_bytes
from trainers.data.folds import Folds, fold_key
from trainers.data.limit import Limit
from trainers.data.options import nearest
from trainers.data.sharing import SharedArrays
from trainers.data.tables.reader import TableReader
from trainers.errors import DataError
from trainers.registry import UnknownEntry

MOST_CHOICES = 64


@dataclass(frozen=True)
class DataChoices:
    """The data sets that trials of a sweep train on, one or several.

    Attributes:
        by_key: Every choice; the first is what stands for all where only names, task or test part
            are asked for. Of a choice that has folds it is the last one, whose model is kept.
        earlier: The folds before the last one by their choice's key, in order; none without folds.
    """

    by_key: Mapping[str, SequenceData]
    earlier: Mapping[str, Sequence[SequenceData]] = field(default_factory=dict)

    @classmethod
    def single(cls, data: SequenceData) -> DataChoices:
        """Return the one choice where no option of the data is drawn."""
        return cls({"": data})

    @classmethod
    def of_folds(cls, folds: Sequence[SequenceData]) -> DataChoices:
        """Return the one choice where no option of the data is drawn, by its folds."""
        *earlier, last = folds
        return cls({"": last}, {"": earlier} if earlier else {})

    @property
    def default(self) -> SequenceData:
        """The first choice."""
        return next(iter(self.by_key.values()))

    @cached_property
    def _every(self) -> dict[str, SequenceData]:
        """Every fold of every choice, by its own key."""
        return {key: data for choice in self.by_key for key, data in self.folds_of(choice).items()}

    def of(self, key: str) -> SequenceData:
        """Return the data of a choice, or of one of its folds.

        Raises:
            DataError: there is no such choice.
        """
        if key not in self._every:
            known = ", ".join(repr(known) for known in self.by_key)
            raise DataError(
                f"a trial's data must be one of the sweep's choices ({known}), but got {key!r}."
            )
        return self._every[key]

    def folds_of(self, choice: str) -> dict[str, SequenceData]:
        """Return the folds of a choice by their keys, in order; the last has the choice's own.

        Raises:
            DataError: there is no such choice.
        """
        if choice not in self.by_key:
            return {choice: self.of(choice)}
        earlier = self.earlier.get(choice, ())
        keyed = {fold_key(choice, number): data for number, data in enumerate(earlier)}
        return keyed | {choice: self.by_key[choice]}

    @property
    def folds(self) -> int:
        """How many folds each choice has; 1 without folds."""
        return 1 + max((len(own) for own in self.earlier.values()), default=0)

    @property
    def digest(self) -> str:
        """The data's digest; of several choices or folds a SHA-256 over theirs."""
        if list(self._every) == [""]:
            return self.default.digest
        lines = [f"{key} {data.digest}" for key, data in sorted(self._every.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def array_bytes(self) -> int:
        """Memory of all choices' arrays; what they share counts once."""
        return array_bytes(*self._every.values())

    @property
    def have_one_loss(self) -> bool:
        """Whether a loss is the same number in every choice: of targets alike, weighed alike."""
        by_fold = zip(*(self.folds_of(choice).values() for choice in self.by_key), strict=True)
        return all(_have_one_loss(fold) for fold in by_fold)


def choice_key(options: Mapping[str, Any]) -> str:
    """Return the key of a choice; "" where no option is drawn."""
    if not options:
        return ""
    return json.dumps(options, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load_choices(
    source: str,
    options: Mapping[str, Any],
    dimensions: Mapping[str, Sequence[Any]],
    *,
    base_dir: Path,
    limit: int | Limit | None = None,
    function: Callable[..., Any] | None = None,
    accept: Collection[str] = (),
    folds: Folds | None = None,
) -> DataChoices:
    """Load a data set for every combination of drawn options; arrays that are equal are one.

    Each table is read once, and each choice has the same folds.

    Args:
        source: As `load_data` takes it, like what follows.
        options: Those that are fixed; a drawn one takes the place of its fixed value.
        dimensions: The values of each drawn option.
        base_dir: Folder that relative paths start from.
        limit: Of each choice.
        function: A source of the user's own.
        accept: Kinds of findings that may be wrong.
        folds: How often each choice is divided; None for once.

    Raises:
        DataError: as `load_folds`; or an option can't be drawn, since choices would be judged on
            different targets.
    """
    where: dict[str, Any] = {"base_dir": base_dir, "limit": limit, "function": function}
    where["accept"] = accept
    if not dimensions:
        return DataChoices.of_folds(load_folds(source, options, folds, **where))
    where["tables"] = TableReader(Limit.of(limit).rows, keep=True)
    check_searchable(source, dimensions, function)
    shared, loaded = SharedArrays(), list[tuple[dict[str, Any], list[SequenceData]]]()
    for drawn in _combinations(dimensions):
        try:
            found = load_folds(source, {**options, **drawn}, folds, **where)
        except DataError as error:
            raise DataError(f"with {_shown(drawn)}: {error}") from error
        if loaded:
            _check_same((loaded[0][0], loaded[0][1][-1]), (drawn, found[-1]))
        loaded.append((drawn, [shared.share(data) for data in found]))
    *earlier, last = (
        _judged_alike(own, dimensions) for own in zip(*(found for _, found in loaded), strict=True)
    )
    keys = [choice_key(drawn) for drawn, _ in loaded]
    by_fold = zip(*earlier, strict=True) if earlier else ()
    return DataChoices(
        dict(zip(keys, last, strict=True)), dict(zip(keys, by_fold, strict=bool(earlier)))
    )


def _judged_alike(
    choices: Sequence[SequenceData], dimensions: Mapping[str, Sequence[Any]]
) -> list[SequenceData]:
    """One fold of every choice, judged on the targets that all of them have."""
    judged, notes = on_common_targets(choices)
    for name, part in judged[0].parts().items():
        if not len(part):
            raise DataError(
                f"choices of {_names(dimensions)} must have {name} targets in common, but have "
                "none; list fewer choices."
            )
    return [dataclasses.replace(d, notes=(*d.notes, *notes)) for d in judged]


def check_searchable(
    source: str, names: Collection[str], function: Callable[..., Any] | None = None
) -> None:
    """Check that options of a source may be drawn.

    Raises:
        DataError: there is no such option, or it changes what is predicted.
    """
    known, searchable = _options(source, function)
    for name in names:
        if name in searchable:
            continue
        if name not in known:
            raise DataError(
                f"data source {source!r} has no option {name!r};{nearest(name, known)} those that "
                f"can be searched are: {', '.join(searchable) or 'none'}."
            )
        raise DataError(
            f"data.{name} can't be searched: it changes what is predicted, or how the data are "
            f"divided; of source {source!r} can be: {', '.join(searchable) or 'none'}."
        )


def searchable_options(source: str, function: Callable[..., Any] | None = None) -> tuple[str, ...]:
    """Return the options that may be drawn, as far as the source names them; none of an unknown."""
    try:
        return _options(source, function)[1]
    except DataError:
        return ()


def _options(
    source: str, function: Callable[..., Any] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return all options, and those that may be drawn: of a function all that it names but paths.

    What a function's option does is seen once its targets are there.
    """
    if function is not None:
        names = tuple(inspect.signature(function).parameters)
        return names, tuple(name for name in names if name != "path")
    try:
        entry = SOURCES[source]
    except UnknownEntry as error:
        raise DataError(f"{error}; a function of your own is path.py:function.") from error
    return tuple(f.name for f in dataclasses.fields(entry.options)), entry.search_options


def _combinations(dimensions: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    count = math.prod(len(values) for values in dimensions.values())
    if count > MOST_CHOICES:
        raise DataError(
            f"at most {MOST_CHOICES} choices of data are loaded, but {_names(dimensions)} have "
            f"{count:,} combinations; list fewer."
        )
    every = itertools.product(*dimensions.values())
    return [dict(zip(dimensions, values, strict=True)) for values in every]


def _check_same(
    first: tuple[Mapping[str, Any], SequenceData], other: tuple[Mapping[str, Any], SequenceData]
) -> None:
    found = difference(first[1], other[1])
    if found is not None:
        changed = [name for name, value in other[0].items() if value != first[0][name]]
        raise DataError(
            f"{_names(changed)} can't be searched: it changes what is predicted ({found}); set "
            "it under data."
        )


def _names(options: Collection[str]) -> str:
    return " and ".join(f"data.{name}" for name in options)


def _shown(drawn: Mapping[str, Any]) -> str:
    return ", ".join(f"data.{name}={value!r}" for name, value in drawn.items())


def _have_one_loss(data_sets: Sequence[SequenceData]) -> bool:
    names, first = ("target_scale", "target_shift", "class_weights"), data_sets[0]
    if any(first.target_transform != data.target_transform for data in data_sets):
        return False
    return all(
        _same(getattr(first, name), getattr(data, name)) for data in data_sets for name in names
    ) and all(_same(first.validation.rescale, data.validation.rescale) for data in data_sets)


def _same(first: Array | Picked | None, second: Array | Picked | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.array_equal(np.asarray(first), np.asarray(second)))
