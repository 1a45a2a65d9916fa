"""sktime's and aeon's .ts files: a header of @tags, then a case a line.

Dimensions are separated by `:`, values by `,`, the label is the last field; `?` is a missing value.
With `@timeStamps true` a value is `(time,value)`; times must be regular, and are then not needed.
https://www.aeon-toolkit.org/en/latest/api_reference/file_specifications/ts.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainers.data.contract import Array, Task
from trainers.data.files import read_text
from trainers.data.sequences.cases import Cases, common_length
from trainers.data.tables.number_text import is_missing, parse_numbers
from trainers.errors import DataError

_BETWEEN_STAMPED = re.compile(r":(?![^()]*\))")  # not inside (12:30:00,1.5)
_STAMPED = re.compile(r"\(([^()]*),([^(),]*)\)")
_LABEL_TAGS: Mapping[str, Task] = {"@classlabel": "classification", "@targetlabel": "regression"}


@dataclass(frozen=True)
class _Header:
    """The words after each tag, by the tag in small letters."""

    tags: Mapping[str, Sequence[str]]

    def says(self, tag: str) -> bool:
        """Whether a tag is there and true."""
        return [word.lower() for word in self.tags.get(tag, ())[:1]] == ["true"]

    @property
    def task(self) -> Task | None:
        """What the labels are; None where cases have none."""
        return next((task for tag, task in _LABEL_TAGS.items() if self.says(tag)), None)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the header names."""
        return tuple(self.tags["@classlabel"][1:]) if self.says("@classlabel") else ()

    @property
    def dimensions(self) -> int | None:
        """Dimensions of a case, where the header gives them."""
        return 1 if self.says("@univariate") else self.number("@dimensions")

    def number(self, tag: str) -> int | None:
        """Return a tag's number; None where there is none."""
        words = self.tags.get(tag, ())
        return int(words[0]) if words and words[0].isdigit() else None


@dataclass(frozen=True)
class _Case:
    values: Array
    label: str | None
    place: str
    spacing: float | None = None


def read_ts(path: Path, features: int | None = None) -> Cases:
    """Read a .ts file.

    Args:
        path: The file.
        features: Dimensions that a case must have, where a trained network asks: a case with just
            as many fields then has no label, whatever the header says.

    Raises:
        DataError: the file is not as its format or its header has it; the message names the line.
    """
    header, lines = _header_and_lines(path)
    is_stamped = header.says("@timestamps")
    expected = features if features is not None else header.dimensions
    cases: list[_Case] = []
    for number, line in lines:
        where = f"{path.name}, line {number}"
        fields = _BETWEEN_STAMPED.split(line) if is_stamped else line.split(":")
        is_labelled = header.task is not None and len(fields) != features
        if expected is None:
            expected = len(fields) - is_labelled
        _check_fields(fields, expected, is_labelled, where)
        label = _label(fields.pop(), header, where) if is_labelled else None
        values, spacing = _values(fields, header, where)
        cases.append(_Case(values, label, f"line {number}", spacing))
    _check_lengths(cases, header, path)
    _check_spacing(cases, path)
    sequences = tuple(case.values for case in cases)
    several = expected is not None and expected > 1
    return Cases(
        path=path,
        format="ts",
        values=sequences,
        labels=tuple(case.label for case in cases),
        places=tuple(case.place for case in cases),
        features=tuple(f"dim_{n}" for n in range(expected or 1)) if several else ("value",),
        task=header.task,
        classes=header.classes,
        steps=common_length(sequences),
    )


def _header_and_lines(path: Path) -> tuple[_Header, list[tuple[int, str]]]:
    """The tags, and the lines of cases with their numbers from 1."""
    tags: dict[str, list[str]] = {}
    numbered = enumerate(read_text(path).split("\n"), start=1)
    lines = ((number, line.strip()) for number, line in numbered)
    content = ((number, line) for number, line in lines if line and not line.startswith("#"))
    for number, line in content:
        if not line.startswith("@"):
            raise DataError(
                f"{path.name}, line {number}: a .ts file begins with a header of @tags that ends "
                f"with @data, but got {line[:40]!r}; if it is another format, set data.format."
            )
        tag, *words = line.split()
        if tag.lower() == "@data":
            return _Header(tags), list(content)
        tags[tag.lower()] = words
    raise DataError(f"{path.name}: a .ts file needs a line @data before its cases, but has none.")


