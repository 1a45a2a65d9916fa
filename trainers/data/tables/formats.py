"""The formats of tables, by their endings; a format that is added is one line here and a reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainers.data.tables.compression import plain_name


@dataclass(frozen=True)
class TableFormat:
    """One format: what its files' names end with, and what reads them.

    Attributes:
        endings: In lower case, with the dot, before that of a compression.
        reader: `module:function`, loaded when it is used; takes a `Request`, returns a `TableRead`.
    """

    endings: tuple[str, ...]
    reader: str


_HERE = "trainers.data.tables"
FORMATS: dict[str, TableFormat] = {
    "csv": TableFormat((".csv", ".tsv", ".tab"), f"{_HERE}.delimited:read_delimited"),
    "parquet": TableFormat((".parquet", ".pq"), f"{_HERE}.columnar:read_parquet"),
    "arrow": TableFormat((".arrow", ".feather", ".ipc"), f"{_HERE}.columnar:read_arrow"),
    "jsonl": TableFormat((".jsonl", ".ndjson", ".json"), f"{_HERE}.records:read_records"),
    "tsf": TableFormat((".tsf",), f"{_HERE}.tsf:read"),
    "excel": TableFormat((".xlsx", ".xlsm"), f"{_HERE}.excel:read_excel"),
}
_MAGIC = {b"PAR1": "parquet", b"ARROW1": "arrow", b"FEA1": "arrow"}


def is_table(path: Path) -> bool:
    """Whether a file is a table by its ending; `.tsv` may also be lines `text<TAB>label`."""
    ending = Path(plain_name(path)).suffix.lower()
    return ending != ".tsv" and any(ending in entry.endings for entry in FORMATS.values())


def table_stem(path: Path) -> str:
    """Return a table's name without its endings: `walk` for `walk.csv.gz`."""
    return Path(plain_name(path)).stem


def format_of(path: Path, name: str) -> str:
    """Return the format of a file by its ending, else by its first bytes; csv where neither tells.

    Args:
        path: A file, or a folder of Parquet files.
        name: Its name, or that of the only file in its archive.
    """
    ending = Path(name).suffix.lower()
    for known, entry in FORMATS.items():
        if ending in entry.endings:
            return known
    if path.is_dir():
        return "parquet"
    with path.open("rb") as file:
        start = file.read(8)
    return next((known for magic, known in _MAGIC.items() if start.startswith(magic)), "csv")
