"""What every data source must hold, as a function to call from a test of one's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainers.data import SOURCES, load_data
from trainers.data.options import describe_class, path_names


def check_source(name: str, options: Mapping[str, Any], folder: Path) -> None:
    """Hold a source to what the rest of the house counts on.

    Args:
        name: As a sweep file would name it.
        options: As a sweep file would say them; they must load.
        folder: Where relative paths start.

    Raises:
        AssertionError: a law is broken; the message says which.
        DataError: the data can't be loaded, or break the contract.
    """
    entry = SOURCES[name]
    frozen = dataclasses.is_dataclass(entry.options) and entry.options.__hash__ is not None
    _require(frozen, "options must be a frozen dataclass")
    meanings = all(option.meaning and option.kind for option in describe_class(entry.options))
    _require(meanings, "every option must say what it means (`trainers.data.options.means`)")
    whole = load_data(name, options, base_dir=folder)
    same = load_data(name, options, base_dir=folder).digest == whole.digest
    _require(same, "the same options must give the same data")
    absolute = {
        key: str(folder.resolve() / value)
        for key, value in options.items()
        if key in path_names(entry.options) and isinstance(value, str) and "://" not in value
    }
    moved = load_data(name, {**options, **absolute}, base_dir=Path("nowhere"))
    _require(moved.digest == whole.digest, "paths must be declared, and may be absolute")


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(f"{law}.")
