"""A data source: its options, and what loads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trainers.data.contract import SequenceData
from trainers.data.options import path_names, search_names


@dataclass(frozen=True)
class Source:
    """What a source says of itself to the rest of the house.

    Attributes:
        options: A frozen dataclass whose fields say what they mean, and which of them are paths
            (`trainers.data.options.means`).
        load: Returns the data, not checked yet, from the options and the folder that relative paths
            start from; raises DataError.
        reads_tables: Whether `load` takes a third argument, the `TableReader` that it reads with.
        load_folds: As `load`, with `trainers.data.folds.Folds` as its last argument: returns every
            fold, scaled by its own training part. None: whole sequences are divided anew.
    """

    options: type[Any]
    load: Callable[..., SequenceData]
    reads_tables: bool = False
    load_folds: Callable[..., list[SequenceData]] | None = None

    @property
    def path_options(self) -> tuple[str, ...]:
        """The options that name files, folders or patterns of them."""
        return path_names(self.options)

    @property
    def search_options(self) -> tuple[str, ...]:
        """The options that a sweep may search."""
        return search_names(self.options)
