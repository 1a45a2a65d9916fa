"""What `rnn-sweep data` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sweep.datasets.document import document_of

if TYPE_CHECKING:
    from sweep.datasets.inspection import Inspection

_COLUMNS = 40  # that are shown
_CLASSES = 12


def show_inspection(screen: Console, found: Inspection) -> None:
    """Print what was understood, then what is wrong, the gravest first."""
    document = document_of(found)
    screen.print(_title(document), markup=False)
    if document["columns"]:
        screen.print(_columns(document["columns"]))
    if document["classes"] is not None:
        screen.print(f"Classes in training: {_classes(document['classes'])}", markup=False)
    if document["parts"]:
        screen.print(_parts(document["parts"]))
    for note in document["notes"]:
        screen.print(f"  note: {note}", markup=False)
    if document["refused"] is not None:
        screen.print(f"Refused: {document['refused']}", markup=False)
    findings = document["findings"]
    screen.print("Findings:" if findings else "Findings: nothing is suspicious.")
    for one in findings:
        screen.print(f"  {one['grade']} ({one['kind']}): {one['text']}", markup=False)


def _title(document: Mapping[str, Any]) -> str:
    said = [document["task"] or "not loaded"]
    if document["source"]:
        said.append(f"source {document['source']}")
    if document["rows"] is not None:
        said.append(f"{document['rows']:,} rows")
    if document["step"] is not None:
        step = document["step"]
        odd = f" ({step['odd']} of {step['steps']} differ, {step['absent']} rows are absent)"
        irregular = " in the middle, irregular" if step["kind"] == "irregular" else ""
        said.append(f"a step of {step['text']}{irregular}{odd if step['odd'] else ''}")
    if document["series"] > 1:
        said.append(f"{document['series']} series")
    return f"{document['name']}: {', '.join(said)}"


def _columns(columns: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("column", "holds", "missing", "least", "mean", "largest", "for example"):
        table.add_column(title, justify="left" if title in ("column", "holds") else "right")
    for one in columns[:_COLUMNS]:
        numbers = ["" if one[key] is None else f"{one[key]:.5g}" for key in ("low", "mean", "high")]
        distinct = "" if one["distinct"] is None else f" ({one['distinct']} values)"
        cells = [_escaped(one["name"]), one["kind"] + distinct, str(one["missing"] or "")]
        table.add_row(*cells, *numbers, _escaped(one["example"][:24]))
    if len(columns) > _COLUMNS:
        table.add_row(f"… {len(columns) - _COLUMNS} more")
    return table


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _parts(parts: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("part", "sequences", "steps", "targets from", "to"):
        table.add_column(title, justify="right" if title in ("sequences", "steps") else "left")
    for name, part in parts.items():
        ends = ["" if part[key] is None else str(part[key]) for key in ("first", "last")]
        table.add_row(name, f"{part['sequences']:,}", f"{part['steps']:,}", *ends)
    return table


def _classes(classes: Mapping[str, int]) -> str:
    shown = [f"{name} {count}" for name, count in list(classes.items())[:_CLASSES]]
    more = f", … ({len(classes)} in all)" if len(classes) > _CLASSES else ""
    return ", ".join(shown) + more