def _check_fields(fields: Sequence[str], dimensions: int, is_labelled: bool, where: str) -> None:
    if len(fields) == dimensions + is_labelled and dimensions > 0:
        return
    wanted = f"{dimensions or 1} dimension(s){' and a label' if is_labelled else ' and no label'}"
    raise DataError(
        f"{where}: a case must have {wanted}, separated by ':', but got {len(fields)} field(s); "
        "correct the line, or @dimensions, @univariate or @classLabel in the header."
    )


def _label(field: str, header: _Header, where: str) -> str | None:
    label = field.strip()
    if is_missing(label):
        return None
    if not header.classes or label in header.classes:
        return label
    same = [name for name in header.classes if _equal_numbers(name, label)]
    if not same:
        raise DataError(
            f"{where}: the label must be one of the header's classes "
            f"({', '.join(header.classes[:12])}), but got {label!r}; correct @classLabel or "
            "the line."
        )
    return same[0]


def _equal_numbers(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _values(fields: Sequence[str], header: _Header, where: str) -> tuple[Array, float | None]:
    """`(time, dimensions)`, and the time between two values where there are time stamps."""
    columns, stamps = [], []
    for number, field in enumerate(fields, start=1):
        here = f"{where}, dimension {number}"
        texts = _stamped(field, here) if header.says("@timestamps") else None
        cells = [cell for _, cell in texts] if texts is not None else field.split(",")
        columns.append(parse_numbers(cells if field.strip() else [], here))
        stamps.append([stamp for stamp, _ in texts or ()])
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1 or lengths[0] == 0:
        raise DataError(
            f"{where}: the dimensions of a case must have the same number of values, at least one, "
            f"but got {', '.join(map(str, lengths[:8]))}; correct the line."
        )
    if any(other != stamps[0] for other in stamps):
        raise DataError(f"{where}: the dimensions of a case must have the same time stamps.")
    return np.column_stack(columns), _spacing(stamps[0], where)


def _stamped(field: str, where: str) -> list[tuple[str, str]]:
    """Time and value of every `(time,value)`."""
    found = [(stamp.strip(), value) for stamp, value in _STAMPED.findall(field)]
    if _STAMPED.sub("", field).replace(",", "").strip() or not found:
        raise DataError(
            f"{where}: with @timeStamps true values are (time,value),(time,value), but got "
            f"{field.strip()[:40]!r}."
        )
    return found


def _spacing(stamps: Sequence[str], where: str) -> float | None:
    """Time between two stamps, as numbers or seconds; None where there are none, or only one."""
    if len(stamps) < 2:
        return None
    steps = np.diff(_times(stamps, where))
    if steps[0] <= 0 or not np.allclose(steps, steps[0], rtol=1e-6, atol=0):
        odd = int(np.argmax((steps <= 0) | ~np.isclose(steps, steps[0], rtol=1e-6, atol=0)))
        raise DataError(
            f"{where}: time stamps must be evenly spaced, but {stamps[odd + 1]} follows "
            f"{stamps[odd]}; bring the file as a table with a column of times (source: table)."
        )
    return float(steps[0])


def _times(stamps: Sequence[str], where: str) -> Array:
    import pandas as pd

    try:
        return np.array([float(stamp) for stamp in stamps])
    except ValueError:
        dates = pd.to_datetime(pd.Series(stamps), errors="coerce", format="ISO8601")
    wrong = np.flatnonzero(dates.isna().to_numpy())
    if len(wrong):
        raise DataError(
            f"{where}: time stamps must be numbers or dates (2024-12-31 23:00:00), but got "
            f"{stamps[wrong[0]]!r}."
        )
    return dates.to_numpy(dtype="datetime64[ns]").astype(np.int64) / 1e9


def _check_lengths(cases: Sequence[_Case], header: _Header, path: Path) -> None:
    if not header.says("@equallength") or not cases:
        return
    length = header.number("@serieslength") or len(cases[0].values)
    for case in cases:
        if len(case.values) != length:
            raise DataError(
                f"{path.name}, {case.place}: the header says @equalLength true, so a case must "
                f"have {length} steps, but got {len(case.values)}; correct the line, or write "
                "@equalLength false."
            )


def _check_spacing(cases: Sequence[_Case], path: Path) -> None:
    spaced = [case for case in cases if case.spacing is not None]
    for case in spaced:
        first = spaced[0].spacing
        if not np.isclose(case.spacing or 0.0, first or 0.0, rtol=1e-6, atol=0):
            raise DataError(
                f"{path.name}, {case.place}: steps of all cases must be of one length, but got "
                f"{case.spacing:g} after {first:g}; bring the file as a table with a column of "
                "times (source: table)."
            )
