"""Data sources: everything that fills the sequence contract, found by name.

`load_data` is the one entrance: it builds a source's options, loads, checks the contract once
and stamps the digest. Nothing here imports torch; pandas and scikit-learn are imported by the
source that needs them. An installed package adds a source by an entry point of the group
`rnn_sweep.sources`; `trainers.data.conformance` holds it to the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.options import build_options
from trainers.data.source import Source
from trainers.errors import DataError
from trainers.registry import Registry, UnknownEntry

if TYPE_CHECKING:
    from trainers.data.folds import Folds
    from trainers.data.limit import Limit
    from trainers.data.tables.reader import TableReader

__all__ = ["SOURCES", "SequenceData", "SequenceSet", "Source", "load_data", "load_folds"]

SOURCES: Registry[Source] = Registry(
    "rnn_sweep.sources",
    "data.source",
    Source,
    {
        "adding": "trainers.data.builtin.adding:ADDING",
        "appliances": "trainers.data.builtin.appliances:APPLIANCES",
        "copy": "trainers.data.builtin.copy_memory:COPY",
        "csv": "trainers.data.series.windows:CSV",
        "digits": "trainers.data.builtin.digits:ROWS",
        "digits-pixels": "trainers.data.builtin.digits:PIXELS",
        "pairs": "trainers.data.texts.pairs:PAIRS",
        "sentiment": "trainers.data.builtin.sentiment:SENTIMENT",
        "sequences": "trainers.data.sequences.archive:SEQUENCES",
        "shakespeare": "trainers.data.builtin.shakespeare:SHAKESPEARE",
        "shapes": "trainers.data.builtin.shapes:SHAPES",
        "table": "trainers.data.sequences.table:TABLE",
        "text": "trainers.data.texts.text:TEXT",
        "tokens": "trainers.data.texts.tokens:TOKENS",
        "vowels": "trainers.data.builtin.vowels:VOWELS",
    },
)


def load_data(
    source: str,
    options: Mapping[str, Any],
    *,
    base_dir: Path,
    limit: int | Limit | None = None,
    function: Callable[..., Any] | None = None,
    tables: TableReader | None = None,
    accept: Collection[str] = (),
) -> SequenceData:
    """Load a data set, checked against the sequence contract and stamped with its digest.

    Args:
        source: A name in `SOURCES`; with `function` what to call that.
        options: The source's options by name, as written in a sweep file.
        base_dir: Folder that relative paths start from (the sweep file's).
        limit: Keep only so many sequences of each part, or steps of a stream (`limited`); or read
            only so many rows (`Limit`).
        function: A source of the user's own, called with the options (`trainers.data.function`).
        tables: What tables are read with, by the same limit; None: each is read here.
        accept: Kinds of findings that don't keep the data from being used though they are wrong.

    Raises:
        DataError: the source or an option is unknown, the data break the contract, the source has
            no rows to limit, or a finding is wrong and not accepted.
    """
    where: dict[str, Any] = {"base_dir": base_dir, "limit": limit, "function": function}
    return load_folds(source, options, None, **where, tables=tables, accept=accept)[0]


def load_folds(
    source: str,
    options: Mapping[str, Any],
    folds: Folds | None,
    *,
    base_dir: Path,
    limit: int | Limit | None = None,
    function: Callable[..., Any] | None = None,
    tables: TableReader | None = None,
    accept: Collection[str] = (),
) -> list[SequenceData]:
    """Load each fold of a data set, as `load_data` loads the whole; None for the one that is it.

    Only the last fold has a test part: its model is the one that is kept.

    Raises:
        DataError: as `load_data`, or the data have too few rows or sequences for so many folds.
    """
    from trainers.data.findings.judge import judged
    from trainers.data.limit import Limit, limited
    from trainers.data.validate import checked

    wanted = Limit.of(limit)
    if function is not None:
        wanted.check_source(source, reads_tables=False)
        loaded = _of_function(function, source, options, folds)
    else:
        loaded = _of_source(source, options, folds, base_dir, tables, wanted)
    found = [checked(limited(one, wanted.sequences)) for one in loaded]
    if function is not None and folds is None:
        from trainers.data.function import with_inferred_target

        found = [with_inferred_target(one) for one in found]
    return [*found[:-1], judged(found[-1], accept, whole=wanted.sequences is None)]


def _of_function(
    function: Callable[..., Any], source: str, options: Mapping[str, Any], folds: Folds | None
) -> list[SequenceData]:
    """What a function of the user's own gives, not checked yet."""
    from trainers.data.function import load_function, with_inferred_target
    from trainers.data.sequences.pooling import over_sequences
    from trainers.data.validate import checked

    own = load_function(function, source, options)
    if folds is None:
        return [own]
    return over_sequences(with_inferred_target(checked(own)), folds, source, options)


def _of_source(
    source: str,
    options: Mapping[str, Any],
    folds: Folds | None,
    base_dir: Path,
    tables: TableReader | None,
    limit: Limit,
) -> list[SequenceData]:
    from trainers.data.sequences.pooling import over_sequences
    from trainers.data.tables.reader import TableReader
    from trainers.data.validate import checked

    try:
        entry = SOURCES[source]
    except UnknownEntry as error:
        raise DataError(f"{error}; a function of your own is path.py:function.") from error
    limit.check_source(source, reads_tables=entry.reads_tables)
    built: Any = build_options(entry.options, source, options)
    given = [built, base_dir, *([tables or TableReader(limit.rows)] if entry.reads_tables else [])]
    if folds is None:
        return [entry.load(*given)]
    if entry.load_folds is not None:
        return entry.load_folds(*given, folds)
    return over_sequences(checked(entry.load(*given)), folds, source, options)
