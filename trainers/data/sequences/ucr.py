"""Files of the UCR archive: a sequence a row, its label first, then its values.

Tabs, commas or blanks separate; labels may be written as numbers (`1.0000e+00`). Sequences of
unequal length are padded with NaN at their ends. Dau et al., IEEE/CAA J. Autom. Sin. 6 (2019) 1293.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainers.data.classes import label_name
from trainers.data.files import read_text
from trainers.data.reading import CaseReading
from trainers.data.sequences.cases import Cases, without_ends
from trainers.data.tables.number_text import is_missing, parse_numbers
from trainers.errors import DataError


def read_ucr(path: Path, trained: CaseReading | None = None) -> Cases:
    """Read a file of the UCR archive.

    Args:
        path: The file.
        trained: What a network that asks was trained on; rows may then lack the label.

    Raises:
        DataError: a value is no number, or it can't be told whether rows begin with a label; the
            message names the line.
    """
    numbered = enumerate(read_text(path).split("\n"), start=1)
    lines = [(number, split_cells(line)) for number, line in numbered if line.strip()]
    rows = [cells for _, cells in lines]
    labelled = trained is None or _begin_with_labels(rows, trained, path.name)
    values = [
        parse_numbers(cells[1:] if labelled else cells, f"{path.name}, line {number}")[:, None]
        for number, cells in lines
    ]
    widths = {len(one) for one in values}
    cases = Cases(
        path=path,
        format="ucr",
        values=tuple(values),
        labels=tuple(_label(cells[0]) if labelled else None for cells in rows),
        places=tuple(f"line {number}" for number, _ in lines),
        steps=widths.pop() if len(widths) == 1 else None,
    )
    return without_ends(cases)


def split_cells(line: str) -> list[str]:
    """Split a line at its tabs, else at its semicolons, its commas, or its blanks."""
    for separator in ("\t", ";", ","):
        if separator in line:
            return [cell.strip() for cell in line.strip(" \r").split(separator)]
    return line.split()


def _label(cell: str) -> str | None:
    """Return the name of a label: a whole number without decimals, whatever way it is written."""
    if is_missing(cell):
        return None
    try:
        return label_name(float(cell))
    except ValueError:
        return cell


def _begin_with_labels(rows: Sequence[Sequence[str]], trained: CaseReading, name: str) -> bool:
    """Tell whether rows to be asked about begin with a label, by their length and the classes."""
    widths = {len(cells) for cells in rows}
    if trained.steps is not None and widths == {trained.steps}:
        return False
    first = [_label(cells[0]) for cells in rows]
    known = [label is None or label in trained.classes for label in first]
    if all(known) or (trained.steps is not None and widths == {trained.steps + 1}):
        if trained.classes and not all(known):
            stranger = first[known.index(False)]
            raise DataError(
                f"{name}: rows have {trained.steps} values and a label, but the first column holds "
                f"{stranger!r}, which is none of the classes; write ? where a label is unknown."
            )
        return True
    if trained.classes and not any(known):
        return False
    raise DataError(
        f"{name}: it can't be told whether rows begin with a label; bring one in every row, ? "
        f"where it is unknown{f', and {trained.steps} values' if trained.steps else ''}."
    )
