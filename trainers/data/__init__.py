"""Data sources: everything that fills the sequence contract, found by name.

`load_data` is the one entrance: it builds a source's options, loads, checks the contract once
and stamps the digest. Nothing here imports torch; pandas and scikit-learn are imported by the
source that needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.options import OptionDescription, build_options, describe_class, nearest
from trainers.errors import DataError

__all__ = [
    "OptionDescription",
    "SequenceData",
    "SequenceSet",
    "describe_options",
    "load_data",
    "source_names",
]


@dataclass(frozen=True)
class _Source:
    module: str
    loader: str
    options: str


_SOURCES = {
    "adding": _Source("trainers.data.adding", "load_adding", "AddingOptions"),
    "appliances": _Source("trainers.data.appliances", "load_appliances", "AppliancesOptions"),
    "copy": _Source("trainers.data.copy_memory", "load_copy", "CopyOptions"),
    "csv": _Source("trainers.data.windows", "load_windows", "WindowOptions"),
    "digits": _Source("trainers.data.digits", "load_rows", "DigitsOptions"),
    "digits-pixels": _Source("trainers.data.digits", "load_pixels", "DigitsOptions"),
    "sentiment": _Source("trainers.data.sentiment", "load_sentiment", "SentimentOptions"),
    "shakespeare": _Source("trainers.data.shakespeare", "load_shakespeare", "ShakespeareOptions"),
    "shapes": _Source("trainers.data.shapes", "load_shapes", "ShapesOptions"),
    "table": _Source("trainers.data.table", "load_table", "TableOptions"),
    "text": _Source("trainers.data.text", "load_text", "TextOptions"),
    "tokens": _Source("trainers.data.tokens", "load_tokens", "TokenOptions"),
    "vowels": _Source("trainers.data.vowels", "load_vowels", "VowelsOptions"),
}


def load_data(
    source: str, options: Mapping[str, Any], *, base_dir: Path, limit: int | None = None
) -> SequenceData:
    """Load a data set, checked against the sequence contract and stamped with its digest.

    Args:
        source: A name among `source_names()`, or `path.py:function`.
        options: The source's options by name, as written in a sweep file.
        base_dir: Folder that relative paths start from (the sweep file's).
        limit: Keep only so many sequences of each part, or steps of a stream (`limited`).

    Raises:
        DataError: the source or an option is unknown, or the data break the contract.
    """
    from trainers.data.limit import limited
    from trainers.data.validate import checked

    if _is_function(source):
        from trainers.data.function import load_function, with_inferred_target

        own = load_function(source, options, base_dir)
        return with_inferred_target(checked(limited(own, limit)))
    entry = _entry(source)
    module = import_module(entry.module)
    built: Any = build_options(getattr(module, entry.options), source, options)
    loaded: SequenceData = getattr(module, entry.loader)(built, base_dir)
    return checked(limited(loaded, limit))


def source_names() -> tuple[str, ...]:
    """Return the names of the built-in sources; `path.py:function` is a source as well."""
    return tuple(sorted(_SOURCES))


def describe_options(source: str) -> tuple[OptionDescription, ...]:
    """Return the options of a source; none for `path.py:function`, which has its own.

    Raises:
        DataError: the source is unknown.
    """
    if _is_function(source):
        return ()
    entry = _entry(source)
    return describe_class(getattr(import_module(entry.module), entry.options))


def _is_function(source: str) -> bool:
    return source.partition(":")[0].endswith(".py") or source.rpartition(":")[0].endswith(".py")


def _entry(source: str) -> _Source:
    if source not in _SOURCES:
        raise DataError(
            f"data source {source!r} is unknown;{nearest(source, source_names())} valid sources "
            f"are: {', '.join(source_names())}, or path.py:function."
        )
    return _SOURCES[source]
