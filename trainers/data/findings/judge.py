"""Everything that is looked at: of a table as it was read, and of parts as they were made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

from trainers.data.contract import Array, SequenceData
from trainers.data.finding import Finding, gravest_first, require_accepted
from trainers.data.findings.columns import (
    constant_columns,
    counters,
    duplicated_rows,
    missing_values,
    targets_with_tails,
)
from trainers.data.findings.judged import JudgedTable
from trainers.data.findings.leaks import leaks
from trainers.data.findings.order import order_of_rows
from trainers.data.findings.parts import judge_classes, judge_ranges
from trainers.data.findings.sentinels import marks_of, sentinels
from trainers.data.findings.wide import judge_form
from trainers.data.tables.words import is_nested

_OF_TABLES: tuple[Callable[[JudgedTable], list[Finding]], ...] = (
    sentinels,
    leaks,
    order_of_rows,
    judge_form,
    constant_columns,
    counters,
    duplicated_rows,
    targets_with_tails,
    missing_values,
)
_OF_PARTS: tuple[Callable[[SequenceData], list[Finding]], ...] = (judge_classes, judge_ranges)


def table_findings(table: JudgedTable) -> tuple[Finding, ...]:
    """Judge a table, its rows in order; the gravest findings come first."""
    plain = _without_lists(table)
    return gravest_first(finding for judge in _OF_TABLES for finding in judge(plain))


def _without_lists(table: JudgedTable) -> JudgedTable:
    """Leave out columns of lists and objects: nothing is said of them, and no network sees them."""
    objects: Any = table.frame.select_dtypes("object", exclude="str").columns
    nested = [name for name in objects if table.frame[name].dropna().map(is_nested).any()]
    return dataclasses.replace(table, frame=table.frame.drop(columns=nested)) if nested else table


def column_findings(columns: Mapping[str, Array], marks: str) -> tuple[Finding, ...]:
    """Judge the steps of whole sequences, columns of numbers `(steps,)` by name.

    Args:
        marks: How a person says that `{mark}` stands for a missing value.
    """
    return gravest_first(marks_of(columns.items(), way_out=marks))


def part_findings(data: SequenceData) -> tuple[Finding, ...]:
    """Judge the parts of a data set."""
    return gravest_first(finding for judge in _OF_PARTS for finding in judge(data))


def judged(data: SequenceData, accept: Collection[str], *, whole: bool = True) -> SequenceData:
    """Return loaded data with what their parts add to the findings of their source.

    Args:
        accept: Kinds of findings that may be wrong.
        whole: Whether the parts are all there; of a beginning little can be said.

    Raises:
        DataError: a finding is wrong, and not accepted.
    """
    found = gravest_first((*data.findings, *(part_findings(data) if whole else ())))
    require_accepted(found, accept)
    return dataclasses.replace(data, findings=found)
