"""What a data file, or a sweep file's data, holds and what is wrong with it; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.config.file import preset_names
from sweep.config.sweep_config import load_config
from sweep.datasets.column_facts import ColumnFacts, facts_of
from sweep.datasets.draft import Draft, Wishes
from sweep.datasets.forms import form_of
from sweep.datasets.opened_table import open_table
from sweep.datasets.other_drafts import draft_of
from sweep.errors import ConfigProblem
from sweep.running.preparation import loaded
from sweep.search.data_dimensions import DataDimensions
from trainers.data import load_data
from trainers.data.features.rows import Rows
from trainers.data.finding import GRAVE_KINDS, Finding
from trainers.data.findings.judge import table_findings
from trainers.data.findings.judged import JudgedTable
from trainers.data.options import build_options
from trainers.data.series.opening import table_of
from trainers.data.series.options import WindowOptions
from trainers.data.series.rows import long_form, rows_of
from trainers.data.tables.columns import numeric_columns
from trainers.data.tables.reader import TableReader
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.table import read_table
from trainers.errors import DataError

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData
    from trainers.data.tables.request import TableRead

_SPEC_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Inspection:
    """What was understood of data, and whether they can be trained on.

    Attributes:
        name: The file, or the sweep.
        source: The data source's name; empty where it is not clear yet.
        options: The source's options.
        data: None where they can't be loaded.
        refused: The line that says why.
        read: The table, where the source reads one.
    """

    name: str
    source: str
    options: Mapping[str, Any]
    data: SequenceData | None = None
    refused: str | None = None
    read: TableRead | None = None
    why: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[ColumnFacts, ...]:
        """The columns of the table; none where there is no table."""
        return () if self.read is None else facts_of(self.read.frame)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The data's; of a table that can't be loaded, those of its columns."""
        if self.data is not None or self.read is None:
            return () if self.data is None else self.data.findings
        return table_findings(JudgedTable(self.read.frame, **self._roles()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was taken for granted."""
        if self.data is not None:
            return self.data.notes
        return () if self.read is None else self.read.notes

    @cached_property
    def rows(self) -> Rows | None:
        """The rows of long series in order, which windows' origins count; None of other sources."""
        if self.source != "csv" or self.data is None:
            return None
        options = build_options(WindowOptions, "csv", self.options)
        frame = long_form(table_of(options, Path.cwd(), TableReader()).frame, options.rows)
        return rows_of(frame, options.rows)

    def _roles(self) -> dict[str, Any]:
        """Which columns are what, as far as it is said."""
        assert self.read is not None
        have = set(map(str, self.read.frame.columns))

        def named(option: str) -> tuple[str, ...]:
            value = self.options.get(option) or ()
            names = (value,) if isinstance(value, str) else tuple(value)
            return names if set(names) <= have else ()

        times, series, target = named("time_column"), named("series"), named("target")
        inputs = [n for n in numeric_columns(self.read.frame) if n not in {*times, *series}]
        ahead = range(1, 2) if target else None
        return {
            "targets": target, "inputs": tuple(inputs), "times": times, "series": series,
            "ahead": ahead,
        }  # fmt: skip


def is_spec(target: str) -> bool:
    """Whether this names a sweep file or a preset, not data."""
    path = Path(target).expanduser()
    return path.suffix.lower() in _SPEC_ENDINGS or (not path.exists() and target in preset_names())


def inspect_spec(spec: str, overrides: Sequence[str]) -> Inspection:
    """Look at a sweep file's data.

    Raises:
        ConfigProblem: the sweep file is wrong.
        DataError: its table can't be read.
    """
    config = load_config(spec, overrides, {"data.accept": list(GRAVE_KINDS)})
    section = config.data
    read = _table(section.source, section.options)
    plain: dict[str, Any] = {"name": config.name, "source": section.source}
    plain["options"] = section.options
    try:
        choices = loaded(config, DataDimensions.of(config.space.parameters))
    except DataError as error:
        return Inspection(**plain, refused=str(error), read=read)
    return Inspection(**plain, data=choices.default, read=read)


def inspect_file(file: Path, wishes: Wishes) -> Inspection:
    """Look at a data file, taken as `init` takes it.

    Raises:
        ConfigProblem: there is no such file, or a name is no column.
        DataError: it can't be read.
    """
    is_table = form_of(file) == "table"
    read = open_table(file, wishes).read if is_table else None
    try:
        draft = draft_of(file, wishes)
    except ConfigProblem as error:
        if not is_table or wishes.target or wishes.series or wishes.time:
            raise
        return Inspection(file.name, "", wishes.options, refused=str(error), read=read)
    except DataError as error:
        if not is_table:
            raise
        return Inspection(file.name, "csv", wishes.options, refused=str(error), read=read)
    return _loaded(file, draft, read)


def _loaded(file: Path, draft: Draft, read: TableRead | None) -> Inspection:
    plain: dict[str, Any] = {
        "name": file.name, "source": draft.source, "options": draft.options, "read": read,
        "why": draft.why,
    }  # fmt: skip
    try:
        data = load_data(draft.source, draft.options, base_dir=Path.cwd(), accept=GRAVE_KINDS)
    except DataError as error:
        return Inspection(**plain, refused=str(error))
    return Inspection(**plain, data=data)


def _table(source: str, options: Mapping[str, Any]) -> TableRead | None:
    """The table of a source that reads one."""
    path = options.get("path")
    if source not in ("csv", "table") or not isinstance(path, str):
        return None
    reading = build_options(ReadingOptions, source, options.get("reading") or {})
    return read_table(Path(path), reading)
